"""`presswork waits`: what services wait for, with its causes, which `/ready` tells nobody."""

from typing import Annotated

import typer

from services.ops.place import HERE, DataDir, database
from services.ops.showing import as_json


def waits(json: Annotated[bool, typer.Option("--json", help="for programs")] = False, data: DataDir = HERE) -> None:
    """Tell what services wait for just now: a NAS that is away, files that are tried again later."""
    from services.ingest.sessions.progress.delays import current
    from shared.database import transaction

    with database(data) as engine, transaction(engine) as connection:
        found = current(connection)
    if json:
        as_json({"waits_for": found})
        return
    for words in found or ["Nothing waits."]:
        typer.echo(words)
