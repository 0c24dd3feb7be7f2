"""Dead letters with all that is known of them, for a file."""

import base64
import json
from collections.abc import Iterator
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Engine, RowMapping, select

from services.ingest.dead_letter_tables import dead_letters
from services.ingest.dead_letters.finding import Filter
from shared.database import transaction

AT_ONCE = 200
"""Letters in memory at a time, mostly of some kilobytes. With fewer, there are more questions for the same file."""


def exported(engine: Engine, wanted: Filter) -> Iterator[str]:
    """Every letter as a line of JSON, in the order of their ids; a few in memory at a time."""
    last: UUID | None = UUID(int=0)
    while last is not None:
        with transaction(engine) as connection:
            rows, last = _after(connection, wanted.where(), last)
        yield from map(_line, rows)


def exported_within(connection: Connection, which: ColumnElement[bool]) -> Iterator[str]:
    """These letters as lines of JSON, all read in the caller's transaction."""
    last: UUID | None = UUID(int=0)
    while last is not None:
        rows, last = _after(connection, which, last)
        yield from map(_line, rows)


def _after(connection: Connection, which: ColumnElement[bool], last: UUID) -> tuple[list[RowMapping], UUID | None]:
    """The next few, and the last of them if there may be more."""
    some = select(dead_letters).where(which, dead_letters.c.id > last).order_by(dead_letters.c.id).limit(AT_ONCE)
    rows = list(connection.execute(some).mappings())
    return rows, rows[-1]["id"] if len(rows) == AT_ONCE else None


def _line(row: RowMapping) -> str:
    found = dict(row) | {"raw": base64.b64encode(row["raw"]).decode() if row["raw"] else None}
    return json.dumps(found, default=str, ensure_ascii=False) + "\n"
