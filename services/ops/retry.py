"""`presswork retry`: try again what failed in one upload, as its seller could."""

import contextlib
from typing import Annotated

import typer

from services.ops.place import HERE, NOTHING, DataDir, database, hashers, storage, who
from services.ops.uploads import Upload, file_of, session_named


def retry(
    session: Upload,
    item: Annotated[list[str] | None, typer.Option(help="only this file: its name or id; repeatable")] = None,
    data: DataDir = HERE,
) -> None:
    """Try again what failed in an upload, whether or not there is a dead letter about it."""
    from services.ingest import retrying
    from services.ingest.sessions.intake.print_files import Prints
    from services.ingest.sessions.serving.store import Sessions
    from shared.blobs import Blobs
    from shared.database import transaction

    here, nases = storage(data)
    with database(data) as engine, contextlib.closing(nases):
        with transaction(engine) as connection:
            found = session_named(connection, session)
            asked = [dict(file_of(connection, found.id, each)._mapping) for each in item or ()]
        prints = Prints(engine, Blobs(here.blob_dir), nases.as_one())
        done = retrying.retry(Sessions(engine, hashers(data)), prints, found, who(), asked)
    typer.echo(done.words)
    for row in done.opened.files:
        typer.echo(f"  {row.filename}")
    if not done.opened:
        raise typer.Exit(NOTHING)
