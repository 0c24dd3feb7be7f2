"""`presswork dead`: find out why files failed, and replay them when the cause is mended."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from services.ops.changing import discard, edit, note, purge, restore
from services.ops.filters import filtered, named
from services.ops.place import HERE, NOTHING, DataDir, database
from services.ops.replay import cancel, replay

if TYPE_CHECKING:
    from services.ingest.ops.finding import Filter

app = typer.Typer(help="Dead letters: what services gave up, why, and how to replay it.", no_args_is_help=True)
for command in (replay, discard, restore, note, purge):
    app.command()(filtered(command))
app.command()(cancel)
app.command()(edit)

Json = Annotated[bool, typer.Option("--json", help="for programs")]
Limit = Annotated[int, typer.Option(help="at most so many", min=1)]


@app.command("list")
@filtered
def list_letters(
    wanted: "Filter", limit: Limit = 50, offset: int = 0, as_json: Json = False, data: DataDir = HERE
) -> None:
    """List dead letters, newest first."""
    from services.ingest.ops import finding
    from services.ops import showing
    from shared.database import transaction

    with database(data) as engine, transaction(engine) as connection:
        found, total = finding.letters(connection, wanted, limit, offset), finding.count(connection, wanted)
    if as_json:
        showing.as_json({"letters": found, "total": total})
        return
    showing.letters(found)
    typer.echo(f"{len(found)} of {total} letters." if total else "No dead letters fit.")


@app.command()
@filtered
def groups(wanted: "Filter", limit: Limit = 50, as_json: Json = False, data: DataDir = HERE) -> None:
    """Group dead letters by cause: one failing disk is one group, however many files it cost."""
    from services.ingest.ops import finding
    from services.ops import showing
    from shared.database import transaction

    with database(data) as engine, transaction(engine) as connection:
        found = finding.groups(connection, wanted, limit)
    if as_json:
        showing.as_json(found)
        return
    showing.groups(found)
    if not found:
        typer.echo("No dead letters fit.")


@app.command()
def show(
    letter: Annotated[str, typer.Argument(help="a letter's id, or its beginning")],
    body: Annotated[bool, typer.Option("--body", help="only the message, for `edit`")] = False,
    as_json: Json = False,
    data: DataDir = HERE,
) -> None:
    """Show one letter with body, headers, stack, history and lineage."""
    from services.ingest.ops import finding
    from services.ops import showing
    from shared.database import transaction

    with database(data) as engine, transaction(engine) as connection:
        found = finding.whole(connection, named(connection, letter))
    if found is None:
        raise typer.Exit(NOTHING)  # deleted this very moment
    (showing.body if body else showing.as_json if as_json else showing.whole)(found)


@app.command()
@filtered
def export(
    wanted: "Filter",
    to: Annotated[Path | None, typer.Option("--to", help="a file; otherwise to the terminal")] = None,
    data: DataDir = HERE,
) -> None:
    """Write letters with all that is known of them, as JSON Lines."""
    import sys

    from services.ingest.ops.exporting import exported

    count = 0
    out = to.open("w", encoding="utf-8") if to else sys.stdout
    try:
        with database(data) as engine:
            for count, line in enumerate(exported(engine, wanted), 1):  # noqa: B007 - the count is what is wanted
                out.write(line)
    finally:
        if to:
            out.close()
    typer.echo(f"{count} letters.", err=True)
    if not count:
        raise typer.Exit(NOTHING)


@app.command()
def audit(
    run: Annotated[UUID | None, typer.Argument(help="one command, to see what it did to each letter")] = None,
    limit: Limit = 50,
    as_json: Json = False,
    data: DataDir = HERE,
) -> None:
    """Tell who did what with which letters, newest first."""
    from services.ingest.ops import auditing
    from services.ops import showing
    from shared.database import transaction

    with database(data) as engine, transaction(engine) as connection:
        one = auditing.run(connection, run) if run else None
        found = auditing.results(connection, run) if run else auditing.runs(connection, limit)
    if run and one is None:
        typer.echo(f"There is no run {run}.", err=True)
        raise typer.Exit(NOTHING)
    if as_json:
        showing.as_json({"run": one, "results": found} if one else found)
        return
    if one:
        showing.runs([one])
    (showing.results if one else showing.runs)(found)
