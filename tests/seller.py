"""A seller with a browser: the HTTP calls of the existing frontend, in its order, for tests."""

import json
import random
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import httpx
from PIL import Image, ImageDraw

from tests.images import saved

PASSWORD = "correct horse battery"
SQUARE = [[200.0, 150.0], [600.0, 150.0], [600.0, 450.0], [200.0, 450.0]]
PRODUCT: dict[str, Any] = {"title": "| UVDTF Cup Wrap", "description": "Ready to apply", "price": 4.0, "quantity": 100}
PRODUCT |= {"who_made": "i_did", "when_made": "made_to_order", "taxonomy_id": 1, "type": "physical"}
PRODUCT |= {"materials": ["UV DTF"], "tags": ["cup", "wrap"]}

File = tuple[str, bytes]


def artwork(seed: int, size: tuple[int, int] = (300, 200)) -> bytes:
    """A small design, the same for a seed and unlike that of any other: discs on transparency, as PNG."""
    chance = random.Random(seed)
    image = Image.new("RGBA", size, (0, 0, 0, 0))
    draw = ImageDraw.Draw(image)
    for _ in range(25):
        x, y, radius = chance.randrange(size[0]), chance.randrange(size[1]), chance.randrange(8, 60)
        colour = tuple(chance.randrange(256) for _ in range(3))
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=(*colour, 255))
    return saved(image)


def artworks(count: int, seed: int = 1) -> list[File]:
    """Files as a browser sends them."""
    return [(f"design-{number}.png", artwork(seed * 1000 + number)) for number in range(count)]


@dataclass
class Seller:
    """One account with one product, ready to upload designs."""

    base_url: str
    email: str = field(default_factory=lambda: f"{uuid4().hex[:12]}@example.com")
    shop_name: str = "NorthCups"
    template_name: str = "UVDTF 16oz"
    inches: tuple[float, float] = (0.75, 0.5)
    photographs: int = 1

    def __post_init__(self) -> None:
        self.http = httpx.Client(base_url=self.base_url, timeout=120, trust_env=False)
        account = {"email": self.email, "password": PASSWORD, "shop_name": self.shop_name}
        account |= {"registration_mode": "create", "organization_name": "Ours", "invite_code": ""}
        answer = self._ok(self.http.post("/auth/register", json=account))
        self.token = answer["access_token"]
        self.user: dict[str, Any] = answer["user"]
        self.user_id = self.user["id"]
        self.http.headers["Authorization"] = f"Bearer {self.token}"
        self.template = self._product()
        self.canvas = self._sheet(f"/settings/{self.template}/canvas-config")
        self.size = self._sheet(f"/settings/{self.template}/{self.canvas}/size-config")
        self.mockup = self._mockups()

    def __enter__(self) -> "Seller":
        return self

    def __exit__(self, *_: object) -> None:
        self.http.close()

    def announce(self, files: list[File]) -> str:
        """The first call of an upload; its answer names the session."""
        answer = self._ok(self.http.post("/designs/start-upload", files=parts(files)))
        return str(answer["session_id"])

    def post(self, session_id: str | None, files: list[File], base_url: str = "", **choices: Any) -> httpx.Response:
        """The upload itself."""
        data = {"design_data": json.dumps(self.choices(**choices))}
        if session_id is not None:
            data["session_id"] = session_id
        return self.http.post(f"{base_url}/designs/", files=parts(files), data=data)

    def choices(self, **other: Any) -> dict[str, Any]:
        """What the frontend sends beside the files."""
        chosen = {"product_template_id": self.template, "mockup_id": self.mockup, "starting_name": 100}
        return chosen | {"canvas_config_id": self.canvas, "size_config_id": self.size, "is_digital": False} | other

    def upload(self, files: list[File], **choices: Any) -> tuple[str, list[dict[str, Any]]]:
        """Announce and upload; returns the session and its designs."""
        session_id = self.announce(files)
        return session_id, self._ok(self.post(session_id, files, **choices))["designs"]

    def list_designs(self, design_ids: list[str]) -> dict[str, Any]:
        """Ask for listings, and wait for them."""
        wanted = {"product_template_id": self.template, "mockup_id": self.mockup, "design_ids": design_ids}
        product_data = (None, json.dumps(wanted))
        return self._ok(self.http.post("/mockups/upload-mockup", files={"product_data": product_data}))

    def receipt(self, session_id: str, base_url: str = "") -> dict[str, Any]:
        """What became of each file."""
        return self._ok(self.http.get(f"{base_url}/api/v1/sessions/{session_id}/receipt"))

    def items(self, session_id: str) -> list[dict[str, Any]]:
        """Its files, in order of upload."""
        return list(self._ok(self.http.get(f"/api/v1/sessions/{session_id}/items"))["items"])

    def events(self, session_id: str) -> list[dict[str, Any]]:
        """The session's timeline."""
        answer = self._ok(self.http.get(f"/api/v1/sessions/{session_id}/events", params={"limit": 5000}))
        return list(answer["events"])

    def follow(self, session_id: str, base_url: str = "") -> "Stream":
        """Open the progress stream as the frontend does."""
        return Stream(f"{base_url or self.base_url}/designs/progress/{session_id}", self.token)

    def _product(self) -> str:
        product = PRODUCT | {"name": self.template_name}
        return str(self._ok(self.http.post("/settings/product-template", json=product))["id"])

    def _sheet(self, path: str) -> str:
        width, height = self.inches
        sheet = {"name": self.template_name, "width_inches": width, "height_inches": height, "is_stretch": True}
        return str(self._ok(self.http.post(path, json=sheet))["id"])

    def _mockups(self) -> str:
        group = {"name": "Cup", "product_template_id": self.template, "starting_name": 100}
        mockup = str(self._ok(self.http.post("/mockups/group", json=group))["id"])
        photographs = [saved(Image.new("RGB", (800, 600), (205, 190, 170 - n))) for n in range(self.photographs)]
        watermark = saved(Image.new("RGBA", (300, 80), (255, 255, 255, 128)))
        parts = [
            *(("files", (f"cup{n or ''}.png", photograph, "image/png")) for n, photograph in enumerate(photographs)),
            ("watermark_file", ("wm.png", watermark, "image/png")),
        ]
        sent = self._ok(self.http.post("/mockups/upload", data={"mockup_id": mockup}, files=parts))
        for image in (uploaded["id"] for uploaded in sent["uploaded_images"]):
            mask = {"mockup_image_id": image, "masks": [SQUARE], "points": [SQUARE]}
            mask |= {"is_cropped": False, "alignment": "center"}
            self._ok(self.http.post(f"/mockups/images/{image}/mask-data", json=mask))
        return mockup

    def _ok(self, response: httpx.Response) -> Any:
        assert response.is_success, f"{response.request.url}: {response.status_code} {response.text[:500]}"
        return response.json()


class Stream:
    """A progress stream, read in a thread to its end."""

    def __init__(self, url: str, token: str) -> None:
        self.frames: list[dict[str, Any]] = []
        self.status = 0
        self.headers = httpx.Headers()
        self._thread = threading.Thread(target=self._read, args=(url, token), daemon=True)
        self._thread.start()

    def to_the_end(self, timeout_s: float = 60) -> list[dict[str, Any]]:
        """Every frame, once the server has ended the stream."""
        self._thread.join(timeout_s)
        assert not self._thread.is_alive(), f"the stream did not end; last frame: {self.frames[-1:]}"
        return self.frames

    def _read(self, url: str, token: str) -> None:
        with httpx.stream("GET", url, params={"token": token}, timeout=60, trust_env=False) as response:
            self.status, self.headers = response.status_code, response.headers
            for line in response.iter_lines():
                if line.startswith("data: "):
                    self.frames.append(json.loads(line.removeprefix("data: ")))


def parts(files: Sequence[File]) -> list[tuple[str, tuple[str, bytes, str]]]:
    """Files as httpx sends them under the frontend's name."""
    return [("files", (name, data, "image/png")) for name, data in files]
