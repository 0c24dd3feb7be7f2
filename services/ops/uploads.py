"""Which upload a command means: by the id in its receipt, or by the one that its client was given when it began."""

from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import typer

from services.ops.place import end

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import ColumnElement, Connection, Row

    from services.ingest.sessions.lifecycle.records import Session

SHORTEST = 4
Upload = Annotated[
    str, typer.Argument(help="the upload's session id, or the one that its client was given; or how one of them begins")
]


def upload(connection: "Connection", name: str) -> UUID:
    """The upload's own id, by either of its ids or the beginning of one; or the command ends."""
    found = uploads(connection, name)
    if len(found) != 1:
        several = f"several uploads are called {name}, or begin so: say more, or the session_id in the receipt"
        end(several if found else f"there is no upload {name}: `presswork sessions` lists them")
    return found[0]


def session_named(connection: "Connection", name: str) -> "Session":
    """The upload as it stands."""
    from sqlalchemy import select

    from services.ingest.sessions.lifecycle.rows import session_of
    from services.ingest.sessions.tables import sessions

    return session_of(connection.execute(select(sessions).where(sessions.c.id == upload(connection, name))).one())


def uploads(connection: "Connection", name: str) -> "Sequence[UUID]":
    """The ids of at most two uploads that are meant so. A whole id goes before one that only begins so."""
    from sqlalchemy import Text, cast, or_, select

    from services.ingest.sessions.tables import sessions

    ids = select(sessions.c.id).limit(2)
    own, client = cast(sessions.c.id, Text), sessions.c.client_key
    ways: list[ColumnElement[bool]] = [sessions.c.id == _uuid(name), client == name]
    if len(name) >= SHORTEST:
        ways.append(or_(own.startswith(name.lower(), autoescape=True), client.startswith(name, autoescape=True)))
    for way in ways:
        if found := connection.execute(ids.where(way)).scalars().all():
            return found
    return ()


def file_of(connection: "Connection", session_id: UUID, name: str) -> "Row[Any]":
    """A file of the upload, by its id or the beginning of that, or by its name; or the command ends."""
    from sqlalchemy import Text, cast, select

    from services.ingest.sessions.tables import items

    mine = select(items).where(items.c.session_id == session_id).limit(2)
    begins = cast(items.c.id, Text).startswith(name.lower(), autoescape=True)
    for way in (items.c.filename == name, *((begins,) if len(name) >= SHORTEST else ())):
        found = connection.execute(mine.where(way)).all()
        if len(found) > 1:
            end(f"several files of upload {session_id} are called {name}: say the id (item_id in its receipt)")
        if found:
            return found[0]
    return end(f"there is no file {name} in upload {session_id}; its receipt has their names and ids (item_id)")


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
