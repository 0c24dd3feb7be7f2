"""`presswork resume`: owe the broker everything again that is unfinished, from the rows of sessions and items.

It writes to the outbox only. Whichever ingest runs sends from there, in fair turns, as soon as the broker is there.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from sqlalchemy import Engine, select

from services.ingest.lanes import COMPREHENSIVE
from services.ingest.sessions.resume import Unfinished
from services.ingest.sessions.tables import sessions
from services.ops.place import database, of_kind
from services.ops.settings import Settings
from services.ops.uploads import upload
from shared.bus.envelope import Envelope
from shared.contracts import BatchSubmitted, ImageFailed, ImageRejected, MockupsRequested
from shared.database import transaction


@dataclass(frozen=True)
class Resumed:
    """What was owed again for one session."""

    session_id: UUID
    files: int
    listings: int

    def __str__(self) -> str:
        return f"{self.session_id}: {self.files} files, {self.listings} listings"


def command(session: str | None, data: Path, *, dry_run: bool) -> str:
    """Resume, and say in words what came of it."""
    hashers = of_kind(Settings, data).comprehensive_workflow_max_threads
    with database(data) as engine:
        wanted = [_known(engine, session)] if session else None
        found = resume(engine, hashers, wanted, dry_run=dry_run)
    return in_words(found, dry_run=dry_run)


def resume(
    engine: Engine, hashers: int, wanted: Sequence[UUID] | None = None, *, dry_run: bool = False
) -> list[Resumed]:
    """Owe again what is unfinished in these sessions, or in all of the comprehensive lane.

    Each session is a transaction of its own. Running it twice, or while the work is in flight, does nothing twice.

    Raises:
        Unavailable: the database is away; the sessions before that were resumed.
    """
    unfinished = Unfinished(engine, hashers)
    ids = unfinished.sessions(COMPREHENSIVE) if wanted is None else wanted
    found = []
    for session_id in ids:
        owed = unfinished.messages(session_id) if dry_run else unfinished.resume(session_id)
        if owed:
            found.append(_resumed(session_id, owed))
    return found


def in_words(found: Sequence[Resumed], *, dry_run: bool) -> str:
    """One line for each session, and a last one for all."""
    if not found:
        return "nothing is unfinished"
    count = f"{len(found)} session{'s' if len(found) > 1 else ''}"
    end = f"{count} would be resumed; nothing was sent" if dry_run else f"{count} resumed: ingest sends it now"
    return "\n".join([*map(str, found), end])


def _resumed(session_id: UUID, owed: Sequence[Envelope]) -> Resumed:
    messages = [envelope.message for envelope in owed]
    files = {file.item_id for message in messages if isinstance(message, BatchSubmitted) for file in message.files}
    files |= {message.item_id for message in messages if isinstance(message, ImageFailed | ImageRejected)}
    return Resumed(session_id, len(files), sum(isinstance(message, MockupsRequested) for message in messages))


def _known(engine: Engine, session: str) -> UUID:
    """The session of this id, if it can be resumed."""
    with transaction(engine) as connection:
        session_id = upload(connection, session)
        lane = connection.execute(select(sessions.c.lane).where(sessions.c.id == session_id)).scalar_one()
    if lane != COMPREHENSIVE:
        raise SystemExit(f"session {session} is not in the broker's lane: ingest takes it up by itself when it starts")
    return session_id
