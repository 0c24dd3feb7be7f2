"""Which mockup group or photograph a command means: by name, by id, or by the beginning of an id."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Column, ColumnElement, Connection, Row, Select, Text, cast, func, select

from services.ingest.tables import mockup_images, mockups, users
from services.ops.place import end
from services.ops.showing import printable
from services.ops.uploads import SHORTEST

MOST_SHOWN = 20

GROUPS = select(mockups.c.id, mockups.c.name.label("called"), users.c.shop_name, users.c.email).select_from(
    mockups.join(users)
)
PHOTOGRAPHS = select(
    mockup_images.c.id,
    func.concat(mockup_images.c.filename, " of ", mockups.c.name).label("called"),
    users.c.shop_name,
    users.c.email,
).select_from(mockup_images.join(mockups).join(users, users.c.id == mockups.c.user_id))


def group_named(connection: Connection, words: str) -> UUID:
    """A mockup group, by its name or id; or the command ends."""
    ways = (mockups.c.name == words, *_by_id(mockups.c.id, words), func.lower(mockups.c.name) == words.lower())
    return _only(connection, "mockup group", words, GROUPS.order_by(mockups.c.name, mockups.c.created_at), ways)


def photograph_named(connection: Connection, words: str) -> UUID:
    """A photograph, by its file's name, its id, or the name of a group that has no other; or the command ends."""
    of_group = (mockups.c.name == words, func.lower(mockups.c.name) == words.lower())
    ways = (mockup_images.c.filename == words, *_by_id(mockup_images.c.id, words), *of_group)
    rows = PHOTOGRAPHS.order_by(mockups.c.name, mockups.c.created_at, mockup_images.c.position)
    return _only(connection, "mockup photograph", words, rows, ways)


def _by_id(column: Column[Any], words: str) -> Sequence[ColumnElement[bool]]:
    text = cast(column, Text)
    begins = [text.startswith(words.lower(), autoescape=True)] if len(words) >= SHORTEST else []
    return (text == words.lower(), *begins)


def _only(
    connection: Connection, what: str, words: str, rows: Select[Any], ways: Sequence[ColumnElement[bool]]
) -> UUID:
    """What the first way that finds something finds, if it is one."""
    found: Sequence[Row[Any]] = ()
    for way in ways:
        if found := connection.execute(rows.where(way).limit(MOST_SHOWN)).all():
            break
    if len(found) == 1:
        return UUID(str(found[0].id))
    if found:
        said = f"Several are meant by {words!r}; say the id of one, or as much of it as no other has:"
    else:
        found = connection.execute(rows.limit(MOST_SHOWN)).all()
        said = f"There is no {what} {words!r}; there are:" if found else f"There is no {what} yet."
    shown = [printable(f"{row.id}  {row.called} ({row.shop_name}, {row.email})") for row in found]
    return end("\n".join([said, *shown]))
