"""`presswork review`: near duplicates of one upload beside what they matched; keep them or skip them."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from services.ops import showing
from services.ops.place import HERE, NOTHING, DataDir, database, end, hashers, settings, who
from services.ops.showing import Json
from services.ops.uploads import Upload, session_named

if TYPE_CHECKING:
    from uuid import UUID

    from sqlalchemy import Connection, Row

    from services.ingest.sessions.actions.reviewing import Decision
    from services.ingest.sessions.lifecycle.records import Session
    from services.ingest.sessions.serving.store import Sessions, Wish

SHOWN = 20
Files = list[str] | None
BY = "by its number here, its name or its id; repeatable"


def review(
    session: Upload,
    keep: Annotated[Files, typer.Option(help=f"keep this file, {BY}")] = None,
    skip: Annotated[Files, typer.Option(help=f"skip this file, {BY}")] = None,
    keep_all: Annotated[bool, typer.Option("--keep-all", help="keep every file that waits for a decision")] = False,
    skip_all: Annotated[bool, typer.Option("--skip-all", help="skip every file that waits for a decision")] = False,
    verdict: Annotated[
        str | None, typer.Option(help="with --keep-all or --skip-all: only these, like re_encode")
    ] = None,
    as_json: Json = False,
    data: DataDir = HERE,
) -> None:
    """List the near duplicates of an upload, or decide: a kept one is stored beside what it matched.

    What was skipped, by somebody or "by rule", can be kept later; what is kept can't be unkept. What is said of a pair
    stands for later uploads.
    """
    from services.ingest.sessions.serving.store import Sessions
    from shared.database import transaction

    if keep_all and skip_all:
        raise typer.BadParameter("--keep-all and --skip-all: which one?")
    if verdict and not (keep_all or skip_all):
        raise typer.BadParameter("--verdict narrows --keep-all or --skip-all: say one of them")
    with database(data) as engine:
        with transaction(engine) as connection:
            found = session_named(connection, session)

        def wish(connection: "Connection") -> "dict[UUID, Decision]":
            named = _named(connection, found.id, keep or (), skip or ())
            every = keep_all or skip_all
            return (_all(connection, found.id, "keep" if keep_all else "skip", verdict) if every else {}) | named

        words = _decided(Sessions(engine, hashers(data)), found, wish, data)
        with transaction(engine) as connection:
            _show(connection, found.id, words, as_json=as_json)
    if words is None and (keep_all or skip_all):
        raise typer.Exit(NOTHING)


def _all(connection: "Connection", session_id: "UUID", said: "Decision", verdict: str | None) -> "dict[UUID, Decision]":
    from services.ingest.sessions.actions.reviewing import waiting

    return dict.fromkeys(waiting(connection, session_id, verdict), said)


def _named(
    connection: "Connection", session_id: "UUID", keep: Sequence[str], skip: Sequence[str]
) -> "dict[UUID, Decision]":
    from services.ingest.sessions.actions.reviewing import pairs

    if not keep and not skip:
        return {}
    rows, _ = pairs(connection, session_id, "all")
    wanted: dict[UUID, Decision] = {_meant(rows, name).id: "skip" for name in skip}
    for row in (_meant(rows, name) for name in keep):
        if row.id in wanted:
            raise typer.BadParameter(f"{row.filename}: keep it or skip it?")
        wanted[row.id] = "keep"
    return wanted


def _meant(rows: "Sequence[Row[Any]]", name: str) -> "Row[Any]":
    """The file with this number, name or id; or the command ends."""
    found = [row for row in rows if name in (str(_number(row)), str(row.id))]
    found = found or [row for row in rows if row.filename == name]
    if len(found) != 1:
        several = f"{name} is the name of several files: say its number"
        numbers = ", ".join(str(_number(row)) for row in rows[:SHOWN]) + (" ..." if len(rows) > SHOWN else "") or "none"
        none = f"there is no near duplicate {name} in this upload; their numbers: {numbers}"
        end(several if found else none)
    return found[0]


def _decided(store: "Sessions", session: "Session", wish: "Wish", data: Path) -> str | None:
    """What was done; None where there was nothing to do."""
    from services.ingest.sessions.actions.reviewing import Undecidable
    from services.ingest.sessions.intake.print_files import has
    from shared.blobs import Blobs

    blobs = Blobs(settings(data).blob_dir)
    try:
        done = store.decide(session, wish, who(), partial(has, blobs))
        return str(done) if done.kept or done.skipped or done.before else None
    except Undecidable as error:
        end(f"{error}. Nothing was changed.", 1)


def _show(connection: "Connection", session_id: "UUID", words: str | None, *, as_json: bool) -> None:
    from services.ingest.sessions.actions.reviewing import pairs, shown
    from services.storage.stored_files import as_scanned

    rows, _ = pairs(connection, session_id, "all")
    told = list(zip(rows, shown(connection, rows, as_scanned), strict=True))
    if as_json:
        found = [{"number": _number(row), **pair} for row, pair in told]
        showing.as_json({"session_id": session_id, "message": words, "pairs": found})
        return
    if words:
        typer.echo(words)
    for row, pair in told:
        decision = "by rule" if pair["decision"] == "none" else pair["decision"]
        typer.echo(f"{_number(row):>5}  {decision:<8} {row.filename}: {pair['reason']}")
    if not rows:
        typer.echo("This upload has no near duplicates.")


def _number(row: "Row[Any]") -> int:
    """Its place in the upload, from 1: it stays the same whatever is decided."""
    number: int = row._mapping["index"] + 1
    return number
