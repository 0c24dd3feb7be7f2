"""Which upload a command means: by the id in its receipt, or by the one that its client was given when it began."""

from typing import TYPE_CHECKING, Any
from uuid import UUID

import typer

from services.ops.place import NOTHING

if TYPE_CHECKING:
    from sqlalchemy import Connection, Row


def upload(connection: "Connection", name: str) -> UUID:
    """The upload's own id; or the command ends."""
    from sqlalchemy import select

    from services.ingest.sessions.tables import sessions

    ids = select(sessions.c.id).limit(2)
    found = connection.execute(ids.where(sessions.c.id == _uuid(name))).scalars().all()
    found = found or connection.execute(ids.where(sessions.c.client_key == name)).scalars().all()
    if len(found) != 1:
        several = f"several sellers have an upload {name}: name it by the session_id in its receipt"
        typer.echo(several if found else f"there is no upload {name}", err=True)
        raise typer.Exit(NOTHING)
    session_id: UUID = found[0]
    return session_id


def file_of(connection: "Connection", session_id: UUID, name: str) -> "Row[Any]":
    """A file of the upload, by its id; or the command ends."""
    from sqlalchemy import select

    from services.ingest.sessions.tables import items

    wanted = select(items).where(items.c.session_id == session_id, items.c.id == _uuid(name))
    found = connection.execute(wanted).one_or_none()
    if found is None:
        typer.echo(f"there is no file {name} in upload {session_id}; its receipt has their ids (item_id)", err=True)
        raise typer.Exit(NOTHING)
    return found


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
