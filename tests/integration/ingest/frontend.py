"""The existing frontend as the server sees it: its user, its calls in their order, its event streams."""

import contextlib
import json
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from itertools import count
from time import monotonic
from typing import Any

import httpx

from tests.integration.ingest.artworks import File
from tests.integration.ingest.embedded import PRODUCT, Server
from tests.seller import PRODUCT as FACTS
from tests.seller import Seller, parts

_numbers = count(1)


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

    def have_listed(self, ids: Sequence[str]) -> None:
        """A last call that went well."""
        answer = self.list_designs(ids)
        assert answer.json()["success"], answer.text

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
    with Seller(server.url, shop_name=name, template_name=PRODUCT) as seller, server.client(seller.token) as client:
        ids = (seller.template, seller.canvas, seller.size, seller.mockup)
        yield Shop(server, client, seller.user, seller.token, *ids)


def another_group(shop: Shop, product: str) -> str:
    """A mockup group, without photographs, of a product that the user did not have; its id."""
    template = _made(shop.client, "/settings/product-template", json=FACTS | {"name": product})["id"]
    group = {"name": "Cup", "product_template_id": template, "starting_name": 100}
    return str(_made(shop.client, "/mockups/group", json=group)["id"])


def _made(client: httpx.Client, path: str, **kwargs: Any) -> dict[str, Any]:
    answer = client.post(path, **kwargs)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


def wire(request: httpx.Request) -> bytes:
    """A request as it goes over the wire."""
    head = [b"%s %s HTTP/1.1" % (request.method.encode(), request.url.raw_path)]
    head += [b"%s: %s" % pair for pair in request.headers.raw]
    return b"\r\n".join([*head, b"", request.read()])


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
