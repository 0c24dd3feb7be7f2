"""What lies on the NAS according to the tables: for whoever compares the two."""

from collections.abc import Iterator
from typing import NamedTuple

from sqlalchemy import Engine, select

from services.storage.tables import designs
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
