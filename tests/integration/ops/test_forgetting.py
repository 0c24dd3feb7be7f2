"""What was sent long ago and nobody needs is forgotten; what somebody may need is not."""

from datetime import timedelta
from uuid import UUID, uuid4

from sqlalchemy import Engine, func, select, update

from services.ingest.dead_letter_tables import dead_letters
from services.ingest.sessions.outgoing.forgetting import forget
from services.ingest.sessions.outgoing.outbox import owe, owe_redelivery
from services.ingest.sessions.tables import outbox, sessions
from services.ops.resume import resume_others
from shared.contracts import DesignActivityChanged, MockupFailed, WorkCancelled
from shared.database import transaction
from tests.integration.ops.letterbox import Letterbox

KEEP = timedelta(days=30)


def session(engine: Engine, state: str, ended_days_ago: int | None) -> UUID:
    session_id = uuid4()
    ended = None if ended_days_ago is None else func.now() - timedelta(days=ended_days_ago)
    row = {"id": session_id, "user_id": uuid4(), "client_key": str(session_id), "state": state, "lane": "comprehensive"}
    with transaction(engine) as connection:
        connection.execute(sessions.insert().values(**row, finished_at=ended))
    return session_id


def refused(engine: Engine, session_id: UUID) -> UUID:
    """A message of a session."""
    message_id = uuid4()
    facts = {"tenant_id": uuid4(), "item_id": uuid4(), "index": 0, "filename": "a.png", "mockup_id": uuid4()}
    event = MockupFailed.model_validate(facts | {"session_id": session_id, "reason": "no room"})
    with transaction(engine) as connection:
        owe(connection, "comprehensive", event, message_id=message_id)
    return message_id


def of_none(engine: Engine, message: WorkCancelled | DesignActivityChanged) -> UUID:
    message_id = uuid4()
    with transaction(engine) as connection:
        owe(connection, "comprehensive", message, message_id=message_id, outlives=True)
    return message_id


def sent(engine: Engine, days_ago: int, *but: UUID) -> None:
    with transaction(engine) as connection:
        these = update(outbox).where(outbox.c.sent_at.is_(None), outbox.c.id.not_in(but))
        connection.execute(these.values(sent_at=func.now() - timedelta(days=days_ago)))


def kept(engine: Engine) -> set[UUID]:
    with engine.connect() as connection:
        return set(connection.execute(select(outbox.c.id)).scalars())


def test_what_was_sent_for_uploads_that_ended_long_ago_goes(engine: Engine) -> None:
    long_over = session(engine, "finished", 40)
    old = [refused(engine, long_over) for _ in range(5)]
    owed = refused(engine, long_over)
    young = [refused(engine, session(engine, *state)) for state in (("finished", 20), ("working", None))]
    sent(engine, 60, owed)
    lately = refused(engine, long_over)  # for a listing that somebody asked for once more
    sent(engine, 1, owed)
    assert forget(engine, KEEP, at_once=2, batches=2) == 4
    assert len(kept(engine) & set(old)) == 1, "so much at a time and no more"
    assert forget(engine, KEEP, at_once=2) == 1
    assert kept(engine) == {owed, lately, *young}


def test_what_resume_sends_again_stays(engine: Engine, box: Letterbox) -> None:
    tenant, design = uuid4(), uuid4()
    word = DesignActivityChanged(tenant_id=tenant, item_id=design, is_active=False, revision=1)
    overtaken = of_none(engine, word)
    last = of_none(engine, word.model_copy(update={"revision": 2}))
    cancelled = of_none(
        engine, WorkCancelled(tenant_id=tenant, session_id=uuid4(), reason="cancelled by you", files=())
    )
    over, under_way = uuid4(), uuid4()
    for replay_id in (over, under_way):
        with transaction(engine) as connection:
            owe_redelivery(connection, "comprehensive", "storage", b"lost", {}, replay_id)
    letter = box.dies("storage", word)
    with transaction(engine) as connection:
        replaying = update(dead_letters).where(dead_letters.c.id == letter)
        connection.execute(replaying.values(status="replaying", replay_id=under_way))
    sent(engine, 60)
    before = resume_others(engine, dry_run=True)
    assert forget(engine, KEEP) == 3
    assert not kept(engine) & {overtaken, cancelled, over}
    assert kept(engine) == {last, under_way}
    assert resume_others(engine, dry_run=True) == before
