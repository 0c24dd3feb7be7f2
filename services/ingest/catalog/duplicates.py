"""What an account's uploads do with duplicates, unless an upload says otherwise; and who changed that, and when."""

from typing import Any
from uuid import UUID

from sqlalchemy import Connection, insert, select

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


def current_policy(connection: Connection, user_id: UUID) -> Duplicates:
    """The one that counts now."""
    newest = changes(connection, user_id, limit=1)
    return newest[0]["policy"] if newest else DEFAULT


def change_policy(connection: Connection, user_id: UUID, policy: Duplicates, who: str) -> bool:
    """Set it for uploads from now on; False: it was so before. Each change is a row, with who made it."""
    if current_policy(connection, user_id) == policy:
        return False
    connection.execute(insert(duplicate_policies).values(user_id=user_id, policy=policy, changed_by=who))
    return True


def changes(connection: Connection, user_id: UUID, limit: int = CHANGES) -> list[dict[str, Any]]:
    """The latest changes, newest first."""
    columns = (duplicate_policies.c.policy, duplicate_policies.c.changed_by, duplicate_policies.c.changed_at)
    mine = select(*columns).where(duplicate_policies.c.user_id == user_id)
    rows = connection.execute(mine.order_by(duplicate_policies.c.id.desc()).limit(limit)).mappings()
    return [dict(row) for row in rows]
