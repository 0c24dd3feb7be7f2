"""What a duplicate is a duplicate of, among the rows of items."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, RowMapping, Uuid, cast, exists, select

from services.ingest.sessions.tables import items

_original = items.alias("original")


def is_copy_of(states: Collection[str]) -> ColumnElement[bool]:
    """Of an item: whether it is a duplicate of an upload that is in one of these states."""
    matched = cast(items.c.facts["match"]["item_id"].astext, Uuid)
    return (items.c.state == "duplicate") & exists().where(_original.c.id == matched, _original.c.state.in_(states))


def beside_originals(connection: Connection, rows: Sequence[Mapping[str, Any] | RowMapping]) -> list[dict[str, Any]]:
    """These items; duplicates with the name that what they match was stored under since they had their verdicts.

    Of what is not stored they are told so: `waits_for` is the file name of what each may take the place of yet.
    """
    of = {row["id"]: original for row in rows if (original := _unnamed(row))}
    told = select(items.c.id, items.c.filename, items.c.state, items.c.name, items.c.path)
    found = connection.execute(told.where(items.c.id.in_(set(of.values())))).all() if of else ()
    originals = {row.id: row for row in found}
    return [_beside(dict(row), originals.get(of.get(row["id"]))) for row in rows]


def _unnamed(row: Mapping[str, Any] | RowMapping) -> UUID | None:
    """The upload that it is a duplicate of, if that was not stored when this was found."""
    match = (row["facts"].get("match") or {}) if row["state"] == "duplicate" else {}
    return UUID(match["item_id"]) if match.get("item_id") and not match.get("path") else None


def _beside(row: dict[str, Any], original: Any) -> dict[str, Any]:  # noqa: ANN401 - a row
    if original is None:
        return row
    if original.state != "stored":
        return row | {"waits_for": original.filename}
    match = row["facts"]["match"] | {"path": original.path}
    reason = f"{row['reason']}; {original.filename} is stored as {original.name}"
    return row | {"facts": row["facts"] | {"match": match}, "reason": reason}
