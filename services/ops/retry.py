"""`presswork retry`: try again what failed in one upload, as its seller could."""

from typing import Annotated

import typer

from services.ops.place import HERE, NOTHING, DataDir, database, who
from services.ops.replay import HASHERS


def retry(
    session: Annotated[str, typer.Argument(help="the upload's session id, or the one that its client was given")],
    item: Annotated[list[str] | None, typer.Option(help="only this file; repeatable")] = None,
    data: DataDir = HERE,
) -> None:
    """Try again what failed in an upload, whether or not there is a dead letter about it."""
    from services.ingest.sessions.reopening import reopen
    from services.ingest.sessions.telling import retold
    from services.ops.uploads import file_of, upload
    from shared.database import transaction

    with database(data) as engine, transaction(engine) as connection:
        session_id = upload(connection, session)
        rows = [file_of(connection, session_id, each) for each in item or ()]
        opened = reopen(connection, session_id, HASHERS, who(), item_ids=[row.id for row in rows] or None)
    one = dict(rows[0]._mapping) if len(rows) == 1 else None
    typer.echo(retold([row.filename for row in opened.files], len(opened.listings), one))
    for row in opened.files:
        typer.echo(f"  {row.filename}")
    if not opened:
        raise typer.Exit(NOTHING)
