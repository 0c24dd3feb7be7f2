"""What lies on the NAS according to the tables: for whoever compares the two."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Connection, Engine, select

from services.storage.comparing import ABSENT
from services.storage.tables import designs, scanned
from shared.database import transaction

PAGE = 1000


class StoredFile(NamedTuple):
    """A design's file, as it was when it was read back."""

    path: str
    sha256: str
    size: int


def newest_files(engine: Engine, count: int) -> list[str]:
    """The paths of the designs that were stored last."""
    newest = (
        select(designs.c.path).where(designs.c.state == "stored").order_by(designs.c.changed_at.desc()).limit(count)
    )
    with transaction(engine) as connection:
        return list(connection.execute(newest).scalars())


def as_scanned(connection: Connection, tenant_id: UUID, files: Mapping[str, UUID | None]) -> dict[str, str]:
    """What scans have found at these paths: a picture is there, gone, or changed. Left out: what none has ever met.

    `files` are paths, each with the id of the design that was stored there, if it was one.
    """
    sizes = select(designs.c.path, designs.c.size).where(designs.c.item_id.in_(filter(None, files.values())))
    stored = {row.path: row.size for row in connection.execute(sizes.where(designs.c.state == "stored"))}
    these = (scanned.c.tenant_id == tenant_id, scanned.c.path.in_(files))
    met = connection.execute(select(scanned.c.path, scanned.c.state, scanned.c.size).where(*these))
    return {row.path: _as_met(row.state, row.size, stored.get(row.path)) for row in met}


def _as_met(state: str, size: int, stored: int | None) -> str:
    if state in ABSENT:
        return "gone"
    return "changed" if state == "unusable" or stored not in (None, size) else "there"


def stored_files(engine: Engine, below: str = "") -> Iterator[list[StoredFile]]:
    """Every stored design's file, by path, a page at a time; only those below a folder, if one is named."""
    columns = select(designs.c.path, designs.c.sha256, designs.c.size).where(designs.c.state == "stored")
    if below:
        columns = columns.where(designs.c.path.startswith(f"{below.strip('/')}/", autoescape=True))
    last = ""
    while True:
        page = columns.where(designs.c.path.collate("C") > last).order_by(designs.c.path.collate("C")).limit(PAGE)
        with transaction(engine) as connection:
            found = [StoredFile(*row) for row in connection.execute(page)]
        yield found
        if len(found) < PAGE:
            return
        last = found[-1].path
