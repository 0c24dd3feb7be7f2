"""What an account's uploads do with duplicates, unless an upload says otherwise; and who changed that, and when."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, func, insert, select

from services.ingest.tables import duplicate_policies
from shared.contracts import Duplicates

DEFAULT: Duplicates = "skip_near"
MEANING: dict[Duplicates, str] = {
    "skip_exact": "only the same file or the same print is skipped; near copies are stored",
    "skip_near": "the same files and near copies are skipped",
    "review": "the same files are skipped; near copies wait until you say keep or skip",
    "keep_all": "nothing is skipped; even the same file is stored once more",
}
CHANGES = 20


@dataclass(frozen=True)
class Setting:
    """`distance`: bits of 256 within which hashes are taken for the same; None: as dedup is set."""

    policy: Duplicates = DEFAULT
    distance: int | None = None


def current(connection: Connection, user_id: UUID) -> Setting:
    """The one that counts now."""
    newest = changes(connection, user_id, limit=1)
    return Setting(newest[0]["policy"], newest[0]["distance"]) if newest else Setting()


def change(connection: Connection, user_id: UUID, who: str, given: Mapping[str, Any]) -> bool:
    """Change what is given, for uploads from now on; False: it was so before. Each change is a row, with its author."""
    key = func.hashtextextended(f"duplicates:{user_id}", 0)  # docs/reliability.md, "Locks"
    connection.execute(select(func.pg_advisory_xact_lock(key)))  # two people may each change one of the two
    before = current(connection, user_id)
    now = replace(before, **given)
    if now == before:
        return False
    connection.execute(insert(duplicate_policies).values(user_id=user_id, changed_by=who, **asdict(now)))
    return True


def changes(connection: Connection, user_id: UUID, limit: int = CHANGES) -> list[dict[str, Any]]:
    """The latest changes, newest first."""
    columns = (column for column in duplicate_policies.c if column.name not in ("id", "user_id"))
    mine = select(*columns).where(duplicate_policies.c.user_id == user_id)
    rows = connection.execute(mine.order_by(duplicate_policies.c.id.desc()).limit(limit)).mappings()
    return [dict(row) for row in rows]
