"""The whole pipeline in one process behind a real HTTP server, and the frontend's calls against it."""

import asyncio
import contextlib
import io
import json
import os
import random
import signal
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path
from time import monotonic
from typing import Any

import httpx
import pytest
import structlog
import uvicorn
from PIL import Image, ImageDraw
from tenacity import Retrying, retry_if_exception_type, retry_if_result, stop_after_delay, wait_fixed

from services.embedded import workers
from services.ingest.serve import build
from services.ingest.sessions.desk import Desk
from services.ingest.settings import Settings
from services.local import process
from shared.nas import open_nas
from tests import backends

ORIGIN = "http://localhost:3000"
PASSWORD = "correct horse battery"
PRODUCT = "UVDTF 16oz"
WIDTH_IN, HEIGHT_IN = 0.75, 0.5  # small prints are made quickly

File = tuple[str, bytes]
_numbers = count(1)
_seeds = count(1000)


@dataclass(frozen=True)
class Place:
    """Where a server keeps everything. It outlives the server."""

    data: Path
    database_url: str
    changes: Mapping[str, str] = field(default_factory=dict)

    @property
    def nas(self) -> Path:
        return self.data / "nas"

    @property
    def listings(self) -> Path:
        return self.data / "listings"

    @property
    def environment(self) -> dict[str, str]:
        return {
            "DATABASE_URL": self.database_url,
            "BLOB_DIR": str(self.data / "blobs"),
            "NAS_URL": str(self.nas),
            "LISTINGS_DIR": str(self.listings),
            "EMBEDDED": "1",
            "HOST": "127.0.0.1",
            "PORT": "0",
            "JWT_SECRET_KEY": "a secret that is only used in these tests",
            "REGISTRATION_RATE_LIMIT": "off",
            "LISTING_GRACE_SECONDS": "3",
            "FRONTEND_URL": ORIGIN,
            **self.changes,
        }

    def designs(self, folder: str) -> list[str]:
        """The names of the designs that people see in a shop's folder of the NAS, of its only product."""
        found = (self.nas / folder / PRODUCT).iterdir() if (self.nas / folder / PRODUCT).is_dir() else ()
        return sorted(path.name for path in found if not path.name.startswith("."))

    def listed(self, folder: str) -> list[str]:
        """The listings that a shop has."""
        return sorted(path.name for path in (self.listings / folder).glob("*/") if not path.name.startswith("."))


@contextlib.contextmanager
def place(folder: Path, postgres_url: str, template: str, /, **changes: str) -> Iterator[Place]:
    """A new database, a new NAS. `changes` are settings over those of these tests."""
    with backends.new_database(postgres_url, template) as url:
        made = Place(folder, url, changes)
        made.nas.mkdir(parents=True)
        open_nas(str(made.nas)).initialise()
        yield made


@dataclass(frozen=True)
class Server:
    """A server that answers."""

    url: str
    place: Place

    def send(self, message: bytes, until: Callable[[], Any] = lambda: True) -> None:
        """Send bytes over a connection of their own, and break it off when `until` is true, before an answer is read.

        What the server has not read by then is lost.
        """
        with connected(self) as connection:
            connection.sendall(message)
            eventually(until)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def client(self, token: str | None = None) -> httpx.Client:
        """A client as a browser at the frontend's origin."""
        headers = {"Origin": ORIGIN} | ({"Authorization": f"Bearer {token}"} if token else {})
        return httpx.Client(base_url=self.url, headers=headers, timeout=60, trust_env=False)


def connected(server: Server) -> socket.socket:
    """A connection to a server, for what no HTTP client does."""
    url = httpx.URL(server.url)
    return socket.create_connection((url.host, url.port or 80), timeout=60)


@dataclass(frozen=True)
class Threaded(Server):
    """A server in threads of this process."""

    desk: Desk


@dataclass(frozen=True)
class Spawned(Server):
    """A server in a process of its own."""

    process: subprocess.Popen[bytes]


@contextlib.contextmanager
def serving(here: Place) -> Iterator[Threaded]:
    """The application with all services, in threads of this process."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in here.environment.items():
            patch.setenv(name, value)
        app, desk = build(Settings(), workers(hashers=2))
    server = _Uvicorn(uvicorn.Config(app, "127.0.0.1", 0, log_config=None, timeout_graceful_shutdown=5), desk)
    with _plain_log(), ThreadPoolExecutor(1) as pool:
        running = pool.submit(server.run)
        try:
            while not server.up.wait(0.1):
                assert not running.done(), running.exception()
            host, port = server.servers[0].sockets[0].getsockname()
            yield Threaded(f"http://{host}:{port}", here, desk)
        finally:
            server.end()
            running.result(30)
            desk.sessions.engine.dispose()


@contextlib.contextmanager
def _plain_log() -> Iterator[None]:
    """As in production. The default draws every frame of a trace with its variables, which takes seconds."""
    before = structlog.get_config()
    as_json: list[structlog.typing.Processor] = [
        structlog.processors.add_log_level,
        structlog.processors.format_exc_info,
        structlog.processors.JSONRenderer(),
    ]
    structlog.configure(processors=as_json)
    yield
    structlog.configure(**before)


class _Uvicorn(uvicorn.Server):
    """Says when it is up, and ends as `services.ingest.serve` does at a signal."""

    def __init__(self, config: uvicorn.Config, desk: Desk) -> None:
        super().__init__(config)
        self.desk = desk
        self.up = threading.Event()

    async def startup(self, sockets: Any = None) -> None:
        self.loop = asyncio.get_running_loop()
        await super().startup(sockets)
        self.up.set()

    def end(self) -> None:
        self.loop.call_soon_threadsafe(self.desk.watcher.stop)
        self.should_exit = True


@contextlib.contextmanager
def spawned(here: Place, log: Path) -> Iterator[Spawned]:
    """The same as a process of its own: `presswork run ingest`."""
    (port,) = process.free_ports(1)
    environment = {**os.environ, **here.environment, "PORT": str(port)}
    command = [sys.executable, "-m", "services.cli", "run", "ingest"]
    child = process.start(command, when_orphaned="KILL", log=log, env=environment)
    try:
        server = Spawned(f"http://127.0.0.1:{port}", here, child)
        with httpx.Client(base_url=server.url, trust_env=False, timeout=5) as client:

            def ready() -> bool | None:
                try:
                    return client.get("/ready").status_code == httpx.codes.OK or None
                except httpx.TransportError:
                    return None

            process.wait_for(ready, child, what="ingest", log=log, limit_s=60)
        yield server
    finally:
        process.stop(child, signal.SIGKILL)


@dataclass(frozen=True)
class Shop:
    """A registered user with a product, a print size and a mockup group, who calls as the frontend does."""

    server: Server
    client: httpx.Client
    user: dict[str, Any]
    token: str
    product: str
    canvas: str
    size: str
    mockup: str

    def design_data(self, **changes: Any) -> dict[str, Any]:
        """What the upload screen sends beside the files."""
        return {
            "product_template_id": self.product,
            "mockup_id": self.mockup,
            "starting_name": 100,
            "canvas_config_id": self.canvas,
            "size_config_id": self.size,
            "is_digital": False,
        } | changes

    def start(self, files: Sequence[File] = ()) -> str:
        """A new session's id."""
        answer = self.client.post("/designs/start-upload", files=parts(files))
        assert answer.status_code == 200, answer.text
        return str(answer.json()["session_id"])

    def upload(self, files: Sequence[File], session: str | None = None, **changes: Any) -> httpx.Response:
        """The second call of an upload."""
        return self.client.send(self.request(files, session, **changes))

    def uploaded(self, files: Sequence[File], session: str | None = None) -> dict[str, Any]:
        """What an upload that went well answered."""
        answer = self.upload(files, session)
        assert answer.status_code == 201, answer.text
        found: dict[str, Any] = answer.json()
        return found

    @contextlib.contextmanager
    def moved(self, server: Server) -> Iterator["Shop"]:
        """The same user at another server that has the same data."""
        with server.client(self.token) as client:
            yield replace(self, server=server, client=client)

    @property
    def folder(self) -> str:
        """Of the shop, on the NAS and among the listings."""
        return str(self.user["shop_name"])

    def request(self, files: Sequence[File], session: str | None = None, **changes: Any) -> httpx.Request:
        """The second call of an upload, to be sent."""
        fields = {"design_data": json.dumps(self.design_data(**changes))} | ({"session_id": session} if session else {})
        return self.client.build_request("POST", "/designs/", files=parts(files), data=fields)

    def list_designs(self, ids: Sequence[str], **changes: Any) -> httpx.Response:
        """The last call of an upload."""
        wanted = {"product_template_id": self.product, "mockup_id": self.mockup, "design_ids": list(ids)} | changes
        return self.client.post("/mockups/upload-mockup", files={"product_data": (None, json.dumps(wanted))})

    def get(self, session: str, what: str = "") -> dict[str, Any]:
        """Something of a session from our own API."""
        answer = self.client.get(f"/api/v1/sessions/{session}{what}")
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def items(self, session: str) -> list[dict[str, Any]]:
        """The files of a session in upload order."""
        found: list[dict[str, Any]] = self.get(session, "/items")["items"]
        return found

    def stream(self, path: str, **kwargs: Any) -> "Future[Stream]":
        """Read an event stream to its end, in another thread; see `listen`."""
        return listen(self.server, path, **kwargs)


@contextlib.contextmanager
def shop(server: Server) -> Iterator[Shop]:
    """A new user, whose shop's name and folder nobody else has."""
    name = f"Shop {next(_numbers)} of {os.getpid()}"
    registration = {
        "email": f"{name.replace(' ', '.')}@example.com",
        "password": PASSWORD,
        "shop_name": name,
        "registration_mode": "create",
        "organization_name": name,
        "invite_code": "",
    }
    with server.client() as stranger:
        account = _made(stranger, "/auth/register", json=registration)
    token = account["access_token"]
    with server.client(token) as client:
        yield Shop(server, client, account["user"], token, **_settled(client))


def _settled(client: httpx.Client) -> dict[str, str]:
    template: dict[str, Any] = {"name": PRODUCT, "title": "| UVDTF Cup Wrap", "description": "Ready"}
    template |= {"price": 4.0, "quantity": 100, "taxonomy_id": 1071, "tags": ["cup"], "materials": ["UV DTF"]}
    size = {"name": PRODUCT, "width_inches": WIDTH_IN, "height_inches": HEIGHT_IN}
    product = _made(client, "/settings/product-template", json=template)["id"]
    canvas = _made(client, f"/settings/{product}/canvas-config", json=size | {"is_stretch": True})["id"]
    sized = _made(client, f"/settings/{product}/{canvas}/size-config", json=size)["id"]
    group = {"name": "Cup", "product_template_id": product, "starting_name": 100}
    mockup = _made(client, "/mockups/group", json=group)["id"]
    photograph = saved(Image.new("RGB", (160, 120), (200, 180, 160)))
    watermark = saved(Image.new("RGBA", (60, 20), (255, 255, 255, 128)))
    pictures = [("files", ("bg.png", photograph)), ("watermark_file", ("wm.png", watermark))]
    images = _made(client, "/mockups/upload", data={"mockup_id": mockup}, files=pictures)["uploaded_images"]
    area = [[[40, 30], [120, 30], [120, 90], [40, 90]]]
    mask = {"mockup_image_id": images[0]["id"], "masks": area, "points": area}
    _made(client, f"/mockups/images/{images[0]['id']}/mask-data", json=mask)
    return {"product": product, "canvas": canvas, "size": sized, "mockup": mockup}


def _made(client: httpx.Client, path: str, **kwargs: Any) -> dict[str, Any]:
    answer = client.post(path, **kwargs)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


def parts(files: Sequence[File]) -> list[tuple[str, tuple[str, bytes, str]]]:
    """Files as httpx sends them under the frontend's name."""
    return [("files", (name, data, "image/png")) for name, data in files]


def wire(request: httpx.Request) -> bytes:
    """A request as it goes over the wire."""
    head = [b"%s %s HTTP/1.1" % (request.method.encode(), request.url.raw_path)]
    head += [b"%s: %s" % pair for pair in request.headers.raw]
    return b"\r\n".join([*head, b"", request.read()])


def print_names(*numbers: int) -> list[str]:
    """What designs of these numbers are called."""
    return [f"UV {number} UVDTF_16oz_{number}.png" for number in numbers]


def saved(image: Image.Image, format_: str = "PNG", **options: Any) -> bytes:
    """A file as Pillow writes it."""
    file = io.BytesIO()
    image.save(file, format_, **options)
    return file.getvalue()


def artwork(seed: int, size: tuple[int, int] = (360, 240)) -> Image.Image:
    """Discs on transparency; seeds that differ make designs that nobody takes for each other."""
    dice = random.Random(seed)
    image = Image.new("RGBA", size)
    draw = ImageDraw.Draw(image)
    for _ in range(20):
        x, y, width = dice.randrange(size[0]), dice.randrange(size[1]), dice.randrange(20, 120)
        draw.ellipse([x, y, x + width, y + width], (*dice.choices(range(256), k=3), 255))
    return image


def design(seed: int) -> File:
    """A good file."""
    return f"design {seed}.png", saved(artwork(seed))


def designs(number: int, first: int = 1) -> list[File]:
    """Good files, no two of them alike."""
    return [design(seed) for seed in range(first, first + number)]


def fresh(number: int) -> list[File]:
    """Good files that no other test has, for users that tests share."""
    return [design(next(_seeds)) for _ in range(number)]


@dataclass(frozen=True)
class Stream:
    """An event stream from its first to its last byte; each block with the moment at which it came."""

    status: int
    headers: httpx.Headers
    blocks: list[tuple[float, str]]
    ended: float

    @property
    def text(self) -> str:
        return "\n\n".join(block for _, block in self.blocks)

    @property
    def data(self) -> list[dict[str, Any]]:
        """The data of every block that is not a comment."""
        lines = (line for _, block in self.blocks for line in block.split("\n"))
        return [json.loads(line.removeprefix("data: ")) for line in lines if line.startswith("data: ")]


def listen(
    server: Server,
    path: str,
    *,
    begun: threading.Event | None = None,
    until: Callable[[str], bool] | None = None,
    **kwargs: Any,
) -> "Future[Stream]":
    """Read an event stream, in a thread, to its end or to the first block of which `until` is true.

    `begun` is set at its first byte.
    """
    found: Future[Stream] = Future()

    def read() -> None:
        try:
            found.set_result(_read(server, path, begun, until, **kwargs))
        except BaseException as error:  # noqa: BLE001 - handed to whoever waits
            found.set_exception(error)

    threading.Thread(target=read, daemon=True).start()
    return found


def _read(
    server: Server,
    path: str,
    begun: threading.Event | None,
    until: Callable[[str], bool] | None,
    **kwargs: Any,
) -> Stream:
    seen: list[tuple[float, str]] = []
    waiting = ""
    with server.client() as client, client.stream("GET", path, **kwargs) as answer:
        for piece in answer.iter_text():
            *whole, waiting = (waiting + piece).split("\n\n")
            seen += [(monotonic(), block) for block in whole]
            if begun is not None:
                begun.set()
            if until is not None and any(until(block) for block in whole):
                break
        seen += [(monotonic(), waiting)] if waiting else []
        return Stream(answer.status_code, answer.headers, seen, monotonic())


def eventually(ask: Any, limit_s: float = 30) -> Any:
    """Ask until the answer is true, and return it."""
    patiently = Retrying(
        retry=retry_if_result(lambda answer: not answer) | retry_if_exception_type(httpx.TransportError),
        wait=wait_fixed(0.05),
        stop=stop_after_delay(limit_s),
    )
    return patiently(ask)
