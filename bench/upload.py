"""Large uploads against reading them and throwing them away, in one server and by one client."""

import contextlib
import hashlib
import http.client
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from bench import processor
from bench.figures import Figure
from services.local.process import free_ports

MIB = 1 << 20
SHAPES = {"one file of 1 GiB": [1024], "100 files of 10 MB in one request": [10] * 100}  # MiB of each file
START_LIMIT_S = 60
ANSWER_LIMIT_S = 600


def figures(home: Path, rounds: int) -> Iterator[Figure]:
    """Both shapes; what is kept is deleted after each round."""
    with TemporaryDirectory(dir=home) as folder, _serving(Path(folder, "blobs")) as (port, pid):
        noise = os.urandom(MIB)
        _send(port, "/keep", [1], noise)  # loads what is loaded with the first upload
        for name, sizes in SHAPES.items():
            before = processor.megabytes(pid, "VmHWM")
            taken: dict[str, list[float]] = {"/discard": [], "/keep": []}
            for _ in range(rounds):
                for path, seconds in taken.items():
                    seconds.append(_send(port, path, sizes, noise))
                    shutil.rmtree(Path(folder, "blobs"), ignore_errors=path == "/discard")
            shares = tuple(one / other for one, other in zip(taken["/discard"], taken["/keep"], strict=True))
            taken["/write alone"] = [_written(Path(folder, "alone"), sizes, noise) for _ in range(rounds)]
            taken["/hash alone"] = [_hashed(sizes, noise) for _ in range(rounds)]
            rates = {f"{path[1:]}, MB/s": sum(sizes) * MIB / 1e6 / median(seconds) for path, seconds in taken.items()}
            yield Figure(f"upload of {name}, against discarding it", "of its speed", shares, 0.6, beside=rates)
            growth = processor.megabytes(pid, "VmHWM") - before
            yield Figure(f"memory for the upload of {name}", "MB more", (growth,), 50, "at most")


def _written(folder: Path, sizes: list[int], noise: bytes) -> float:
    """Seconds for writing and syncing the same bytes, and nothing else."""
    folder.mkdir()
    began = time.monotonic()
    for number, size in enumerate(sizes):
        with (folder / str(number)).open("wb") as file:
            for mebibyte in range(size):
                file.write((number << 32 | mebibyte).to_bytes(8, "big") + noise[8:])
            file.flush()
            os.fsync(file.fileno())
    taken = time.monotonic() - began
    shutil.rmtree(folder)
    return taken


def _hashed(sizes: list[int], noise: bytes) -> float:
    """Seconds for the SHA-256 of the same bytes, and nothing else: a file's is made by one core."""
    began = time.monotonic()
    for size in sizes:
        digest = hashlib.sha256()
        for _ in range(size):
            digest.update(noise)
    return time.monotonic() - began


@contextlib.contextmanager
def _serving(folder: Path) -> Iterator[tuple[int, int]]:
    """The server's port and process."""
    (port,) = free_ports(1)
    command = [sys.executable, "-m", "uvicorn", "bench.receiving:app", "--port", str(port), "--log-level", "warning"]
    server = subprocess.Popen(command, env={**os.environ, "BENCH_BLOBS": str(folder)})  # noqa: S603 - ourselves
    try:
        deadline = time.monotonic() + START_LIMIT_S
        while True:
            try:
                _send(port, "/discard", [], b"")
                break
            except ConnectionError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)
        yield port, server.pid
    finally:
        server.terminate()
        server.wait()


def _send(port: int, path: str, sizes: list[int], noise: bytes) -> float:
    """Seconds until the answer, which has to say that every byte arrived."""
    headers = {"Content-Type": "multipart/form-data; boundary=frontier", "Content-Length": str(_length(sizes))}
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=ANSWER_LIMIT_S)) as connection:
        began = time.monotonic()
        connection.request("POST", path, body=_body(sizes, noise), headers=headers)
        size = int(connection.getresponse().read())
        taken = time.monotonic() - began
    if size < sum(sizes) * MIB:
        raise ValueError(f"{path} received {size} bytes")
    return taken


def _body(sizes: list[int], noise: bytes) -> Iterator[bytes]:
    for number, size in enumerate(sizes):
        yield _head(number)
        for mebibyte in range(size):
            yield (number << 32 | mebibyte).to_bytes(8, "big") + noise[8:]
        yield b"\r\n"
    yield b"--frontier--\r\n"


def _head(number: int) -> bytes:
    part = f'Content-Disposition: form-data; name="files"; filename="noise {number}.bin"'
    return f"--frontier\r\n{part}\r\nContent-Type: image/png\r\n\r\n".encode()


def _length(sizes: list[int]) -> int:
    return sum(len(_head(number)) + size * MIB + 2 for number, size in enumerate(sizes)) + len(b"--frontier--\r\n")
