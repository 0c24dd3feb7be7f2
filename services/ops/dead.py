"""`presswork dead`: find out why files failed, and replay them when the cause is mended."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from services.ops.filters import All, Ids, chosen, filtered
from services.ops.place import HERE, NOTHING, DataDir, database, who
from services.ops.replay import replay

if TYPE_CHECKING:
    from services.ingest.ops.finding import Filter

app = typer.Typer(help="Dead letters: what services gave up, why, and how to replay it.", no_args_is_help=True)
app.command()(filtered(replay))

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
    as_json: Json = False,
    data: DataDir = HERE,
) -> None:
    """Show one letter with body, headers, stack, history and lineage."""
    from services.ingest.ops import finding
    from services.ops import showing
    from shared.database import transaction

    with database(data) as engine, transaction(engine) as connection:
        ids = finding.named(connection, letter)
        found = finding.whole(connection, ids[0]) if len(ids) == 1 else None
    if found is None:
        typer.echo(f"{'Several letters begin' if ids else 'No letter begins'} with {letter}.", err=True)
        raise typer.Exit(NOTHING)
    (showing.as_json if as_json else showing.whole)(found)


@app.command()
@filtered
def export(
    wanted: "Filter",
    to: Annotated[Path | None, typer.Option("--to", help="a file; otherwise to the terminal")] = None,
    data: DataDir = HERE,
) -> None:
    """Write letters with all that is known of them, as JSON Lines."""
    import json
    import sys

    from services.ingest.ops.exporting import exported

    count = 0
    out = to.open("w", encoding="utf-8") if to else sys.stdout
    try:
        with database(data) as engine:
            for found in exported(engine, wanted):
                out.write(json.dumps(found, default=str, ensure_ascii=False) + "\n")
                count += 1
    finally:
        if to:
            out.close()
    typer.echo(f"{count} letters.", err=True)


@app.command()
@filtered
def discard(
    wanted: "Filter",
    ids: Ids = None,
    why: Annotated[str, typer.Option(help="for whoever finds them later")] = "discarded",
    everything: All = False,
    data: DataDir = HERE,
) -> None:
    """Put letters aside; their files stay failed. `restore` takes them back."""
    from services.ingest.ops.auditing import Run
    from services.ingest.ops.shelving import discard

    with database(data) as engine:
        count = discard(engine, chosen(wanted, ids, everything=everything), Run(who(), "discard"), why)
    _told(count, "discarded")


@app.command()
@filtered
def restore(wanted: "Filter", ids: Ids = None, everything: All = False, data: DataDir = HERE) -> None:
    """Take back letters that were discarded."""
    from services.ingest.ops.auditing import Run
    from services.ingest.ops.shelving import restore

    with database(data) as engine:
        count = restore(engine, chosen(wanted, ids, everything=everything), Run(who(), "restore"))
    _told(count, "restored")


@app.command()
@filtered
def note(
    wanted: "Filter",
    text_: Annotated[str, typer.Argument(metavar="TEXT", help="an empty one takes the note away")],
    ids: Ids = None,
    everything: All = False,
    data: DataDir = HERE,
) -> None:
    """Write a note on letters, with --fingerprint on a whole group."""
    from services.ingest.ops.auditing import Run
    from services.ingest.ops.shelving import note

    with database(data) as engine:
        count = note(engine, chosen(wanted, ids, everything=everything), Run(who(), "note"), text_)
    _told(count, "noted")


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
        found = auditing.results(connection, run) if run else auditing.runs(connection, limit)
    if as_json:
        showing.as_json(found)
    else:
        (showing.results if run else showing.runs)(found)


def _told(count: int, what: str) -> None:
    typer.echo(f"{count} letters {what}.")
    if not count:
        raise typer.Exit(NOTHING)
