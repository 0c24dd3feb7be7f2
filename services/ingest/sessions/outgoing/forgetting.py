"""What ingest has sent and nobody asks for any more: rows of the outbox, which would only fill the database.

What became of an upload is told by its files, listings and events. These are kept: they are its receipt.
"""

from datetime import timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, Engine, Select, delete, func, select

from services.ingest.dead_letter_tables import dead_letters
from services.ingest.sessions.tables import outbox, sessions
from shared.contracts import DesignActivityChanged, PairJudged, StoreFile
from shared.database import transaction

AT_ONCE, BATCHES = 5000, 10
"""Rows in a transaction, which is over within a second or so, and transactions in a call. What is left goes at the next
call: a first run on years of rows keeps nobody from the database for long."""

OF_NO_SESSION = (DesignActivityChanged.__name__, PairJudged.__name__, StoreFile.__name__)


def forget(engine: Engine, keep: timedelta, at_once: int = AT_ONCE, batches: int = BATCHES) -> int:
    """Delete what was sent so long ago, of uploads that ended as long ago, or of none. Run by every ingest, hourly.

    A few thousand rows in a transaction, and only some of these in a run: nobody else is to wait for it. What
    `presswork resume` would send again stays, and what a replay that is under way is known by.
    """
    gone = 0
    for _ in range(batches):
        with transaction(engine) as connection:
            found = select(outbox.c.id).where(*_over(keep)).limit(at_once).with_for_update(skip_locked=True)
            deleted = connection.execute(delete(outbox).where(outbox.c.id.in_(found))).rowcount
        gone += deleted
        if deleted < at_once:
            break
    return gone


def last_words() -> Select[tuple[UUID]]:
    """The newest message about each design and each file of a shop, however old: no row says that it has arrived."""
    said = outbox.c.data
    about = (outbox.c.lane, outbox.c.type, outbox.c.tenant_id)
    about += tuple(said[name].astext for name in ("item_id", "shop", "path"))
    newest = (said["revision"].as_integer().desc(), outbox.c.created_at.desc())
    rank = func.row_number().over(partition_by=about, order_by=newest).label("rank")
    sent = (outbox.c.sent_at.is_not(None), outbox.c.type.in_(OF_NO_SESSION))
    ranked = select(outbox.c.id, rank).where(*sent).subquery()
    return select(ranked.c.id).where(ranked.c.rank == 1)


def under_way() -> Select[tuple[UUID]]:
    """The redeliveries whose letters are being replayed."""
    replays = select(dead_letters.c.replay_id).where(dead_letters.c.status == "replaying")
    return select(outbox.c.id).where(outbox.c.sent_at.is_not(None), outbox.c.id.in_(replays))


def _over(keep: timedelta) -> tuple[ColumnElement[bool], ...]:
    before = func.now() - keep
    ended = select(sessions.c.id).where(sessions.c.state == "finished", sessions.c.finished_at < before)
    nobodys = outbox.c.session_id.is_(None) & outbox.c.id.not_in(last_words()) & outbox.c.id.not_in(under_way())
    return outbox.c.sent_at < before, outbox.c.session_id.in_(ended) | nobodys
