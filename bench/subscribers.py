"""A thousand who follow uploads at one ingest: when each hears of what happened, and what it costs in memory.

Each of some sessions has its share of them. Then all of these uploads are sent at once.
"""

import asyncio
import json
import os
import resource
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

import httpx

from bench import processor
from bench.figures import Figure
from bench.pipeline import running_system
from bench.recording import INCHES, Recording, recorded
from tests.seller import File, Seller

SUBSCRIBERS = int(os.environ.get("BENCH_SUBSCRIBERS", "1000"))
SESSIONS = 20
FILES = 2  # of each session
BESIDE = 200  # descriptors for what is no subscriber
CONNECT_AT_ONCE = 50
LIMIT_S = 120


def figures(home: Path, rounds: int) -> Iterator[Figure]:
    """Two rounds at most: the system starts anew for each."""
    recording = recorded(home / "recording", SESSIONS * FILES)
    _allow_descriptors(SUBSCRIBERS + BESIDE)  # what we start inherits it
    worst, middle, memory = [], [], []
    for _ in range(min(rounds, 2)):
        with TemporaryDirectory(dir=home) as folder, running_system(Path(folder), recording) as (running, parts):
            delays, kilobytes = _round(running.base_url, parts["ingest 1"], recording)
            worst.append(max(delays))
            middle.append(median(delays))
            memory.append(kilobytes)
    name = f"{SUBSCRIBERS} subscribers of {SESSIONS} uploads at one ingest, the last to hear"
    yield Figure(name, "s after the event", tuple(worst), 1, "at most", {"median, s": median(middle)})
    yield Figure("memory of ingest for each of them", "kB", tuple(memory), 50, "at most")


def _allow_descriptors(wanted: int) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < wanted:
        raise ValueError(f"{wanted} open files are needed, and {hard} are allowed: ulimit -Hn {wanted}")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))


def _round(base_url: str, ingest: int, recording: Recording) -> tuple[list[float], float]:
    """Seconds after which each heard of it; kB of ingest for each."""
    files = recording.files(SESSIONS * FILES)
    shares = [files[number::SESSIONS] for number in range(SESSIONS)]
    with Seller(base_url, inches=INCHES) as seller:
        seller.http.timeout = httpx.Timeout(LIMIT_S)
        sessions = [seller.announce(share) for share in shares]
        return asyncio.run(_followed(base_url, ingest, seller, dict(zip(sessions, shares, strict=True))))


async def _followed(
    base_url: str, ingest: int, seller: Seller, uploads: dict[str, list[File]]
) -> tuple[list[float], float]:
    gate = asyncio.Semaphore(CONNECT_AT_ONCE)
    followers = [_Follower(session) for session in (list(uploads) * SUBSCRIBERS)[:SUBSCRIBERS]]
    few = len(uploads)  # they bring threads, connections to the database and whatever is loaded late
    async with asyncio.timeout(LIMIT_S), asyncio.TaskGroup() as group:
        memory = []
        for some in (followers[:few], followers[few:]):
            for follower in some:
                group.create_task(follower.follow(base_url, seller.token, gate))
            for follower in some:
                await follower.begun.wait()
            memory.append(processor.megabytes(ingest, "VmRSS"))
        await asyncio.to_thread(_upload, seller, uploads)
        at = await asyncio.to_thread(_submitted, seller, list(uploads))
        for follower in followers:
            await follower.heard.wait()
            follower.over.set()
    delays = [follower.at - at[follower.session] for follower in followers]
    return delays, 1000 * (memory[1] - memory[0]) / (len(followers) - few)


def _upload(seller: Seller, uploads: dict[str, list[File]]) -> None:
    with ThreadPoolExecutor(len(uploads)) as threads:
        for answer in threads.map(lambda upload: seller.post(*upload), uploads.items()):
            answer.raise_for_status()


def _submitted(seller: Seller, sessions: Sequence[str]) -> dict[str, float]:
    """When each upload was submitted, by the database's clock, which is this machine's."""
    found = {}
    for session in sessions:
        event = next(event for event in seller.events(session) if event["type"] == "submitted")
        found[session] = datetime.fromisoformat(event["at"]).astimezone(UTC).timestamp()
    return found


@dataclass
class _Follower:
    """One stream. `at` is when the first frame after the one that each stream begins with came."""

    session: str
    begun: asyncio.Event = field(default_factory=asyncio.Event)
    heard: asyncio.Event = field(default_factory=asyncio.Event)
    over: asyncio.Event = field(default_factory=asyncio.Event)
    at: float = 0.0

    async def follow(self, base_url: str, token: str, gate: asyncio.Semaphore) -> None:
        address = urlsplit(base_url)
        async with gate:
            reader, writer = await asyncio.open_connection(address.hostname, address.port)
            path = f"/designs/progress/{self.session}?token={token}"
            writer.write(f"GET {path} HTTP/1.1\r\nHost: {address.netloc}\r\n\r\n".encode())
            told = _frames(reader)
            await anext(told)
            self.begun.set()
        await anext(told)
        self.at = time.time()
        self.heard.set()
        await self.over.wait()
        writer.close()


async def _frames(reader: asyncio.StreamReader) -> AsyncIterator[dict[str, object]]:
    while line := await reader.readline():
        if line.startswith(b"data: ") and (frame := json.loads(line[6:])).get("type") != "keepalive":
            yield frame
