"""How far the scans of shops' folders have come: for people who wait, or look."""

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Connection, func, select

from services.storage.tables import scanned, scans


class Standing(NamedTuple):
    """What came of a shop's newest scan until now. `unread` are folders that could not be listed, and why."""

    scan_id: UUID
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


def standing(connection: Connection, tenant_id: UUID, scan_id: UUID | None = None) -> Standing | None:
    """A tenant's newest scan, or the one that is named; None when it has not begun."""
    found = select(
        scans.c.scan_id, scans.c.pictures, scans.c.to_hash, scans.c.gone, scans.c.ours, scans.c.unread
    ).where(scans.c.tenant_id == tenant_id)
    if scan_id:
        found = found.where(scans.c.scan_id == scan_id)
    row = connection.execute(found.order_by(scans.c.listed_at.desc()).limit(1)).one_or_none()
    if row is None:
        return None
    counted = select(scanned.c.state, func.count()).where(scanned.c.tenant_id == tenant_id).group_by(scanned.c.state)
    states = {row[0]: row[1] for row in connection.execute(counted)}
    left = states.get("waiting", 0) + states.get("sent", 0)
    return Standing(*row, left, states.get("known", 0), states.get("unusable", 0))


def unusable(connection: Connection, tenant_id: UUID) -> Sequence[tuple[str, str]]:
    """Which files can't be known to dedup, and why."""
    mine = select(scanned.c.path, scanned.c.reason).where(scanned.c.tenant_id == tenant_id)
    rows = connection.execute(mine.where(scanned.c.state == "unusable").order_by(scanned.c.path))
    return [(row.path, row.reason or "") for row in rows]
