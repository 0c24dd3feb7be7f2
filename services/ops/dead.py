"""`presswork dead`: find out why files failed, and replay them when the cause is mended."""

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from services.ops import dead_lines, showing
from services.ops.dead_changing import discard, edit, note, purge, restore
from services.ops.dead_filters import filtered, known, named, run_named
from services.ops.dead_replay import cancel, replay
from services.ops.place import HERE, NOTHING, DataDir, database, new_file
from services.ops.showing import Json
from services.plurals import counted

if TYPE_CHECKING:
    from services.ingest.dead_letters.finding import Filter

app = typer.Typer(help="Dead letters: what services gave up, why, and how to replay it.", no_args_is_help=True)

Limit = Annotated[int, typer.Option(help="at most so many", min=1)]


@app.command("list")
@filtered
def list_letters(
    wanted: "Filter",
    limit: Limit = 50,
    offset: Annotated[int, typer.Option(help="leave out so many, the newest", min=0)] = 0,
    as_json: Json = False,
    data: DataDir = HERE,
) -> None:
    """List dead letters, newest first."""
    from services.ingest.dead_letters import finding
    from shared.database import transaction

    with database(data) as engine, transaction(engine) as connection:
        wanted = known(connection, wanted)
        found, total = finding.letters(connection, wanted, limit, offset), finding.count(connection, wanted)
        session_id = wanted.session if isinstance(wanted.session, UUID) else None
        unlettered = finding.failed_without(connection, session_id) if session_id else []
    if as_json:
        showing.as_json({"letters": found, "total": total, "failed_without_letter": unlettered})
        return
    dead_lines.letters(found)
    typer.echo(f"{len(found)} of {counted(total, 'letter')}." if total else "No dead letters fit.")
    dead_lines.unlettered(session_id, unlettered)


@app.command()
@filtered
def groups(wanted: "Filter", limit: Limit = 50, as_json: Json = False, data: DataDir = HERE) -> None:
    """Group dead letters by cause: one failing disk is one group, however many files it cost."""
    from services.ingest.dead_letters import finding
    from shared.database import transaction

    with database(data) as engine, transaction(engine) as connection:
        wanted = known(connection, wanted)
        found = finding.groups(connection, wanted, limit)
    if as_json:
        showing.as_json(found)
        return
    dead_lines.groups(found)
    if not found:
        typer.echo("No dead letters fit.")


@app.command()
def show(
    letter: Annotated[str, typer.Argument(help="a letter's id, or its beginning")],
    body: Annotated[bool, typer.Option("--body", help="print only the message, as `dead edit` takes it")] = False,
    as_json: Json = False,
    data: DataDir = HERE,
) -> None:
    """Show one letter with body, headers, stack, history and lineage."""
    from services.ingest.dead_letters import finding
    from shared.database import transaction

    with database(data) as engine, transaction(engine) as connection:
        found = finding.whole(connection, named(connection, letter))
        seller = finding.seller(connection, found["tenant_id"]) if found else None
    if found is None:
        raise typer.Exit(NOTHING)  # deleted this very moment
    if body:
        dead_lines.body(found)
    elif as_json:
        showing.as_json({**found, "seller": seller})
    else:
        dead_lines.whole(found, seller)


@app.command()
@filtered
def export(
    wanted: "Filter",
    to: Annotated[Path | None, typer.Option("--to", help="a file; otherwise to the terminal")] = None,
    data: DataDir = HERE,
) -> None:
    """Write letters with all that is known of them, as JSON Lines."""
    import sys

    from services.ingest.dead_letters.exporting import exported
    from shared.database import transaction

    count = 0
    with contextlib.ExitStack() as stack:
        out = stack.enter_context(new_file(to, "wb")) if to else sys.stdout.buffer
        engine = stack.enter_context(database(data))
        with transaction(engine) as connection:
            wanted = known(connection, wanted)
        for count, line in enumerate(exported(engine, wanted), 1):  # noqa: B007 - the count is what is wanted
            out.write(line.encode())
        out.flush()
    typer.echo(f"{counted(count, 'letter')}.", err=True)
    if not count:
        raise typer.Exit(NOTHING)


@app.command()
def audit(
    run: Annotated[
        str | None, typer.Argument(help="id of one command, or its beginning: what it did to each letter")
    ] = None,
    limit: Limit = 50,
    as_json: Json = False,
    data: DataDir = HERE,
) -> None:
    """Tell who did what with which letters, newest first."""
    from services.ingest.dead_letters import auditing
    from shared.database import transaction

    with database(data) as engine, transaction(engine) as connection:
        run_id = run_named(connection, run) if run else None
        one = auditing.run(connection, run_id) if run_id else None
        found = auditing.results(connection, run_id) if run_id else auditing.runs(connection, limit)
    if as_json:
        showing.as_json({"run": one, "results": found} if one else found)
        return
    if one:
        dead_lines.runs([one])
    (dead_lines.results if one else dead_lines.runs)(found)
    if not found and not one:
        typer.echo("Nobody has changed a dead letter yet.")


# behind those that only look, in the order in which a person comes to need them
app.command()(filtered(replay))
app.command()(cancel)
app.command()(edit)
for command in (discard, restore, note, purge):
    app.command()(filtered(command))
