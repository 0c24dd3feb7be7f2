"""An inbox that is full refuses what comes: relay and workers keep it and wait. Nothing is lost, and it ends."""

import asyncio
from dataclasses import replace
from uuid import uuid4

import pytest
from sqlalchemy import Engine, func, select

from services.ingest.sessions.tables import outbox
from services.ops.broker import declare
from services.ops.queues import Topology
from tests.integration.flow.pipeline import GENEROUS, Pipeline, queues, until

FILES = 60


def short(found: Topology, *names: str) -> Topology:
    """The same with room for one message in some of the queues."""
    return replace(
        found,
        queues=tuple(
            replace(queue, arguments={**queue.arguments, "x-max-length": 1}) if queue.name in names else queue
            for queue in found.queues
        ),
    )


@pytest.mark.parametrize("queue", ["presswork.hasher", "presswork.dedup"])
def test_what_a_full_inbox_refuses_waits_and_arrives(amqp_url: str, engine: Engine, queue: str) -> None:
    pipeline = Pipeline(amqp_url, engine, GENEROUS, hashers=2, seconds=0.02)

    async def scenario() -> None:
        await declare(amqp_url, short(queues(engine), queue))
        session = await asyncio.to_thread(pipeline.submit, uuid4(), FILES)
        if queue == "presswork.hasher":  # nobody takes anything out of it at first, so it fills up
            async with pipeline.ingest():
                await until(lambda: refusals(engine))
        async with pipeline.running():
            await pipeline.settled(session)
        assert pipeline.now(session).totals.duplicate == FILES

    asyncio.run(scenario())
    assert len(set(pipeline.hashed)) == FILES


def refusals(engine: Engine) -> int:
    """Tries that the broker refused, as the outbox has them on record."""
    with engine.connect() as connection:
        refused = outbox.c.last_error.contains("refused")
        return int(connection.execute(select(func.count()).where(refused, outbox.c.attempts > 0)).scalar_one())
