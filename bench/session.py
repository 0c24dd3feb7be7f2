"""A whole session over RabbitMQ, from upload to stored, against the image work alone; and what others feel of it."""

import contextlib
import os
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from statistics import quantiles
from tempfile import TemporaryDirectory

import cv2
import httpx
import imagecodecs
import numpy as np

from bench import corpus, hasher, processor
from bench.figures import Figure
from bench.pipeline import require_all
from services.decoding.child import keep_memory
from services.local.process import free_ports
from services.local.system import Plan, system
from tests.seller import File, Seller, artwork

DESIGNS = int(os.environ.get("BENCH_DESIGNS", "200"))
PAUSE_S = 0.02
WARM = 16
"""Designs of print size that are uploaded before the clock runs. Then each of the eight hashers has its decoding child,
and that one its memory: so does the pool that they are measured against.
"""


def figures(home: Path, rounds: int) -> Iterator[Figure]:
    """One session by itself and one beside others: each is long enough for an average, and more would take all day."""
    del rounds
    files = _files(home, DESIGNS)
    with TemporaryDirectory(dir=home) as folder:
        found = _session(Path(folder), files)
    share = _image_work(files) / found.seconds
    name = f"session of {len(files)} designs over RabbitMQ, upload to stored"
    beside = {"s in all": found.seconds, "designs/s": len(files) / found.seconds}
    beside |= {f"{part}, ms of the processor for each": cost for part, cost in found.costs.items()}
    yield Figure(f"{name}, against image work on all cores", "of its speed", (share,), 0.9, beside=beside)
    worst = quantiles(found.health_ms, n=100)[98]
    yield Figure("/health while 200 more are worked on, p99", "ms", (worst,), 50, "at most")
    yield Figure("another seller's single upload meanwhile", "x its time alone", found.other, 2, "at most")


@dataclass
class Found:
    """What was seen. `seconds` and `costs` (by part of the system, for each design) of the session by itself.

    `other`: another seller's uploads beside the second session, in times of one alone.
    """

    seconds: float = 0.0
    costs: dict[str, float] = field(default_factory=dict)
    health_ms: list[float] = field(default_factory=list)
    other: tuple[float, ...] = ()


def _session(folder: Path, files: list[File]) -> Found:
    found, over = Found(), threading.Event()
    (port,) = free_ports(1)
    settings = {"REGISTRATION_RATE_LIMIT": "off", "AMQP_URL": "", "HOST": "127.0.0.1"}
    with contextlib.ExitStack() as stack:
        running = stack.enter_context(system(Plan(folder, port, environment=settings), say=print))
        seller, second, other = (stack.enter_context(Seller(running.base_url, inches=(9.5, 9.5))) for _ in range(3))
        for each in (seller, second, other):
            each.http.timeout = httpx.Timeout(3600)
        other.upload([(f"warm {number}.png", _discs(20_000_000 + number)) for number in range(WARM)])
        alone = min(_single(other, number) for number in range(1, 4))
        parts = {f"{name} {number}": child.pid for (name, number), child in running.processes.children.items()}
        parts |= {server.name: server.process.pid for server in running.servers}
        before, began = processor.seconds(parts), time.monotonic()
        sessions = [seller.upload(files)[0]]
        found.seconds, after = time.monotonic() - began, processor.seconds(parts)
        watching = threading.Thread(target=_watch, args=(running.base_url, over, found))
        beside: list[float] = []
        uploading = threading.Thread(target=_meanwhile, args=(other, over, beside))
        watching.start()
        uploading.start()
        sessions.append(second.upload(files)[0])
        over.set()
        watching.join()
        uploading.join()
        for each, session in zip((seller, second), sessions, strict=True):
            require_all(each.receipt(session), len(files))
    found.costs = processor.summed({name: 1000 * (after[name] - before[name]) / len(files) for name in after})
    found.other = tuple(taken / alone for taken in beside)
    return found


def _watch(base_url: str, over: threading.Event, found: Found) -> None:
    with httpx.Client(base_url=base_url, timeout=60, trust_env=False) as client:
        while not over.wait(PAUSE_S):
            began = time.monotonic()
            client.get("/health").raise_for_status()
            found.health_ms.append(1000 * (time.monotonic() - began))


def _meanwhile(other: Seller, over: threading.Event, beside: list[float]) -> None:
    number = 100
    while not over.wait(1):
        number += 1
        beside.append(_single(other, number))


def _single(seller: Seller, number: int) -> float:
    began = time.monotonic()
    seller.upload([(f"single {number}.png", artwork(10_000_000 + number, (1200, 900)))])
    return time.monotonic() - began


def _image_work(files: list[File]) -> float:
    """Seconds for decoding, hashing and encoding all of them, with a process for each core and nothing else."""
    with ProcessPoolExecutor(os.cpu_count(), mp_context=get_context("spawn"), initializer=_ready) as pool:
        list(pool.map(hasher.ours, [files[0][1]] * (os.cpu_count() or 1)))
        began = time.monotonic()
        for _ in pool.map(hasher.ours, (data for _, data in files)):
            pass
        return time.monotonic() - began


def _ready() -> None:
    keep_memory()
    cv2.setNumThreads(1)


def _files(home: Path, count: int) -> list[File]:
    """Each another picture to the hashes: the corpus turned and mirrored, then discs."""
    folder = home / "session"
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"design {number}.png" for number in range(count)]
    originals = corpus.designs(home)
    for number, path in enumerate(paths):
        if not path.exists():
            path.write_bytes(_turned(originals[number // 8], number % 8) if number < 64 else _discs(number))
    return [(path.name, path.read_bytes()) for path in paths]


def _turned(original: Path, way: int) -> bytes:
    pixels = np.rot90(imagecodecs.spng_decode(original.read_bytes()), way % 4)
    return bytes(imagecodecs.png_encode(np.ascontiguousarray(pixels[::-1] if way >= 4 else pixels), level=3))


def _discs(number: int) -> bytes:
    return bytes(artwork(number, (corpus.SIDE, corpus.SIDE)))
