"""One tenant's many files don't hold up another's few. Over a real broker."""

import asyncio
from collections.abc import Callable
from uuid import UUID, uuid4

from sqlalchemy import Engine, select

from services.ingest.sessions.outgoing.fairness import Windows
from services.ingest.sessions.tables import outbox
from tests.integration.flow.pipeline import GENEROUS, Pipeline, prepared, until

MANY, FEW = 400, 3
FAIR = Windows(batches=8, listings=8, files=1000)


async def many_then_few(pipeline: Pipeline) -> int:
    """How many files of a large upload were hashed before a small one that came after it was settled."""
    await prepared(pipeline.amqp_url, pipeline.engine)
    async with pipeline.running():
        large = await asyncio.to_thread(pipeline.submit, uuid4(), MANY)
        await until(lambda: pipeline.hashed)
        small = await asyncio.to_thread(pipeline.submit, uuid4(), FEW)
        await pipeline.settled(small)
        first = len(pipeline.hashed) - FEW
        await pipeline.settled(large)
    assert len(pipeline.hashed) == MANY + FEW, "nothing was done twice"
    return first


def test_few_files_are_settled_long_before_many_that_came_first(
    amqp_url: str, engine: Engine, record_property: Callable[[str, object], None]
) -> None:
    without, with_turns = (asyncio.run(many_then_few(Pipeline(amqp_url, engine, each))) for each in (GENEROUS, FAIR))
    record_property("hashed before the few", {"with turns": with_turns, "without": without})
    assert without > MANY * 0.9, "the broker's queue alone is first come, first served"
    assert with_turns < MANY / 4


def test_replicas_keep_to_the_window_together_and_a_restart_forgets_nothing(amqp_url: str, engine: Engine) -> None:
    pipeline = Pipeline(amqp_url, engine, FAIR)
    tenants = [uuid4() for _ in range(3)]

    async def scenario() -> None:
        await prepared(amqp_url, engine)
        for tenant in tenants:
            pipeline.submit(tenant, 100)
        for _ in range(2):  # no worker: what is sent stays in flight
            async with pipeline.ingest() as first, pipeline.ingest() as second:
                await until(lambda: first.broker.connected and second.broker.connected)
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
