"""How far the scans of shops' folders have come: for people who wait, or look."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Connection, func, select

from services.storage.tables import scanned, scans

MOST = 100


class ScanProgress(NamedTuple):
    """What came of a shop's newest scan until now. `unread` are folders that could not be listed, and why."""

    scan_id: UUID
    listed_at: datetime
    pictures: int
    to_hash: int
    gone: int
    ours: int
    unread: dict[str, str]
    waiting: int
    known: int
    unusable: int

    @property
    def is_over(self) -> bool:
        """Whether nothing is left to hash."""
        return not self.waiting


def progress_of(connection: Connection, tenant_id: UUID, scan_id: UUID | None = None) -> ScanProgress | None:
    """A tenant's newest scan, or the one that is named; None when it has not begun."""
    counts = (scans.c.pictures, scans.c.to_hash, scans.c.gone, scans.c.ours, scans.c.unread)
    found = select(scans.c.scan_id, scans.c.listed_at, *counts).where(scans.c.tenant_id == tenant_id)
    if scan_id:
        found = found.where(scans.c.scan_id == scan_id)
    row = connection.execute(found.order_by(scans.c.listed_at.desc()).limit(1)).one_or_none()
    if row is None:
        return None
    counted = select(scanned.c.state, func.count()).where(scanned.c.tenant_id == tenant_id).group_by(scanned.c.state)
    states = {row[0]: row[1] for row in connection.execute(counted)}
    left = states.get("waiting", 0) + states.get("sent", 0)
    return ScanProgress(*row, left, states.get("known", 0), states.get("unusable", 0))


def unusable(connection: Connection, tenant_id: UUID, most: int | None = None) -> Sequence[tuple[str, str]]:
    """Which files can't be known to dedup, and why."""
    mine = select(scanned.c.path, scanned.c.reason).where(scanned.c.tenant_id == tenant_id)
    rows = connection.execute(mine.where(scanned.c.state == "unusable").order_by(scanned.c.path).limit(most))
    return [(row.path, row.reason or "") for row in rows]


def as_json(connection: Connection, tenant_id: UUID) -> dict[str, Any] | None:
    """A tenant's newest scan, for ingest's pages, with the first of the files that can't be used; None: not begun."""
    now = progress_of(connection, tenant_id)
    if now is None:
        return None
    files = [{"path": path, "reason": why} for path, why in unusable(connection, tenant_id, MOST)]
    return {**now._asdict(), "is_over": now.is_over, "unusable_files": files}
