"""Long and large uploads hold nobody up and cost no memory: contract section 6, rows 1, 27 and 35."""

import contextlib
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.integration.ingest import artworks, embedded, frontend
from tests.integration.ingest.embedded import Spawned
from tests.integration.ingest.frontend import Shop, wire

MIB = 1 << 20


def body(shop: Shop, sizes: list[int], boundary: str = "frontier") -> Iterator[bytes]:
    """An upload of files that no compression makes smaller, a mebibyte at a time."""
    noise = os.urandom(MIB)
    data = json.dumps(shop.design_data())
    yield f'--{boundary}\r\nContent-Disposition: form-data; name="design_data"\r\n\r\n{data}\r\n'.encode()
    for number, size in enumerate(sizes):
        part = f'Content-Disposition: form-data; name="files"; filename="noise {number}.bin"'
        yield f"--{boundary}\r\n{part}\r\n\r\n".encode()
        for mebibyte in range(size):
            yield mebibyte.to_bytes(8, "big") + noise[8:]
        yield b"\r\n"
    yield f"--{boundary}--\r\n".encode()


def post(shop: Shop, path: str, content: Iterator[bytes]) -> httpx.Response:
    headers = {"Content-Type": "multipart/form-data; boundary=frontier"}
    return shop.client.post(path, content=content, headers=headers)


@pytest.mark.parametrize("path", ["/designs/start-upload", "/designs/"])
def test_a_slow_upload_holds_up_nobody_else(shop: Shop, user: Shop, path: str) -> None:
    """What others ask is asked and answered between two pieces of the body, so in the midst of it."""
    done: list[str] = []

    def trickle() -> Iterator[bytes]:
        for number, piece in enumerate(body(shop, [20])):
            yield piece
            if number % 5 == 2:
                assert user.client.get("/health").json()["status"] == "healthy"
                assert user.client.get("/ready").json()["status"] == "ready"
                assert user.uploaded(artworks.fresh(1))["total"] == 1
                done.append("another's upload")
        done.append("sent")

    assert post(shop, path, trickle()).is_success
    assert done == ["another's upload"] * 5 + ["sent"]


def test_sixty_uploads_that_stand_still_hold_up_nobody_else(shop: Shop, user: Shop) -> None:
    message = wire(shop.request(artworks.designs(1)))
    with contextlib.ExitStack() as open_ones:
        for _ in range(60):
            half = open_ones.enter_context(embedded.connected(shop.server))
            half.sendall(message[: len(message) // 2])
        assert user.client.get("/health").json()["status"] == "healthy"
        assert user.uploaded(artworks.fresh(2))["total"] == 2
    assert shop.uploaded(artworks.designs(1))["total"] == 1


@pytest.fixture
def alone(postgres_url: str, _template: str, tmp_path: Path) -> Iterator[Spawned]:
    """A process of its own, so that its memory is its own."""
    with (
        embedded.place(tmp_path / "data", postgres_url, _template, MAX_UPLOAD_BYTES=str(200 * MIB)) as here,
        embedded.spawned(here, tmp_path / "log") as running,
    ):
        yield running


def peak(server: Spawned) -> int:
    """The most memory that the process ever had, in bytes."""
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    assert found is not None
    return int(found[1]) * 1024


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="no /proc to read a process's memory from")
def test_memory_does_not_grow_with_what_is_uploaded(alone: Spawned) -> None:
    """A file within the limit is another matter: whoever hashes it must have it in memory."""
    with frontend.shop(alone) as shop:
        shop.uploaded([artworks.design(1), ("small.bin", os.urandom(MIB))])
        before = peak(alone)
        counted = post(shop, "/designs/start-upload", body(shop, [100]))
        assert counted.json()["total_size_mb"] == 100
        assert post(shop, "/designs/", body(shop, [300])).json()["skipped"][0]["reason"] == (
            "noise 0.bin: 314.6 MB is more than the 209.8 MB that one file may have; export it smaller"
        )
        assert peak(alone) - before < 50 * MIB
