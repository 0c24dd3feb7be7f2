"""One tenant's many files don't hold up another's few, and nobody's hashers idle for it. Over a real broker."""

import asyncio
from collections.abc import Callable, Iterator
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Engine, select

from services.ingest.sessions.fairness import Windows
from services.ingest.sessions.tables import outbox
from shared.database import engine_of
from tests.integration.flow.pipeline import GENEROUS, Pipeline, prepared, until

MANY, FEW = 400, 3
FAIR = Windows(batches=8, listings=8, files=1000)


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    engine = engine_of(database_url, pool_size=20)
    yield engine
    engine.dispose()


async def many_then_few(pipeline: Pipeline) -> tuple[float, float]:
    """How long the large upload took, and the small one that came when the large one was under way."""
    await prepared(pipeline.amqp_url, pipeline.engine)
    async with pipeline.running():
        large = await asyncio.to_thread(pipeline.submit, uuid4(), MANY)
        await until(lambda: pipeline.hashed)
        small = await asyncio.to_thread(pipeline.submit, uuid4(), FEW)
        few = await pipeline.settled(small)
        many = await pipeline.settled(large)
    assert len(pipeline.hashed) == MANY + FEW, "nothing was done twice"
    return many, few


def test_few_files_are_settled_long_before_many_that_came_first_and_the_many_lose_no_time(
    amqp_url: str, engine: Engine, record_property: Callable[[str, object], None]
) -> None:
    many_without, few_without = asyncio.run(many_then_few(Pipeline(amqp_url, engine, GENEROUS)))
    many, few = asyncio.run(many_then_few(Pipeline(amqp_url, engine, FAIR)))
    record_property("seconds", {"with turns": (many, few), "without": (many_without, few_without)})
    assert few_without > many_without / 2, "the broker's queue alone is first come, first served"
    assert few < many / 4
    assert many < many_without * 1.25, "a few per cent, and what else this machine does"


def test_replicas_keep_to_the_window_together_and_a_restart_forgets_nothing(amqp_url: str, engine: Engine) -> None:
    pipeline = Pipeline(amqp_url, engine, FAIR)
    tenants = [uuid4() for _ in range(3)]

    async def scenario() -> None:
        await prepared(amqp_url, engine)
        for tenant in tenants:
            pipeline.submit(tenant, 100)
        for _ in range(2):  # no worker: what is sent stays in flight
            async with pipeline.ingest() as first, pipeline.ingest() as second:
                await until(lambda: first.broker_connected and second.broker_connected)
                for _ in range(5):
                    first.bell.ring()
                    second.bell.ring()
                    await until(lambda: sum(sent(engine)) >= 9)

    asyncio.run(scenario())
    assert sent(engine) == [3, 3, 3], "a third of eight, rounded up"


def sent(engine: Engine) -> list[int]:
    """Batches that were sent, by tenant."""
    with engine.connect() as connection:
        rows: list[UUID] = list(
            connection.execute(select(outbox.c.tenant_id).where(outbox.c.sent_at.is_not(None))).scalars()
        )
    return sorted(rows.count(tenant) for tenant in set(rows))
