"""`presswork cancel`: an operator ends what is unfinished of an upload, as its user can do by the API."""

from pathlib import Path

from services.ingest.sessions.actions import cancelling
from services.ingest.sessions.actions.cancel_result import Cancelled, cancel_reason
from services.ops.place import confirmed, database
from services.ops.uploads import file_of, upload
from shared.database import transaction

OPERATOR = "an operator"


def command(session: str, item: str | None, data: Path, *, yes: bool) -> Cancelled:
    """Cancel a session, or one file of it, once somebody said so. Ingest tells the other services."""
    with database(data) as engine:
        with transaction(engine) as connection:
            session_id = upload(connection, session)
            item_id = file_of(connection, session_id, item).id if item else None
            left = cancelling.unfinished(connection, session_id, item_id)
        if left.what and not yes:
            them = "it" if left.files + left.listings == 1 else "them"
            again = f"`presswork retry` takes {them} up again."
            confirmed(f"Cancel {left.what} of upload {session_id}? {again}", "Nothing was cancelled.")
        with transaction(engine) as connection:
            return cancelling.cancel(connection, session_id, item_id, cancel_reason(OPERATOR))
