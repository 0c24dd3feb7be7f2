"""`presswork resume`: owe the broker everything again that is unfinished, from the rows of sessions and items.

It writes to the outbox only. Whichever ingest runs sends from there, in fair turns, as soon as the broker is there.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID, uuid5

from sqlalchemy import Connection, Engine, func, select, update

from services.ingest.lane_choice import COMPREHENSIVE
from services.ingest.many_ids import any_of
from services.ingest.sessions.intake.submitting import failed_before
from services.ingest.sessions.outgoing.forgetting import last_words, under_way
from services.ingest.sessions.outgoing.outbox import REDELIVERY, owe
from services.ingest.sessions.recovery.unfinished import Unfinished
from services.ingest.sessions.states import IN_WORK
from services.ingest.sessions.tables import items, outbox, sessions
from services.ops.place import database, end, hashers, why_no_broker
from services.ops.strays import in_words, strays
from services.ops.uploads import upload
from services.plurals import counted
from shared.bus.envelope import Envelope
from shared.contracts import (
    BatchSubmitted,
    DesignActivityChanged,
    ImageFailed,
    ImageRejected,
    MockupsRequested,
    PairJudged,
    StoreFile,
)
from shared.database import transaction

KINDS = {
    DesignActivityChanged.__name__: "on designs taken out of use or back",
    PairJudged.__name__: "on near duplicates kept or skipped",
    StoreFile.__name__: "with files that the NAS keeps for a shop",
    REDELIVERY: "replayed",
    ImageFailed.__name__: "on files that failed or were cancelled",
}


@dataclass(frozen=True)
class Resumed:
    """What was owed again for one session."""

    session_id: UUID
    files: int
    """How many are sent again, the settled too: storage must know of all files before one to number that."""
    in_work: int
    listings: int

    def __str__(self) -> str:
        others = " (the others keep their ends)" if self.in_work < self.files else ""
        files = f"{counted(self.files, 'file')}, {self.in_work} of them in work{others}"
        return f"{self.session_id}: {files}, {counted(self.listings, 'listing')}"


def command(session: str | None, data: Path, *, dry_run: bool) -> str:
    """Resume, and say in words what came of it."""
    with database(data) as engine:
        wanted = [_known(engine, session)] if session else None
        found = resume(engine, hashers(data), wanted, dry_run=dry_run)
        others = Counter[str]() if session else resume_others(engine, dry_run=dry_run)
        unknown = "" if session else in_words(strays(engine))
    sent = "once it is started with a broker (without --embedded)" if why_no_broker(data) else "now"
    return "\n".join(filter(None, [summary(found, others, sent, dry_run=dry_run), unknown]))


def resume(
    engine: Engine, hashers: int, wanted: Sequence[UUID] | None = None, *, dry_run: bool = False
) -> list[Resumed]:
    """Owe again what is unfinished in these sessions, or in all of the comprehensive lane.

    Each session is a transaction of its own. Running it twice, or while the work is in flight, does nothing twice.

    Raises:
        Unavailable: the database is away; the sessions before that were resumed.
    """
    unfinished = Unfinished(engine, hashers)
    everything = (unfinished.sessions, unfinished.contradicted)
    ids = [each for find in everything for each in find(COMPREHENSIVE)] if wanted is None else wanted
    found = []
    for session_id in ids:
        owed = unfinished.messages(session_id) if dry_run else unfinished.resume(session_id)
        if owed:
            found.append(_resumed(engine, session_id, owed))
    return found


def resume_others(engine: Engine, *, dry_run: bool = False) -> Counter[str]:
    """Owe again what no session waits for and nobody would miss aloud; return how many messages of each kind.

    No row says whether its takers had it, so it is the last word on every design and every file of a shop, whenever it
    was said, and each redelivery that is under way. And that a file has failed, of each that has: until dedup hears
    so, every upload of the same picture is a duplicate of it. Takers recognise what they did.

    Raises:
        Unavailable: the database is away.
    """
    with transaction(engine) as connection:
        owed = (outbox.c.lane == COMPREHENSIVE, outbox.c.id.in_(last_words()) | outbox.c.id.in_(under_way()))
        found = connection.execute(select(outbox.c.id, outbox.c.type).where(*owed)).all()
        kinds = Counter(row.type for row in found)
        if not dry_run:
            again = update(outbox).where(any_of(outbox.c.id, [row.id for row in found]), outbox.c.sent_at.is_not(None))
            connection.execute(again.values(sent_at=None))
        kinds[ImageFailed.__name__] += _failures(connection, dry_run=dry_run)
        return kinds


def _failures(connection: Connection, *, dry_run: bool) -> int:
    """One for each file that has failed; under the same id, however often it is told again."""
    failed = select(items).join(sessions).where(items.c.state == "failed", sessions.c.lane == COMPREHENSIVE)
    rows = connection.execute(failed).all()
    for row in rows if not dry_run else ():
        again = uuid5(row.id, f"failed:{row.generation}")
        owe(connection, COMPREHENSIVE, failed_before(row), message_id=again, outlives=True)
    return len(rows)


def summary(found: Sequence[Resumed], others: Counter[str], sent: str, *, dry_run: bool) -> str:
    """One line for each session, and a last one for all, with when it is `sent`."""
    counts = [counted(len(found), "session")] if found else []
    kinds = ", ".join(f"{count} {KINDS[kind]}" for kind, count in others.items() if count)
    if kinds:
        always = "sent at every resume, as no row tells whether they came"
        counts.append(f"{counted(others.total(), 'message')} that no session waits for ({kinds}; {always})")
    if not counts:
        return "nothing is unfinished"
    count = " and ".join(counts)
    end = "would be resumed; nothing was sent" if dry_run else f"resumed: ingest sends all of it {sent}"
    return "\n".join([*map(str, found), f"{count} {end}"])


def _resumed(engine: Engine, session_id: UUID, owed: Sequence[Envelope]) -> Resumed:
    messages = [envelope.message for envelope in owed]
    files = {file.item_id for message in messages if isinstance(message, BatchSubmitted) for file in message.files}
    files |= {message.item_id for message in messages if isinstance(message, ImageFailed | ImageRejected)}
    unsettled = select(func.count()).where(items.c.session_id == session_id, items.c.state.in_(IN_WORK))
    with transaction(engine) as connection:
        in_work = connection.execute(unsettled).scalar_one()
    listings = sum(isinstance(message, MockupsRequested) for message in messages)
    return Resumed(session_id, len(files), in_work, listings)


def _known(engine: Engine, session: str) -> UUID:
    """The session of this id, if it can be resumed."""
    with transaction(engine) as connection:
        session_id = upload(connection, session)
        lane = connection.execute(select(sessions.c.lane).where(sessions.c.id == session_id)).scalar_one()
    if lane != COMPREHENSIVE:
        end(f"session {session} is not in the broker's lane: ingest takes it up by itself when it starts", 1)
    return session_id
