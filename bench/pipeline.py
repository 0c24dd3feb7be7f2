"""All that is no image work: whole sessions with a hasher that answers from a recording, from upload to stored.

Broker, PostgreSQL, duplicates, storage on a folder, projection and progress are real. Several sellers upload at once.
"""

import asyncio
import contextlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx

from bench import processor
from bench.figures import Figure
from bench.recording import INCHES, Recording, recorded
from services.local.broker import broker
from services.local.process import NotStarted, free_ports
from services.local.system import Plan, Running, system
from services.ops.broker import consumers
from tests.seller import File, Seller

DESIGNS = int(os.environ.get("BENCH_PIPELINE_DESIGNS", "2000"))
SELLERS = 4
HASHERS = 2
START_LIMIT_S = 60
SETTINGS = {
    "REGISTRATION_RATE_LIMIT": "off",
    "HOST": "127.0.0.1",
    "DATABASE_URL": "",
    "NAS_URL": "",
    "LOG_LEVEL": "WARNING",
}


def figures(home: Path, rounds: int) -> Iterator[Figure]:
    """One run in each round of two at most; each on new folders."""
    recording = recorded(home / "recording", DESIGNS)
    rates, costs = [], []
    for _ in range(min(rounds, 2)):
        with TemporaryDirectory(dir=home) as folder, running_system(Path(folder), recording) as (running, parts):
            rate, cost = _run(running, parts, recording.files(DESIGNS))
            rates.append(rate)
            costs.append(cost)
    beside = {f"{name}, ms of the processor for each": min(cost[name] for cost in costs) for name in costs[0]}
    name = f"pipeline without image work, {DESIGNS} small designs of {SELLERS} sellers, upload to stored"
    yield Figure(name, "designs/s", tuple(rates), 150, beside=beside)


def _run(running: Running, parts: Mapping[str, int], files: list[File]) -> tuple[float, dict[str, float]]:
    """Designs in a second, and the processor's milliseconds for each, by part of the system."""
    with contextlib.ExitStack() as stack:
        sellers = [
            stack.enter_context(Seller(running.base_url, shop_name=f"Shop{number}", inches=INCHES))
            for number in range(SELLERS)
        ]
        for seller in sellers:
            seller.http.timeout = httpx.Timeout(3600)
        shares = [files[number::SELLERS] for number in range(SELLERS)]
        before, own, began = processor.seconds(parts), time.process_time(), time.monotonic()
        with ThreadPoolExecutor(SELLERS) as threads:
            sessions = list(threads.map(lambda pair: pair[0].upload(pair[1])[0], zip(sellers, shares, strict=True)))
        taken = time.monotonic() - began
        after = processor.seconds(parts) | {"client": time.process_time()}
        before |= {"client": own}
        for seller, session, share in zip(sellers, sessions, shares, strict=True):
            require_all(seller.receipt(session), len(share))
    costs = processor.summed({name: 1000 * (after[name] - before[name]) / len(files) for name in after})
    return len(files) / taken, costs


def require_all(receipt: Mapping[str, object], count: int) -> None:
    """Raises ValueError where not all were stored: then nothing was measured."""
    if receipt["stored"] != count:
        raise ValueError(f"not all of {count} designs were stored: {receipt}")


@contextlib.contextmanager
def running_system(folder: Path, recording: Recording) -> Iterator[tuple[Running, dict[str, int]]]:
    """The system with its own broker and database, and the first process of each part."""
    (port,) = free_ports(1)
    shutil.copytree(recording.blobs, folder / "blobs")
    with contextlib.ExitStack() as stack:
        started = stack.enter_context(broker(folder, use_running=False, throwaway=True, management=False, say=print))
        if started is None:
            raise NotStarted("no RabbitMQ: install rabbitmq-server")
        plan = Plan(folder, port, scale={"hasher": 0}, environment={**SETTINGS, "AMQP_URL": started.url})
        started.wait()
        running = stack.enter_context(system(plan, say=print))
        hashers = [stack.enter_context(_hasher(running, recording)) for _ in range(HASHERS)]
        _wait_for(running, len(hashers))
        parts = {f"{name} {number}": child.pid for (name, number), child in running.processes.children.items()}
        parts |= {f"hasher {number}": process.pid for number, process in enumerate(hashers)}
        servers = [*running.servers, *started.servers]
        parts |= {server.name: server.process.pid for server in servers}
        yield running, parts


@contextlib.contextmanager
def _hasher(running: Running, recording: Recording) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "bench.recorded", str(recording.results.absolute())]
    process = subprocess.Popen(command, env=dict(running.environment))  # noqa: S603 - ourselves
    try:
        yield process
    finally:
        process.terminate()
        process.wait()


def _wait_for(running: Running, hashers: int) -> None:
    deadline = time.monotonic() + START_LIMIT_S
    while asyncio.run(consumers(running.environment["AMQP_URL"], ["hasher"]))["hasher"] < hashers:
        if time.monotonic() > deadline:
            raise NotStarted(f"the recorded hashers did not start within {START_LIMIT_S} s")
        time.sleep(0.1)
