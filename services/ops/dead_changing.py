"""`presswork dead discard`, `restore`, `note`, `edit` and `purge`: what changes letters, and sends at most a copy."""

from collections.abc import Collection, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from services.ops import showing
from services.ops.dead_filters import All, Ids, chosen, named
from services.ops.place import HERE, NOTHING, DataDir, answered, database, end, new_file, who
from services.ops.showing import Json
from services.plurals import counted

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from services.ingest.dead_letters.finding import Filter


def discard(
    wanted: "Filter",
    ids: Ids = None,
    why: Annotated[str, typer.Option(help="the reason, for whoever finds them later")] = "discarded",
    everything: All = False,
    as_json: Json = False,
    data: DataDir = HERE,
) -> None:
    """Put letters aside; their files stay failed. `dead restore` takes them back, for DEAD_LETTER_KEEP_DAYS."""
    from services.ingest.dead_letters import shelving
    from services.ingest.dead_letters.auditing import Run

    with database(data) as engine:
        these = chosen(engine, wanted, ids, everything=everything)
        left = _left(engine, these, shelving.MAY_BE_DISCARDED)
        count = shelving.discard(engine, these, Run(who(), "discard"), why)
    _told(count, "discarded", left, as_json=as_json)


def restore(
    wanted: "Filter", ids: Ids = None, everything: All = False, as_json: Json = False, data: DataDir = HERE
) -> None:
    """Take back letters that were discarded."""
    from services.ingest.dead_letters import shelving
    from services.ingest.dead_letters.auditing import Run

    with database(data) as engine:
        these = chosen(engine, wanted, ids, everything=everything)
        left = _left(engine, these, shelving.MAY_BE_RESTORED)
        count = shelving.restore(engine, these, Run(who(), "restore"))
    _told(count, "restored", left, as_json=as_json)


def note(
    wanted: "Filter",
    *,
    ids: Ids = None,
    text_: Annotated[str, typer.Argument(metavar="TEXT", help="the note, as one last word; '' takes it away")],
    everything: All = False,
    as_json: Json = False,
    data: DataDir = HERE,
) -> None:
    """Write a note on letters, with --fingerprint on a whole group."""
    from services.ingest.dead_letters import shelving
    from services.ingest.dead_letters.auditing import Run

    with database(data) as engine:
        count = shelving.note(engine, chosen(engine, wanted, ids, everything=everything), Run(who(), "note"), text_)
    _told(count, "noted", as_json=as_json)


def edit(
    letter: Annotated[str, typer.Argument(help="a letter's id, or its beginning")],
    message: Annotated[
        Path, typer.Argument(help="what `dead show --body` printed, edited", exists=True, dir_okay=False)
    ],
    allow_edit: Annotated[bool, typer.Option("--allow-edit", help="needed, as what died is not what is sent")] = False,
    as_json: Json = False,
    data: DataDir = HERE,
) -> None:
    """Send an edited copy, as a new message, in place of a letter; the original is never sent then."""
    from services.ingest.dead_letters import editing
    from services.ingest.dead_letters.auditing import Run
    from shared.database import transaction

    if not allow_edit:
        raise typer.BadParameter("what died is not what is sent: say --allow-edit if that is what you want")
    edited = _json(message)
    run = Run(who(), "edit")
    with database(data) as engine:
        with transaction(engine) as connection:
            letter_id = named(connection, letter)
        try:
            result = editing.edit(engine, letter_id, edited, run)
        except editing.NotSent as error:
            end(f"Nothing was sent: {error}.", 1)
    if as_json:
        showing.as_json({"run_id": run.id, "letter_id": letter_id, "result": result.result, "words": result.words})
    else:
        typer.echo(f"{letter_id}  {result.words}; audit {run.id}")


def purge(
    wanted: "Filter",
    to: Annotated[Path, typer.Option("--to", help="a new file, into which they are exported first")],
    confirm: Annotated[str | None, typer.Option(help="instead of being asked: like 'storage 12'")] = None,
    ids: Ids = None,
    as_json: Json = False,
    data: DataDir = HERE,
) -> None:
    """Delete letters of one service for good (--service), after their export. Their files stay failed."""
    from services.ingest.dead_letters.auditing import Run
    from services.ingest.dead_letters.purging import NotPurged, confirmation
    from services.ingest.dead_letters.purging import purge as delete

    with database(data) as engine:
        these = chosen(engine, wanted, ids, everything=False)
        try:
            count, sha256 = _kept(engine, these, to)
            asked = f"{count} are exported to {to}. To delete them for good, type the service and how many"
            without = f"--confirm '{confirmation(these, count)}'"
            typed = confirm or answered(partial(typer.prompt, asked, err=True), "Nothing was deleted.", without)
            deleted = delete(engine, these, Run(who(), "purge"), typed, sha256)
        except NotPurged as error:
            end(f"Nothing was deleted: {error}.", 1)
    _told(deleted, "purged", as_json=as_json)


def _json(file: Path) -> Any:  # noqa: ANN401 - whatever is in it
    import json

    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise typer.BadParameter(f"{file} is no JSON: {error}") from error


def _kept(engine: "Engine", wanted: "Filter", to: Path) -> tuple[int, str]:
    """Export into a new file, to the disk; how many, and the SHA-256."""
    import hashlib
    import os

    from services.ingest.dead_letters.exporting import exported

    count, digest = 0, hashlib.sha256()
    with new_file(to, "xb") as out:
        for count, line in enumerate(exported(engine, wanted), 1):  # noqa: B007 - the count is what is wanted
            digest.update(line.encode())
            out.write(line.encode())
        out.flush()
        os.fsync(out.fileno())
    return count, digest.hexdigest()


def _left(engine: "Engine", wanted: "Filter", statuses: Collection[str]) -> list[str]:
    """Of letters that were named one by one: why some stay as they are."""
    from services.ingest.dead_letters import finding
    from shared.database import transaction

    if not wanted.ids:
        return []
    with transaction(engine) as connection:
        found = finding.letters(connection, wanted, len(wanted.ids))
    others = [row for row in found if row["status"] not in statuses]
    return [
        f"{row['id']} stays {row['status']}{': ' if row['outcome'] else ''}{row['outcome'] or ''}" for row in others
    ]


def _told(count: int, what: str, left: Sequence[str] = (), *, as_json: bool) -> None:

    if as_json:
        showing.as_json({what: count})
    else:
        typer.echo("\n".join([f"{counted(count, 'letter')} {what}.", *left]))
    if not count:
        raise typer.Exit(NOTHING)
