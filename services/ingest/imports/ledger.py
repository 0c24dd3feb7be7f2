"""Copies rows from the old system: each once, again when it has changed there, and never over somebody's change here.

The ledger has a digest of what was written. A row that has another one now was changed here, and stays as it is.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import Column, Connection, Table, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from services.ingest.tables import CLOCK, imported

Row = Mapping[str, Any]
"""The columns of a row that are compared, its `id` among them."""


class Outcome(StrEnum):
    """What becomes of a row of the old system."""

    COPIED = "copied"
    UPDATED = "updated"
    SAME = "unchanged"
    KEPT = "kept as changed here"
    GONE = "left out as deleted here"


WRITTEN = (Outcome.COPIED, Outcome.UPDATED)
PRESENT = (*WRITTEN, Outcome.SAME, Outcome.KEPT)
"""What is here afterwards, so that others' rows may refer to it."""


@dataclass(frozen=True)
class Ledger:
    """The rows of one table. Used inside a transaction."""

    connection: Connection
    table: Table
    order: Sequence[Column[Any]] = ()
    """In which others lock several of its rows; by their ids, if none is named."""

    def plan(self, rows: Sequence[Row]) -> dict[UUID, Outcome]:
        """What is to become of each."""
        ids = [row["id"] for row in rows]
        kept = select(imported.c.id, imported.c.digest).where(imported.c.kind == self.table.name)
        known = {row.id: row.digest for row in self.connection.execute(kept.where(imported.c.id.in_(ids)))}
        mine = select(self.table).where(self.table.c.id.in_(ids)).order_by(*self.order or [self.table.c.id])
        found = self.connection.execute(mine.with_for_update()).mappings()
        here: dict[UUID, Row] = {row["id"]: dict(row) for row in found}
        return {row["id"]: _outcome(row, known.get(row["id"]), here.get(row["id"])) for row in rows}

    def write(self, rows: Sequence[Row], plan: Mapping[UUID, Outcome], once: Mapping[UUID, Row]) -> None:
        """Do what is planned. `once` has, by id, what a row gets when it is copied, and not when it is updated."""
        new = [{**row, **once[row["id"]]} for row in rows if plan[row["id"]] is Outcome.COPIED]
        if new:
            self.connection.execute(insert(self.table), new)
        for row in rows:
            if plan[row["id"]] is Outcome.UPDATED:
                mine = update(self.table).where(self.table.c.id == row["id"])
                self.connection.execute(mine.values(**{name: row[name] for name in row if name != "id"}))
        self._remember([row for row in rows if plan[row["id"]] in WRITTEN])

    def _remember(self, rows: Sequence[Row]) -> None:
        if not rows:
            return
        facts = [{"kind": self.table.name, "id": row["id"], "digest": digest(row)} for row in rows]
        new = upsert(imported)
        changed = {"digest": new.excluded.digest, "copied_at": CLOCK}
        known = new.on_conflict_do_update(index_elements=["kind", "id"], set_=changed)
        # rows beside the statement, and RETURNING: as for dedup's (`old_designs.upsert_old_designs`)
        self.connection.execute(known.returning(imported.c.id), facts)


def digest(row: Row) -> str:
    """Equal for equal values, whether they were made here or read back from the database."""
    plain = {name: _plain(value) for name, value in row.items()}
    return hashlib.sha256(json.dumps(plain, sort_keys=True, default=str).encode()).hexdigest()


def _plain(value: object) -> object:
    return value.astimezone(UTC).isoformat() if isinstance(value, datetime) else value


def _outcome(row: Row, written: str | None, here: Row | None) -> Outcome:
    if here is None:
        return Outcome.COPIED if written is None else Outcome.GONE
    if written == digest(row):
        return Outcome.SAME
    if written == digest({name: here[name] for name in row}):
        return Outcome.UPDATED
    return Outcome.KEPT
