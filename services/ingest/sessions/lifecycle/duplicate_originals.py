"""Of duplicates the original: the file that each was found to be a copy of, among the rows of items."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Row, RowMapping, Select, Uuid, cast, exists, select

from services.ingest.sessions.design_names import stored_since
from services.ingest.sessions.tables import items

Match = Mapping[str, Any] | None

_original = items.alias("original")


def is_copy_of(states: Collection[str]) -> ColumnElement[bool]:
    """Of an item: whether it is a duplicate of an upload that is in one of these states."""
    matched = cast(items.c.facts["match"]["item_id"].astext, Uuid)
    return (items.c.state == "duplicate") & exists().where(_original.c.id == matched, _original.c.state.in_(states))


def beside_originals(connection: Connection, rows: Sequence[Mapping[str, Any] | RowMapping]) -> list[dict[str, Any]]:
    """These items. What they are copies of, or resemble, is told as dedup would tell it now, if it was stored since.

    Where the original is not stored, `waits_for` is its file name: the duplicate takes its place if it fails.
    """
    found = _originals(connection, [_match(row) for row in rows])
    return [_beside(dict(row), found.get(_unstored(_match(row)))) for row in rows]


def verdicts_of_now(connection: Connection, verdicts: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """These verdicts, each a `match` and a `reason`, as dedup would give them now that their originals are stored."""
    found = _originals(connection, [verdict.get("match") for verdict in verdicts])
    return [_of_now(verdict, found.get(_unstored(verdict.get("match")))) for verdict in verdicts]


def _originals(connection: Connection, matches: Sequence[Match]) -> dict[UUID | None, Row[Any]]:
    ids = {original for match in matches if (original := _unstored(match))}
    wanted: Select[Any] = select(items.c.id, items.c.filename, items.c.state, items.c.name, items.c.path)
    return {row.id: row for row in connection.execute(wanted.where(items.c.id.in_(ids)))} if ids else {}


def _match(row: Mapping[str, Any] | RowMapping) -> Match:
    """What a duplicate is a copy of; of a design, what it resembles."""
    match: Match = row["facts"].get("match" if row["state"] == "duplicate" else "resembles")
    return match


def _unstored(match: Match) -> UUID | None:
    """The original, by its id, if it was not stored when the verdict was given: then the reason can't name its path."""
    return UUID(match["item_id"]) if match and match.get("item_id") and not match.get("path") else None


def _beside(row: dict[str, Any], original: Row[Any] | None) -> dict[str, Any]:
    if original is None:
        return row
    facts = row["facts"]
    if row["state"] != "duplicate":
        like = facts["resembles"]
        now = _of_now({"match": like, "reason": like.get("reason")}, original)
        return row | {"facts": facts | {"resembles": now["match"] | {"reason": now["reason"]}}}
    if original.state != "stored":
        return row | {"waits_for": original.filename}
    now = _of_now({"match": facts["match"], "reason": row["reason"]}, original)
    return row | {"facts": facts | {"match": now["match"]}, "reason": now["reason"]}


def _of_now(verdict: Mapping[str, Any], original: Row[Any] | None) -> dict[str, Any]:
    if original is None or original.state != "stored":
        return dict(verdict)
    reason = verdict["reason"]  # none beside what a design resembles by an early release
    if reason is not None:
        reason = stored_since(reason, original.filename, original.name)
    return {**verdict, "match": verdict["match"] | {"path": original.path}, "reason": reason}
