"""`presswork cancel`: an operator ends what is unfinished of an upload, as its user can do by the API."""

from uuid import UUID

from sqlalchemy import Engine, select

from services.ingest.sessions import cancelling
from services.ingest.sessions.tables import items, sessions
from services.ops.settings import Settings
from shared.database import engine_of, transaction
from shared.errors import Retryable

OPERATOR = "an operator"


def command(session: str, item: str | None) -> str:
    """Cancel, and say in words what came of it."""
    engine = engine_of(Settings().database_url)
    try:
        return str(cancel(engine, _id(session), _id(item) if item else None))
    except Retryable as error:
        raise SystemExit(f"nothing was cancelled: {error}") from error
    finally:
        engine.dispose()


def cancel(engine: Engine, session_id: UUID, item_id: UUID | None = None) -> cancelling.Cancelled:
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
        return cancelling.cancel(connection, session_id, item_id, cancelling.in_words(OPERATOR))


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise SystemExit(f"{text!r} is no id; they look like 0b6e4a3e-6a0c-4a77-8f55-0d8f7c7c1a01") from None
