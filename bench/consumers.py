"""1, 2, 4 and 8 hashers that compete for one queue: how much faster than one, and how much memory for all of them.

Real RabbitMQ, real hashers, print-size designs, and nothing else: what they tell is only counted.
"""

import asyncio
import contextlib
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from uuid import uuid4

from bench import corpus, processor
from bench.figures import Figure
from bench.hasher import PLACE, SPEC
from services.local.broker import broker
from services.local.process import NotStarted
from services.ops.management import OFF
from shared.blobs import Blobs
from shared.bus.envelope import Envelope
from shared.bus.rabbit import RabbitBus
from shared.bus.run import start
from shared.bus.service import Service
from shared.contracts import BatchSubmitted, Blob, ImageHashed, UploadedFile

COUNTS = (1, 2, 4, 8)
DESIGNS = int(os.environ.get("BENCH_CONSUMER_DESIGNS", "32"))
WARM = 2  # designs for each hasher, before the clock runs
LIMIT_S = 600


def figures(home: Path, rounds: int) -> Iterator[Figure]:
    """Each number of hashers anew in each round of three at most, so that all see the same machine."""
    designs = [path.read_bytes() for path in corpus.designs(home)]
    rates: dict[int, list[float]] = {count: [] for count in COUNTS}
    memory = []
    with TemporaryDirectory(dir=home) as folder, _broker(Path(folder)) as environment:
        blobs = Blobs(Path(folder, "blobs"))
        uploads = [blobs.put(data) for data in designs]
        for _ in range(min(rounds, 3)):
            for count in COUNTS:
                with _hashers(count, environment) as processes:
                    rates[count].append(_rate(environment["AMQP_URL"], uploads, count))
                    most = sum(processor.memory_mb(each.pid, "VmHWM") for each in processes)
                    memory += [most / count] if count == max(COUNTS) else []
    two = tuple(one / other for one, other in zip(rates[2], rates[1], strict=True))
    eight = tuple(one / other for one, other in zip(rates[8], rates[2], strict=True))
    beside = {f"{count}, designs/s": median(found) for count, found in rates.items()}
    yield Figure("2 hashers against one", "times", two, 1.8, beside=beside)
    yield Figure(f"8 hashers on {os.cpu_count()} cores against 2", "times", eight, 1)
    yield Figure("memory of each of 8 hashers, both processes", "MB at most ever", tuple(memory), 600, "at most")


def _rate(url: str, uploads: Sequence[Blob], hashers: int) -> float:
    """Designs in a second, once every hasher has had work."""
    _timed(url, _batches(uploads, WARM * hashers))
    return DESIGNS / _timed(url, _batches(uploads, DESIGNS))


def _batches(uploads: Sequence[Blob], count: int) -> list[BatchSubmitted]:
    """One design each, of a tenant of its own: what a hasher remembers is for the same tenant only."""
    return [_batch(uploads[number % len(uploads)], number) for number in range(count)]


def _batch(upload: Blob, number: int) -> BatchSubmitted:
    file = UploadedFile(item_id=uuid4(), index=number, filename=f"design {number}.png", upload=upload)
    return BatchSubmitted(
        tenant_id=uuid4(), session_id=uuid4(), batch=number, files=(file,), print_spec=SPEC, destination=PLACE
    )


def _timed(url: str, batches: Sequence[BatchSubmitted]) -> float:
    return asyncio.run(_until_hashed(url, batches))


async def _until_hashed(url: str, batches: Sequence[BatchSubmitted]) -> float:
    """Seconds until all are hashed: heard as dedup hears it."""
    bus, heard = RabbitBus(url, "bench"), _Heard(len(batches))
    service = Service("dedup", prefetch=16)
    service.on(on_image_hashed, heard=heard)
    await start(bus, service)
    try:
        began = time.monotonic()
        await asyncio.gather(*(bus.publish(Envelope(uuid4(), batch, "bench")) for batch in batches))
        if not await asyncio.to_thread(heard.all.wait, LIMIT_S):
            raise TimeoutError(f"{heard.missing} of {len(batches)} designs were not hashed within {LIMIT_S} s")
        return time.monotonic() - began
    finally:
        await bus.stop()


class _Heard:
    """Counts down."""

    def __init__(self, count: int) -> None:
        self.missing = count
        self.all = threading.Event()
        self.lock = threading.Lock()


def on_image_hashed(event: ImageHashed, heard: _Heard) -> None:
    """One less."""
    del event
    with heard.lock:
        heard.missing -= 1
        if not heard.missing:
            heard.all.set()


@contextlib.contextmanager
def _broker(folder: Path) -> Iterator[Mapping[str, str]]:
    """A broker with our queues; yields the settings of a hasher."""
    with broker(folder, use_running=False, throwaway=True, management=False, say=print) as started:
        if started is None:
            raise NotStarted("no RabbitMQ: install rabbitmq-server")
        started.wait()
        settings = {"AMQP_URL": started.url, "MANAGEMENT_URL": OFF, "BLOB_DIR": str(folder / "blobs")}
        environment = {**os.environ, **settings, "LOG_LEVEL": "WARNING"}
        command = [sys.executable, "-m", "services.cli", "init", "--no-database", "--no-nas"]
        subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL)  # noqa: S603 - ourselves
        yield environment


@contextlib.contextmanager
def _hashers(count: int, environment: Mapping[str, str]) -> Iterator[list[subprocess.Popen[bytes]]]:
    command = [sys.executable, "-m", "services.cli", "run", "hasher"]
    processes = [subprocess.Popen(command, env=dict(environment)) for _ in range(count)]  # noqa: S603 - ourselves
    try:
        yield processes
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait()
