"""What overtakes all queues is owed until nothing of it is only in memory."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from uuid import UUID

import pytest
from sqlalchemy import Engine, select

from services.ingest.ahead import Ahead
from services.ingest.dead_letter_tables import dead_letters
from services.ingest.service import build
from services.ingest.sessions.outgoing.outbox import AHEAD
from services.ingest.sessions.serving.store import Sessions
from services.ingest.sessions.tables import outbox
from shared.bus.retry import RetryPolicy
from shared.bus.service import Service
from shared.contracts import ImageAccepted, WorkCancelled
from shared.errors import Elsewhere, Permanent, Retryable, Unavailable
from tests.integration.flow.pipeline import until
from tests.integration.uploads import PREPARED, USER, about, submitted

NEVER, SOON = 3600.0, 0.05


def cancelled(engine: Engine, lane: str = "comprehensive") -> ImageAccepted:
    """Two files, the first of which was just cancelled; what dedup says of the other, then."""
    sessions = Sessions(engine, hashers=2)
    session, files = submitted(sessions, "a.png", "b.png", lane=lane)
    sessions.cancel(USER, session.id, files[0].item_id)
    return ImageAccepted(**about(session, files[1], generation=1), **PREPARED)


def failing(*errors: Exception, again_s: float) -> tuple[Service, list[WorkCancelled]]:
    """Storage, whose handler fails with each of the errors before it does its work."""
    left, done = iter(errors), list[WorkCancelled]()

    def on_work_cancelled(event: WorkCancelled) -> None:
        if error := next(left, None):
            raise error
        done.append(event)

    service = Service("storage", RetryPolicy((again_s,)))
    service.on(on_work_cancelled)
    return service, done


def deciding(answer: ImageAccepted) -> Service:
    def on_work_cancelled(event: WorkCancelled) -> Iterator[ImageAccepted]:
        yield answer

    service = Service("dedup")
    service.on(on_work_cancelled)
    return service


def owed(engine: Engine, lane: str) -> list[str]:
    with engine.connect() as connection:
        rows = select(outbox.c.type).where(outbox.c.lane == lane, outbox.c.sent_at.is_(None))
        return [name for name in connection.execute(rows).scalars() if name != "BatchSubmitted"]


def overtaking(engine: Engine, scenario: Callable[[Ahead], Coroutine[None, None, None]], *services: Service) -> None:
    async def run() -> None:
        ahead = Ahead(engine, services, build(engine), asyncio.Event(), "original", lambda: None)
        await ahead.send()
        try:
            await scenario(ahead)
        finally:
            await ahead.stop()

    asyncio.run(run())


def test_it_is_owed_while_it_waits_to_be_tried_again_and_the_next_process_does_it(engine: Engine) -> None:
    cancelled(engine)
    storage, done = failing(Retryable("deadlock"), again_s=NEVER)

    async def tried_once(ahead: Ahead) -> None:
        await until(lambda: ahead.waiting)
        assert owed(engine, AHEAD) == ["WorkCancelled"]
        await ahead.send()
        assert done == [], "not before its time"

    overtaking(engine, tried_once, storage)
    assert owed(engine, AHEAD) == ["WorkCancelled"]

    async def handled(ahead: Ahead) -> None:
        await until(lambda: not owed(engine, AHEAD))

    overtaking(engine, handled, storage)
    assert len(done) == 1


def test_it_is_tried_again_here_until_it_is_done(engine: Engine) -> None:
    cancelled(engine)
    storage, done = failing(Retryable("deadlock"), again_s=SOON)

    async def handled(ahead: Ahead) -> None:
        await until(lambda: not owed(engine, AHEAD))

    overtaking(engine, handled, storage)
    assert len(done) == 1


@pytest.mark.parametrize("lane", ["comprehensive", "original"])
def test_what_is_decided_anew_is_owed_to_its_own_lane_before_the_news_counts_as_told(engine: Engine, lane: str) -> None:
    answer = cancelled(engine, lane)
    storage, _ = failing(Retryable("deadlock"), again_s=NEVER)

    async def answered(ahead: Ahead) -> None:
        await until(lambda: ahead.waiting)
        assert owed(engine, AHEAD) == ["WorkCancelled"]

    overtaking(engine, answered, deciding(answer), storage)
    with engine.connect() as connection:
        row = connection.execute(select(outbox).where(outbox.c.type == "ImageAccepted")).one()
    assert (row.lane, row.session_id, row.sent_at) == (lane, None, None), "though its own session may have ended"
    assert UUID(row.data["item_id"]) == answer.item_id


def test_what_fails_for_good_is_kept_as_a_dead_letter_before_it_is_owed_no_more(engine: Engine) -> None:
    cancelled(engine)
    storage, _ = failing(Permanent("never"), again_s=SOON)

    async def buried(ahead: Ahead) -> None:
        await until(lambda: not owed(engine, AHEAD))

    overtaking(engine, buried, storage)
    with engine.connect() as connection:
        letter = connection.execute(select(dead_letters.c.service, dead_letters.c.message_type)).one()
    assert tuple(letter) == ("storage", "WorkCancelled")


def test_work_for_a_shops_own_nas_waits_for_that_one_in_a_branch(engine: Engine) -> None:
    cancelled(engine)
    branch, done = failing(Unavailable("no NAS"), again_s=SOON)
    branch.queue = "presswork.storage.nas.southcups"
    storage, _ = failing(Elsewhere(branch.queue), again_s=NEVER)
    storage.branches = (branch,)

    async def handled(ahead: Ahead) -> None:
        await until(lambda: not owed(engine, AHEAD))

    overtaking(engine, handled, storage)
    assert len(done) == 1
