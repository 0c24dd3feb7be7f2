"""What an upload could not be compared with: pictures on the NAS to which the scan of the shop's folder had not come.

No upload waits for a scan (docs/decisions/0011-scan.md), so whoever sent it must hear that a copy may have been stored.
"""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from services.ingest.sessions.lifecycle.records import Session
from services.plurals import counted

ScanOf = Callable[[Connection, UUID], dict[str, Any] | None]
"""How the newest scan of a user's folder on the NAS stands: storage knows."""


def uncompared(connection: Connection, session: Session, scan_of: ScanOf) -> list[str]:
    """A note for as long as the scan goes on in which the files were judged; none where all are kept anyway."""
    scan = None if session.duplicates == "keep_all" else scan_of(connection, session.user_id)
    if not scan or scan["is_over"] or (session.settled_at and session.settled_at < scan["listed_at"]):
        return []
    waiting = int(scan["waiting"])
    those, them = ("is", "it") if waiting == 1 else ("are", "those")
    left = f"{counted(waiting, 'picture')} in your folder on the NAS {those} still to be compared with uploads"
    return [f"{left}: copies of {them} are not recognised yet, and may have been stored."]
