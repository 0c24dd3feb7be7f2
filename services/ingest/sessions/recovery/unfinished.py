"""From the item rows back to the messages that would finish them, for a lane whose queues are gone.

The original lane's die with their process, and the next one takes its sessions up. A broker's may be lost with its
disk, or the database may be restored from a backup: `presswork resume` owes everything again that is unfinished.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, Connection, Engine, Row, delete, exists, select, update

from services.ingest.sessions.intake.submitting import failed_before, failure, refusal, work
from services.ingest.sessions.lifecycle.duplicate_originals import is_copy_of
from services.ingest.sessions.lifecycle.projection import mockups_requested, request_id
from services.ingest.sessions.outgoing.fairness import BATCH, MOCKUPS
from services.ingest.sessions.outgoing.outbox import owe
from services.ingest.sessions.progress.delays import wait_no_more
from services.ingest.sessions.recovery.takeovers import taken_over
from services.ingest.sessions.states import IN_WORK, LISTING_IN_WORK
from services.ingest.sessions.tables import NOW, items, listings, outbox, sessions
from shared.bus.envelope import Envelope
from shared.contracts import Message
from shared.database import transaction

WORK = (BATCH, MOCKUPS, "ImageRejected", "ImageFailed")
DIED_OVER_IT = (
    "the server died several times while it worked on this upload, perhaps over this file: export it again, smaller, "
    "or upload it alone"
)


@dataclass(frozen=True)
class Unfinished:
    """The sessions of a lane that still have something to do."""

    engine: Engine
    hashers: int

    def sessions(self, lane: str) -> list[UUID]:
        """The ids of these sessions, oldest first."""
        working = (
            select(sessions.c.id)
            .where(sessions.c.lane == lane, sessions.c.state == "working")
            .order_by(sessions.c.submitted_at)
        )
        with transaction(self.engine) as connection:
            return list(connection.execute(working).scalars())

    def contradicted(self, lane: str) -> list[UUID]:
        """Sessions that have ended with a duplicate of what is no design itself, oldest first.

        Dedup decided about that file anew when its original failed, and the new verdict was lost on its way. If the
        original was tried again since, it is a duplicate of that file now, and neither is stored.
        """
        ended = (
            select(sessions.c.id)
            .where(sessions.c.lane == lane, sessions.c.state == "finished")
            .where(exists().where(items.c.session_id == sessions.c.id, _COPY_OF_NO_DESIGN))
            .order_by(sessions.c.submitted_at)
        )
        with transaction(self.engine) as connection:
            return list(connection.execute(ended).scalars())

    def begun(self, session_id: UUID) -> bool:
        """Whether anything was ever sent for a session: if not, its outbox rows are all there is to send."""
        sent = select(exists().where(outbox.c.session_id == session_id, outbox.c.sent_at.is_not(None)))
        with transaction(self.engine) as connection:
            return bool(connection.execute(sent).scalar_one())

    def take_up(self, session_id: UUID, *, by_another: bool = True) -> list[Envelope]:
        """Owe what is unfinished in a session whose last worker is gone, and return it.

        When too many died over it in a row, what is unfinished fails (`takeovers.py`). A worker that only lost its lock
        is not `another`.
        """
        with transaction(self.engine) as connection:
            given_up = by_another and not taken_over(connection, session_id)
            return self._owe_again(connection, session_id, _failures if given_up else self._messages)

    def resume(self, session_id: UUID) -> list[Envelope]:
        """Owe what is unfinished in a session, in place of what was owed and what was sent; return it.

        Work that is still in flight is done only once: its consumers recognise what they did.
        """
        with transaction(self.engine) as connection:
            return self._owe_again(connection, session_id, self._messages)

    def messages(self, session_id: UUID) -> list[Envelope]:
        """What would make a session go on. Consumers recognise what they did before."""
        with transaction(self.engine) as connection:
            return list(self._messages(connection, session_id))

    def _owe_again(self, connection: Connection, session_id: UUID, unfinished: "Find") -> list[Envelope]:
        # Locked: what somebody owes at this moment, whom we would not see at work, would be deleted with what was owed.
        # That this comes first is no circle: after it no item, listing or letter is locked, they are only read.
        this = select(sessions.c.lane).where(sessions.c.id == session_id).with_for_update()
        lane = connection.execute(this).scalar_one()
        found = list(unfinished(connection, session_id))
        # What is being sent at this moment is locked: it is waited for, and then counts as sent.
        before = (outbox.c.session_id == session_id, outbox.c.type.in_(WORK))
        connection.execute(delete(outbox).where(*before, outbox.c.sent_at.is_(None)))
        # What was sent counts as done: else it would keep a place in its tenant's window beside what is owed instead.
        connection.execute(update(outbox).where(*before, outbox.c.done_at.is_(None)).values(done_at=NOW))
        for envelope in found:
            owe(connection, lane, envelope.message, message_id=envelope.id)
        wait_no_more(connection, session_id)
        return found

    def _messages(self, connection: Connection, session_id: UUID) -> Iterator[Envelope]:
        session = connection.execute(select(sessions).where(sessions.c.id == session_id)).one()
        of_session = select(items).where(items.c.session_id == session_id).order_by(items.c.index)
        rows = connection.execute(of_session).all()
        asked = connection.execute(select(listings).where(listings.c.session_id == session_id, _PENDING)).all()
        untrue = select(exists().where(items.c.session_id == session_id, _COPY_OF_NO_DESIGN))
        if any(row.state in IN_WORK for row in rows) or connection.execute(untrue).scalar_one():
            yield from (_envelope(session_id, message) for message in _work(session, rows, self.hashers))
        designs = {row.id: row for row in rows if row.state == "stored"}
        for listing in asked:
            if listing.item_id in designs:
                request = mockups_requested(designs[listing.item_id], listing)
                yield Envelope(request_id(listing), request, "ingest", str(session_id))


Find = Callable[[Connection, UUID], Iterator[Envelope]]
"""What is owed for a session: what makes it go on, or what ends it."""
_COPY_OF_NO_DESIGN = is_copy_of(("duplicate", "rejected"))
_PENDING: ColumnElement[bool] = listings.c.state.in_(LISTING_IN_WORK)


def _failures(connection: Connection, session_id: UUID) -> Iterator[Envelope]:
    """The messages that end everything that is unfinished in a session."""
    unsettled = select(items).where(items.c.session_id == session_id, items.c.state.in_(IN_WORK))
    for row in connection.execute(unsettled):
        yield _envelope(session_id, failure(row, "hasher", DIED_OVER_IT))
    pending = select(items, listings.c.mockup_id, listings.c.generation.label("request")).join(listings)
    pending = pending.where(items.c.session_id == session_id, items.c.state == "stored")
    for row in connection.execute(pending.where(_PENDING)):
        end = failure(row, "mockup", DIED_OVER_IT, mockup_id=row.mockup_id)
        yield _envelope(session_id, end.model_copy(update={"generation": row.request}))


def _work(session: Row[Any], rows: Sequence[Row[Any]], hashers: int) -> Iterator[Message]:
    """Every file, the settled too: storage numbers a file when it knows all files before it.

    And the stored: the message that gave several files their numbers answers for all of them, whenever it comes again.
    """
    for row in rows:
        if row.state == "failed":
            yield failed_before(row)
        elif "refused" in row.facts:
            yield refusal(row)
    given_up = {row.id for row in rows if row.state == "failed" and "failed_stage" in row.facts}
    yield from work(session, [row for row in rows if row.id not in given_up], hashers)


def _envelope(session_id: UUID, message: Message) -> Envelope:
    return Envelope(uuid4(), message, "ingest", str(session_id))
