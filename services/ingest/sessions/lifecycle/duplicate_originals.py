"""Of duplicates the original: the file that each was found to be a copy of, among the rows of items."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Row, RowMapping, Select, Uuid, cast, exists, select

from services.ingest.sessions.tables import items

_original = items.alias("original")


def is_copy_of(states: Collection[str]) -> ColumnElement[bool]:
    """Of an item: whether it is a duplicate of an upload that is in one of these states."""
    matched = cast(items.c.facts["match"]["item_id"].astext, Uuid)
    return (items.c.state == "duplicate") & exists().where(_original.c.id == matched, _original.c.state.in_(states))


def beside_originals(connection: Connection, rows: Sequence[Mapping[str, Any] | RowMapping]) -> list[dict[str, Any]]:
    """These items. A duplicate's reason also names what its original was stored as, if that was after the verdict.

    Where the original is not stored, `waits_for` is its file name: the duplicate takes its place if it fails.
    """
    of = {row["id"]: original for row in rows if (original := _unnamed(row))}
    wanted: Select[Any] = select(items.c.id, items.c.filename, items.c.state, items.c.name, items.c.path)
    found = connection.execute(wanted.where(items.c.id.in_(set(of.values())))).all() if of else ()
    originals = {row.id: row for row in found}
    return [_beside(dict(row), originals.get(of.get(row["id"]))) for row in rows]


def _unnamed(row: Mapping[str, Any] | RowMapping) -> UUID | None:
    """The original, by its id, if it was not stored when the verdict was given: then the reason can't name its path."""
    match = (row["facts"].get("match") or {}) if row["state"] == "duplicate" else {}
    return UUID(match["item_id"]) if match.get("item_id") and not match.get("path") else None


def _beside(row: dict[str, Any], original: Row[Any] | None) -> dict[str, Any]:
    if original is None:
        return row
    if original.state != "stored":
        return row | {"waits_for": original.filename}
    match = row["facts"]["match"] | {"path": original.path}
    reason = f"{row['reason']}; {original.filename} is stored as {original.name}"
    return row | {"facts": row["facts"] | {"match": match}, "reason": reason}
