"""`presswork cancel`: an operator ends what is unfinished of an upload, as its user can do by the API."""

from pathlib import Path
from uuid import UUID

from sqlalchemy import Engine, select

from services.ingest.sessions.actions import cancelling
from services.ingest.sessions.actions.cancel_result import Cancelled, cancel_reason
from services.ingest.sessions.tables import items, sessions
from services.ops.place import confirmed, database
from services.ops.uploads import file_of, upload
from shared.database import transaction

OPERATOR = "an operator"


def command(session: str, item: str | None, data: Path, *, yes: bool) -> Cancelled:
    """Cancel, once somebody said so, and tell what came of it."""
    with database(data) as engine:
        with transaction(engine) as connection:
            session_id = upload(connection, session)
            item_id = file_of(connection, session_id, item).id if item else None
            left = cancelling.unfinished(connection, session_id, item_id)
        if left.what and not yes:
            them = "it" if left.files + left.listings == 1 else "them"
            again = f"`presswork retry` takes {them} up again."
            confirmed(f"Cancel {left.what} of upload {session_id}? {again}", "Nothing was cancelled.")
        return cancel(engine, session_id, item_id)


def cancel(engine: Engine, session_id: UUID, item_id: UUID | None = None) -> Cancelled:
    """Cancel a session, or one file of it. Ingest tells the other services.

    Raises:
        SystemExit: there is no such session or file.
        Unavailable: the database is away.
    """
    known = select(sessions.c.id).where(sessions.c.id == session_id)
    if item_id is not None:
        known = known.join(items).where(items.c.id == item_id)
    with transaction(engine) as connection:
        if connection.execute(known).one_or_none() is None:
            raise SystemExit(f"there is no session {session_id}{f' with a file {item_id}' if item_id else ''}")
        return cancelling.cancel(connection, session_id, item_id, cancel_reason(OPERATOR))
