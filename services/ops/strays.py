"""Designs that are stored, and that no upload brought as far as this database knows.

Their messages were in the broker when an older copy of the database was put under it.
"""

from collections.abc import Sequence

from sqlalchemy import Engine, exists, select

from services.ingest.sessions.tables import items
from services.storage.tables import designs, scanned
from shared.database import transaction


def strays(engine: Engine) -> list[str]:
    """Where they lie, below the NAS's root. One whose file a scan has missed bars nothing any more.

    Raises:
        Unavailable: the database is away.
    """
    known = exists().where(items.c.id == designs.c.item_id)
    let_go = exists().where(scanned.c.path == designs.c.path, scanned.c.state == "missing")
    found = select(designs.c.path).where(designs.c.state == "stored", ~known, ~let_go).order_by(designs.c.path)
    with transaction(engine) as connection:
        return list(connection.execute(found).scalars())


def in_words(paths: Sequence[str]) -> str:
    """Which they are, and where it says what to do; empty if there are none."""
    if not paths:
        return ""
    lines = [f"no upload  {path}" for path in paths]
    count = "1 design is" if len(paths) == 1 else f"{len(paths)} designs are"
    lines.append(
        f"{count} stored of uploads that this database does not know: sent again, their files are duplicates and can't "
        "be listed; docs/backup.md says how to let them go"
    )
    return "\n".join(lines)
