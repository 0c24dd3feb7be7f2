"""A pipeline of doubles over a real broker: ingest's relay and projection, and workers with a known service time."""

import asyncio
import contextlib
import functools
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from uuid import UUID, uuid4

from sqlalchemy import Engine

from services.embedded import workers
from services.ingest.bell import Bell
from services.ingest.broker_standing import BrokerStanding
from services.ingest.broker_watch import BrokerWatch
from services.ingest.lanes import Lanes
from services.ingest.service import build
from services.ingest.sessions.lifecycle.records import Session
from services.ingest.sessions.outgoing.fairness import Windows
from services.ingest.sessions.progress.absence import Absence
from services.ingest.sessions.progress.delays import Delays
from services.ingest.sessions.recovery.standstill import PATIENCE_S, Standstill
from services.ingest.sessions.recovery.unfinished import Unfinished
from services.ingest.sessions.serving.store import Sessions
from services.ops.broker import declare, depths
from services.ops.queues import Topology, living, topology
from shared.bus.rabbit import RabbitBus
from shared.bus.service import Service
from shared.contracts import BatchSubmitted, DuplicateFound, ImageHashed, Match
from tests.integration.uploads import PREPARED, choice, received

GENEROUS = Windows(batches=10**6, listings=10**6, files=10**6)


def queues(engine: Engine) -> Topology:
    """Those of the whole system."""
    return topology([build(engine), *workers(hashers=1)])


@dataclass
class Pipeline:
    """`hashers` consumers, each of which takes `seconds` for a file; a dedup that finds every file a duplicate."""

    amqp_url: str
    engine: Engine
    windows: Windows
    hashers: int = 4
    seconds: float = 0.05
    ingests: int = 1
    patience_s: float = PATIENCE_S
    hashed: list[UUID] = field(default_factory=list)
    """Every file that a hasher has looked at, by item, as often as it did."""

    def __post_init__(self) -> None:
        self.sessions = Sessions(self.engine, self.hashers)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """All of it, on queues that are there."""
        async with contextlib.AsyncExitStack() as stack:
            for _ in range(self.ingests):
                await stack.enter_async_context(self.ingest())
            await stack.enter_async_context(self.workers())
            yield

    @contextlib.asynccontextmanager
    async def ingest(self) -> AsyncIterator[Lanes]:
        """One replica."""
        bell = Bell()
        lanes = Lanes(
            engine=self.engine,
            ingest=build(self.engine, bell.ring_soon),
            unfinished=Unfinished(self.engine, self.hashers),
            broker=BrokerStanding(RabbitBus(self.amqp_url, "ingest")),
            windows=self.windows,
            services=[Service("hasher"), Service("dedup")],
            bell=bell,
        )
        standstill, absence = Standstill(self.engine, lanes.unfinished, self.patience_s), Absence(Delays(self.engine))
        asks = functools.partial(depths, self.amqp_url, living(queues(self.engine)))
        await lanes.start()
        watch = asyncio.create_task(BrokerWatch(lanes.broker, standstill, absence, None, asks).run())
        try:
            yield lanes
        finally:
            watch.cancel()
            await asyncio.gather(watch, return_exceptions=True)
            await lanes.stop(5)

    @contextlib.asynccontextmanager
    async def workers(self) -> AsyncIterator[None]:
        """Everything but ingest."""
        buses = [RabbitBus(self.amqp_url, f"double-{number}") for number in range(self.hashers + 1)]
        hasher, dedup = Service("hasher"), Service("dedup", prefetch=4)
        hasher.on(self._on_batch)
        dedup.on(_on_hashed)
        try:
            for bus in buses:
                await bus.connect()
                await bus.consume(dedup if bus is buses[-1] else hasher)
            yield
        finally:
            await asyncio.gather(*(bus.stop(5) for bus in buses))

    def submit(self, tenant: UUID, files: int) -> Session:
        """An upload of so many small files."""
        names = received(*(f"{n}.png" for n in range(files)))
        return self.sessions.submit(tenant, str(uuid4()), choice(), names, "comprehensive")[0]

    def now(self, session: Session) -> Session:
        """The session as it is now."""
        found = self.sessions.get(session.user_id, session.id)
        assert found is not None
        return found

    async def settled(self, session: Session, within_s: float = 60) -> float:
        """Wait until every file has its end state; the seconds since it was submitted."""
        await until(lambda: self.now(session).files_settled, within_s)
        found = self.now(session)
        assert found.settled_at is not None
        assert found.submitted_at is not None
        return (found.settled_at - found.submitted_at).total_seconds()

    def _on_batch(self, batch: BatchSubmitted) -> Iterator[ImageHashed]:
        for file in batch.files:
            time.sleep(self.seconds)  # the service time
            self.hashed.append(file.item_id)
            facts = PREPARED | {"destination": batch.destination}
            yield ImageHashed.model_validate(
                file.model_dump() | batch.model_dump(include={"tenant_id", "session_id"}) | facts
            )


def _on_hashed(event: ImageHashed) -> Iterator[DuplicateFound]:
    same = {"kind": "near", "distance": 0, "match": Match(source="nas"), "reason": "the same as another"}
    identity = {"tenant_id", "session_id", "item_id", "index", "generation", "filename"}
    yield DuplicateFound.model_validate(event.model_dump(include=identity) | same)


async def until(ask: Callable[[], object], within_s: float = 60) -> None:
    """Ask, in a thread, until the answer is true."""
    async with asyncio.timeout(within_s):
        while not await asyncio.to_thread(ask):  # noqa: ASYNC110 - what is asked is a database or a broker
            await asyncio.sleep(0.05)


async def prepared(amqp_url: str, engine: Engine) -> None:
    """The queues are there."""
    await declare(amqp_url, queues(engine))
