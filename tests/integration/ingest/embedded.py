"""The whole pipeline in one process behind a real HTTP server, in threads of the tests' process or in its own."""

import asyncio
import contextlib
import os
import signal
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
import structlog
import uvicorn

from services.embedded import neighbours
from services.ingest.api import resources
from services.ingest.serve import build
from services.ingest.sessions.serving.upload_calls import Desk
from services.ingest.settings import Settings
from services.local import process
from services.publisher.etsy import wiring
from shared.nas import open_nas
from tests import backends
from tests.integration.ingest.catalog.world import QUICK
from tests.waiting import eventually

ORIGIN = "http://localhost:3000"
PRODUCT = "UVDTF 16oz"


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
        return httpx.Client(base_url=self.url, headers=headers, timeout=60, trust_env=False, verify=False)  # noqa: S501 - http


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
    with contextlib.ExitStack() as connected:
        with pytest.MonkeyPatch.context() as patch:
            for name, value in here.environment.items():
                patch.setenv(name, value)
            patch.setattr(resources, "Passwords", lambda: QUICK)
            # a process closes its connections to Etsy by ending
            patch.setattr(wiring.httpx, "Client", _closing(connected, httpx.Client))
            app, desk = build(Settings(), neighbours(hashers=2))
        config = uvicorn.Config(app, "127.0.0.1", 0, log_config=None, timeout_graceful_shutdown=5)
        with plain_log(), listening(config, desk) as url:
            yield Threaded(url, here, desk)


def _closing(until: contextlib.ExitStack, client: type[httpx.Client]) -> Callable[..., httpx.Client]:
    """Makes clients that are closed then."""
    return lambda **options: until.enter_context(client(**options))


@contextlib.contextmanager
def listening(config: uvicorn.Config, desk: Desk) -> Iterator[str]:
    """A server in a thread, by its URL."""
    server = _Uvicorn(config, desk)
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(server.run)
        try:
            while not server.up.wait(0.1):
                assert not running.done(), running.exception()
            host, port = server.servers[0].sockets[0].getsockname()
            yield f"http://{host}:{port}"
        finally:
            server.end()
            running.result(30)
            desk.sessions.engine.dispose()


@contextlib.contextmanager
def plain_log() -> Iterator[None]:
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
