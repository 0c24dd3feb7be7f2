"""An upload that can't be kept is refused before its body is sent, in words and in the shape that clients know."""

import contextlib
import errno
import json
import os
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import NullPool, create_engine, make_url, text

from services.ingest.sessions.intake import admission
from services.local.process import free_ports
from shared.blobs import BlobWriter
from tests.integration.ingest import artworks, embedded, frontend
from tests.integration.ingest.embedded import ORIGIN, Place, Server
from tests.integration.ingest.frontend import Shop
from tests.integration.ingest.test_uploads_restarts import unmounted, waiting
from tests.waiting import eventually

CALLS = ("/designs/start-upload", "/designs/")


@pytest.fixture
def folder(tmp_path: Path, postgres_url: str, _template: str) -> tuple[Path, str, str]:
    return tmp_path, postgres_url, _template


@contextlib.contextmanager
def shop_where(folder: tuple[Path, str, str], **settings: str) -> Iterator[Shop]:
    with embedded.place(*folder, **settings) as here, embedded.serving(here) as running, frontend.shop(running) as shop:
        yield shop


def refused(answer: httpx.Response, status: int = 503) -> str:
    """The words of a refusal, whose shape is right."""
    assert answer.status_code == status, answer.text
    assert answer.headers["access-control-allow-origin"] == ORIGIN
    assert int(answer.headers["retry-after"]) > 0
    assert list(answer.json()) == ["detail"]
    return str(answer.json()["detail"])


def before_the_body(shop: Shop, path: str, length: int) -> httpx.Response:
    """What is answered to the head of a request whose body never comes."""
    url = httpx.URL(shop.server.url)
    head = [f"POST {path} HTTP/1.1", f"Host: {url.host}:{url.port}", f"Authorization: Bearer {shop.token}"]
    head += [f"Origin: {ORIGIN}", "Content-Type: multipart/form-data; boundary=b", f"Content-Length: {length}"]
    with embedded.connected(shop.server) as connection:
        connection.sendall("\r\n".join([*head, "", ""]).encode())
        found = b""
        while b'"}' not in found:
            piece = connection.recv(65536)
            assert piece, found
            found += piece
    first, _, body = found.partition(b"\r\n\r\n")
    status, *lines = first.decode().split("\r\n")
    headers = [(name, value.strip()) for name, _, value in (line.partition(":") for line in lines)]
    return httpx.Response(int(status.split()[1]), headers=headers, content=body)


def test_an_upload_that_the_disk_can_not_hold_is_refused_before_it_is_sent(folder: tuple[Path, str, str]) -> None:
    with shop_where(folder) as shop:
        for path in CALLS:
            words = refused(before_the_body(shop, path, 10**15))
            assert "no room on its disk for this upload (1000000000 MB)" in words
        assert shop.uploaded(artworks.designs(1), shop.start())["total"] == 1, "a small one is taken"


def fill_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on: the shop's own photograph needed some of it."""
    full = SimpleNamespace(disk_usage=lambda _: SimpleNamespace(free=0))
    monkeypatch.setattr(admission, "shutil", full)


def test_a_disk_that_is_nearly_full_takes_nothing_and_ready_says_so(
    folder: tuple[Path, str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with shop_where(folder) as shop:
        fill_the_disk(monkeypatch)
        files = artworks.designs(1)
        assert "send it again later" in refused(shop.upload(files))
        assert shop.client.get("/api/v1/sessions").json() == {"sessions": []}
        ready = shop.client.get("/ready")
        assert (ready.status_code, ready.json()["status"]) == (200, "ready"), "all other calls are answered"
        assert "no room on its disk" in ready.json()["uploads"]


def test_a_disk_that_is_full_before_the_last_file_is_there_is_called_full(
    folder: tuple[Path, str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def write(writer: BlobWriter, data: bytes | memoryview) -> None:
        with writer.store_errors():
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(len(data)))

    with shop_where(folder) as shop:
        monkeypatch.setattr(BlobWriter, "write", write)
        answer = shop.upload(artworks.designs(2))
        assert refused(answer).startswith("The server's disk is full; its operator has to make room.")
        assert int(answer.headers["retry-after"]) >= 60, "nobody makes room within seconds"
        assert shop.client.get("/api/v1/sessions").json() == {"sessions": []}


def test_a_spool_that_is_full_takes_nothing(folder: tuple[Path, str, str]) -> None:
    with shop_where(folder, MAX_SPOOL_BYTES="8000") as shop:  # the mockup's pictures are less, these designs more
        assert "as many files as it may" in refused(shop.upload(artworks.designs(3)))


def test_a_user_with_too_much_in_progress_waits_and_nobody_else_does(folder: tuple[Path, str, str]) -> None:
    with (
        embedded.place(*folder, MAX_FILES_IN_PROGRESS="3") as here,
        embedded.serving(here) as running,
        frontend.shop(running) as shop,
        frontend.shop(running) as other,
    ):
        files = artworks.designs(3)
        session = shop.start(files)
        eventually(lambda: nothing_owed(here))
        with unmounted(here):
            running.send(frontend.wire(shop.request(files, session)), lambda: waiting(here))
            words = refused(before_the_body(shop, "/designs/start-upload", 10), 429)
            assert words.startswith("You have 3 files in progress, and an account may have 3;")
            refused(shop.upload(artworks.designs(1, first=8), str(uuid4())), 429)
            assert other.start(files), "the others"
        assert shop.uploaded(files, session)["total"] == 3, "the same upload, sent again, is let in"
        assert shop.uploaded(artworks.designs(1, first=8), shop.start())["total"] == 1, "and later so is the next"
        refused(shop.client.post("/designs/start-upload", files=frontend.parts(artworks.designs(4))), 429)


def test_a_broker_that_is_away_is_no_reason_until_work_has_waited_for_long(folder: tuple[Path, str, str]) -> None:
    (nobody,) = free_ports(1)
    away = {"EMBEDDED": "0", "AMQP_URL": f"amqp://guest:guest@127.0.0.1:{nobody}/", "MAX_OUTBOX_AGE_SECONDS": "1"}
    with shop_where(folder, **away) as shop:
        assert shop.uploaded(artworks.designs(1), shop.start())["total"] == 1
        assert eventually(lambda: cut_off(shop.server) > 1)
        assert shop.client.get("/ready").json()["uploads"] == "accepted", "nothing waits"
        owe_since_long_ago(shop.server.place)
        assert "has been away for 1 minute." in refused(shop.upload(artworks.designs(1, first=3)))


def nothing_owed(here: Place) -> bool:
    engine = create_engine(here.database_url, poolclass=NullPool)
    with engine.connect() as connection:
        return not connection.execute(text("SELECT count(*) FROM ingest.outbox WHERE sent_at IS NULL")).scalar_one()


def cut_off(server: Server) -> float:
    assert isinstance(server, embedded.Threaded)
    return server.desk.broker.cut_off_s


def owe_since_long_ago(here: Place) -> None:
    run(
        here.database_url,
        "INSERT INTO ingest.outbox (id, lane, session_id, type, data, created_at) "
        "VALUES (gen_random_uuid(), 'comprehensive', gen_random_uuid(), 'Old', '{}', now() - interval '1 hour')",
    )


def test_without_its_database_it_takes_nothing_and_with_it_again_it_does(
    folder: tuple[Path, str, str], postgres_url: str
) -> None:
    with shop_where(folder) as shop:
        files = artworks.designs(1)
        session = shop.start(files)
        database = make_url(shop.server.place.database_url).database
        run(postgres_url, f"ALTER DATABASE {database} ALLOW_CONNECTIONS false")
        cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :name"
        run(postgres_url, cut, name=database)
        for path in CALLS:
            refused(before_the_body(shop, path, 1000))
        assert shop.client.get("/ready").status_code == 503
        run(postgres_url, f"ALTER DATABASE {database} ALLOW_CONNECTIONS true")
        eventually(lambda: shop.client.get("/ready").status_code == 200)
        assert shop.uploaded(files, session)["total"] == 1


def run(url: str, statement: str, **values: Any) -> None:
    engine = create_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(statement), values)


def test_a_refusal_leaves_the_connection_fit_for_the_next_call(
    folder: tuple[Path, str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A browser sends its whole body whatever is answered meanwhile."""
    with shop_where(folder) as shop:
        fill_the_disk(monkeypatch)
        body = b"x" * 5_000_000
        answer = shop.client.post("/designs/", files={"files": ("a.png", body)}, data={"design_data": json.dumps({})})
        refused(answer)
        assert shop.client.get("/users/me").status_code == 200
