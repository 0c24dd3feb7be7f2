"""A session fails when it kills its workers, and not when they lose a connection, are restarted, or wait for a NAS."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from uuid import UUID

import pytest
from sqlalchemy import Engine, NullPool, create_engine, select, text

from services.ingest.broker_standing import BrokerStanding
from services.ingest.lanes import Lanes
from services.ingest.original import LOOSE
from services.ingest.service import build
from services.ingest.sessions.outgoing.fairness import Windows
from services.ingest.sessions.outgoing.outbox import owe
from services.ingest.sessions.recovery.session_locks import SessionLocks
from services.ingest.sessions.recovery.takeovers import MOST_DEATHS, AtWork
from services.ingest.sessions.recovery.unfinished import Unfinished
from services.ingest.sessions.serving.store import Sessions
from services.ingest.sessions.tables import outbox, sessions
from shared.bus.service import Service
from shared.contracts import BatchSubmitted, StoreFile
from shared.errors import Unavailable
from tests.integration.flow.pipeline import until
from tests.integration.ingest.test_session_locks import OTHERS
from tests.integration.ingest.test_sessions import command
from tests.integration.uploads import submitted

LOCKS = """
    SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""
TIMES = MOST_DEATHS + 2


@pytest.fixture
def session_id(engine: Engine) -> UUID:
    return submitted(Sessions(engine, hashers=2), "a.png", "b.png", lane="original")[0].id


def given_up(engine: Engine) -> bool:
    with engine.connect() as connection:
        return "ImageFailed" in connection.execute(select(outbox.c.type)).scalars().all()


def deaths(engine: Engine) -> int:
    with engine.connect() as connection:
        return int(connection.execute(select(sessions.c.takeovers)).scalar_one())


class Outage:
    """A hasher that can't do anything: its blob store is away."""

    def __init__(self) -> None:
        self.asked = 0
        self.service = Service("hasher", prefetch=4)
        self.service.on(self.on_batch_submitted)

    def on_batch_submitted(self, event: BatchSubmitted) -> None:
        self.asked += 1
        raise Unavailable(f"the blob store is away: {event.session_id} waits")


@contextlib.asynccontextmanager
async def replica(engine: Engine, *services: Service) -> AsyncIterator[Lanes]:
    lanes = Lanes(
        engine=engine,
        ingest=build(engine),
        unfinished=Unfinished(engine, 2),
        broker=BrokerStanding(None),
        windows=Windows(4, 4, 100),
        services=services,
    )
    await lanes.start()
    try:
        yield lanes
    finally:
        await lanes.stop(5)


def locked(engine: Engine) -> bool:
    with engine.connect() as connection:
        return int(connection.execute(text(LOCKS)).scalar_one()) > 1  # the session's beside that for what has none


def test_losing_the_database_is_no_death(engine: Engine, database_url: str, session_id: UUID) -> None:
    outage, other = Outage(), create_engine(database_url, poolclass=NullPool)

    async def scenario() -> None:
        async with replica(engine, outage.service):
            await until(lambda: outage.asked and locked(engine))
            for _ in range(TIMES):
                with other.begin() as connection:
                    connection.execute(text(OTHERS)).all()
                await until(lambda: locked(engine))

    asyncio.run(scenario())
    assert not given_up(engine)
    assert deaths(engine) <= 0


def test_a_restart_is_no_death(engine: Engine, session_id: UUID) -> None:
    async def scenario() -> None:
        for _ in range(TIMES):
            outage = Outage()
            async with replica(engine, outage.service):
                await until(lambda: outage.asked)  # noqa: B023 - awaited here

    asyncio.run(scenario())
    assert not given_up(engine)
    assert deaths(engine) <= 0


def test_who_only_waits_for_the_end_of_an_outage_says_so(engine: Engine, session_id: UUID) -> None:
    outage = Outage()

    async def scenario() -> None:
        async with replica(engine, outage.service):
            await until(lambda: deaths(engine) < 0)

    asyncio.run(scenario())


def test_what_belongs_to_no_session_is_sent_by_one_replica_only(engine: Engine, session_id: UUID) -> None:
    kept: list[str] = []

    def on_store_file(event: StoreFile) -> None:
        kept.append(event.path)

    worker, storage, other = Outage(), Service("storage"), SessionLocks(engine)
    storage.on(on_store_file)
    with engine.begin() as connection:
        owe(connection, "original", command())

    async def scenario() -> None:
        assert other.acquire(LOOSE)
        async with replica(engine, worker.service, storage):
            await until(lambda: worker.asked)
            submitted(Sessions(engine, hashers=2), "c.png", lane="original")
            await until(lambda: begun(engine) == 2)  # so all of a round is over
            assert kept == []
            other.close()
            await until(lambda: kept)

    asyncio.run(scenario())
    assert kept == ["a.png"]


def begun(engine: Engine) -> int:
    """Sessions of which something was sent."""
    with engine.connect() as connection:
        sent = select(outbox.c.session_id).where(outbox.c.sent_at.is_not(None), outbox.c.session_id.is_not(None))
        return len(set(connection.execute(sent).scalars()))


@pytest.mark.parametrize("waits", [True, False])
def test_who_dies_counts_unless_it_only_waited(engine: Engine, session_id: UUID, waits: bool) -> None:
    for _ in range(TIMES):
        Unfinished(engine, 2).take_up(session_id)
        at_work = AtWork(engine)
        at_work.sessions.add(session_id)
        if waits:
            at_work.note([])
    assert given_up(engine) is not waits
