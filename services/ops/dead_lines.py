"""Dead letters as lines on a terminal, for people."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import typer

from services.ops import showing
from services.ops.showing import printable
from services.plurals import counted

Row = Mapping[str, Any]

CAUSE = 300
SENT = ("reopened", "redelivered", "edited")
"""Results by which a letter was only sent: how it ended was seen later, and not by the command."""


def letters(rows: Iterable[Row]) -> None:
    """Two lines for each letter: what it is, and why it died."""
    for row in rows:
        typer.echo(f"{row['id']}  {_time(row['dead_at'])}  {row['status']:<10} {row['service']:<9} {_files(row)}")
        typer.echo(f"    {row['fingerprint']}  {_line(row['cause'])}")
        if row["outcome"]:
            typer.echo(f"    {row['outcome']}")
        if row["note"]:
            typer.echo(f"    note: {row['note']}")


def unlettered(session_id: UUID | None, filenames: Sequence[str]) -> None:
    """Files that have failed, and which no letter waits for: they are tried again otherwise."""
    if not filenames:
        return
    shown = f"{', '.join(filenames[:3])}{' ...' if len(filenames) > 3 else ''}"
    typer.echo(f"{counted(len(filenames), 'file')} failed without a letter that waits: {shown}.")
    typer.echo(f"  Why: presswork receipt {session_id}; to try again: presswork retry {session_id}")


def groups(rows: Iterable[Row]) -> None:
    """Three lines for each cause."""
    for row in rows:
        span = f"{_time(row['first_at'])} to {_time(row['last_at'])}"
        versions = f", versions {', '.join(row['versions'])}" if row["versions"] else ""
        uploads = counted(row["sessions"], "upload")
        typer.echo(f"{row['fingerprint']}  {row['waiting']} waiting of {row['letters']}, {uploads}")
        typer.echo(f"    {', '.join(row['services'])}: {_line(row['cause'])}")
        typer.echo(f"    {row['frame'] or 'no stack'}, {span}{versions}")
        if row["note"]:
            typer.echo(f"    note: {row['note']}")


def whole(row: Row, seller: Row | None) -> None:
    """Everything about one letter."""
    typer.echo(f"letter        {row['id']}")
    for name in ("status", "outcome", "service", "message_type", "cause", "attempts", "fingerprint", "frame"):
        typer.echo(f"{name:<13} {row[name] if row[name] is not None else '-'}")
    for name, words in _of_death(row):
        typer.echo(f"{name:<13} {words}")
    if row["files"]:
        typer.echo(f"file          {_files(row)}")
    if seller:
        typer.echo(f"seller        {printable(seller['email'])}, shop {printable(seller['shop_name'])}")
    for name in ("session_id", "tenant_id", "item_id", "mockup_id", "lane", "note"):
        if row[name] is not None:
            typer.echo(f"{name:<13} {row[name]}")
    typer.echo(f"failed        first {_time(row['first_failed_at'])}, for good {_time(row['dead_at'])} (UTC)")
    if len(row["lineage"]) > 1:
        typer.echo(f"lineage       {' -> '.join(str(each) for each in row['lineage'])}")
    for entry in row["history"]:
        typer.echo(f"{_time(entry['at'])}  {entry['who']}: {entry['action']}: {entry['result']}: {entry['words']}")
    typer.echo(f"\nheaders\n{json.dumps({k: v for k, v in row['headers'].items() if k != 'x-stack'}, indent=2)}")
    typer.echo(f"\nbody\n{_pretty(row['body'])}")
    if row["stack"]:
        typer.echo(f"\nstack\n{row['stack']}")


def _of_death(row: Row) -> Iterator[tuple[str, str]]:
    """Who gave it up. Where the broker did, what a consumer writes down is not known; what the broker does is told."""
    from services.ops.queues import DELIVERY_LIMIT

    deaths = row["headers"].get("x-death")
    death = deaths[0] if isinstance(deaths, list) and deaths and isinstance(deaths[0], dict) else {}
    by_broker = row["host"] is None and bool(death)
    if by_broker:
        # x-delivery-count tells how often it was taken out of the dead-letter queue, not out of its inbox
        if death.get("reason") == "delivery_limit":
            yield (
                "deliveries",
                f"more than its queue allows: {DELIVERY_LIMIT}, or less by a policy; the letter does not tell",
            )
        where = f"{death.get('reason', 'no reason')}, queue {death.get('queue', 'not told')}"
        yield "by the broker", f"{where}, at {death.get('time', 'a time not told')}"
    unknown = f"not known{': its process ended before it could write that down' if by_broker else ''}"
    yield "version", row["version"] or unknown
    yield "host", row["host"] or unknown


def body(row: Row) -> None:
    """Only the message."""
    typer.echo(_pretty(row["body"]))


def foreseen(found: Row, *, err: bool) -> None:
    """What a replay is about to do."""
    count = ", ".join(f"{n} of {name}" for name, n in found["services"].items())
    showing.line(f"{counted(found['matched'], 'letter')}: {count}", err=err)
    for each in found["sample"]:
        showing.line(f"  {each['letter_id']}  {each['result']}: {each['words']}", err=err)
    if (more := found["matched"] - len(found["sample"])) > 0:
        showing.line(f"  ... and {more} more", err=err)
    for words in found["warnings"]:
        showing.line(f"  beware: {words}", err=True)


def became(done: Row) -> Iterator[str]:
    """What came of what was replayed, where somebody waited for it."""
    if done.get("became"):
        yield f"what became of them: {', '.join(f'{count} {state}' for state, count in done['became'].items())}"
    if count := done.get("held"):
        stays = "stays" if count == 1 else "stay"
        yield f"{counted(count, 'letter')} {stays} `replaying` until the other files of the upload have ended."


def runs(rows: Iterable[Row]) -> None:
    """Who did what."""
    for row in rows:
        counts = ", ".join(f"{value} {name}" for name, value in (row["counts"] or {}).items())
        wanted = json.dumps(row["filter"] or {}, ensure_ascii=False)
        told = _line(row["words"] or ("" if row["state"] == "ended" else row["state"]))
        what = f"{row['who']}: {row['action']} {wanted}: {counts}" + (f"  ({told})" if told else "")
        typer.echo(f"{row['run_id']}  {_time(row['at'])}  {what}")


def results(rows: Iterable[Row]) -> None:
    """What one command did to each letter."""
    for row in rows:
        typer.echo(f"{row['letter_id']}  {_time(row['at'])}  {row['result']}: {row['words']}")
        if row["result"] in SENT and row["status_now"]:
            typer.echo(f"    it is {row['status_now']} now: {row['outcome_now'] or ''}".rstrip(": "))


def _files(row: Row) -> str:
    names = [file["filename"] for file in row["files"]]
    shown = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
    return shown or row["message_type"] or "not readable"


def _line(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= CAUSE else f"{line[:CAUSE]} ..."


def _time(value: datetime) -> str:
    return f"{value:%Y-%m-%d %H:%M:%S}"


def _pretty(body: str) -> str:
    try:
        return json.dumps(json.loads(body), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        return body
