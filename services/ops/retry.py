"""`presswork retry`: try again what failed in one upload, as its seller could."""

from typing import Annotated
from uuid import UUID

import typer

from services.ops.place import HERE, NOTHING, DataDir, database, who
from services.ops.replay import HASHERS


def retry(
    session: Annotated[UUID, typer.Argument(help="the upload's session id")],
    item: Annotated[list[UUID] | None, typer.Option(help="only this file; repeatable")] = None,
    data: DataDir = HERE,
) -> None:
    """Try again what failed in an upload, whether or not there is a dead letter about it."""
    from services.ingest.sessions.reopening import reopen
    from services.ingest.sessions.telling import retold
    from shared.database import transaction

    with database(data) as engine, transaction(engine) as connection:
        opened = reopen(connection, session, HASHERS, who(), item_ids=item or None)
    typer.echo(retold([row.filename for row in opened.files], len(opened.listings)))
    for row in opened.files:
        typer.echo(f"  {row.filename}")
    if not opened:
        raise typer.Exit(NOTHING)
