"""What a duplicate is a duplicate of, among the rows of items. Pure."""

from collections.abc import Collection

from sqlalchemy import ColumnElement, Uuid, cast, exists

from services.ingest.sessions.tables import items

_original = items.alias("original")


def is_copy_of(states: Collection[str]) -> ColumnElement[bool]:
    """Of an item: whether it is a duplicate of an upload that is in one of these states."""
    matched = cast(items.c.facts["match"]["item_id"].astext, Uuid)
    return (items.c.state == "duplicate") & exists().where(_original.c.id == matched, _original.c.state.in_(states))
