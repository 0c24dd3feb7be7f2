"""`presswork sessions` and `presswork receipt`: sellers' uploads, and what became of each file of one."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from services.ops import showing
from services.ops.place import HERE, DataDir, database, end, storage
from services.ops.showing import Json, printable
from services.ops.uploads import Upload, upload

if TYPE_CHECKING:
    from services.ingest.sessions.progress.delays import QueueOf

COUNTS = (
    *("stored", "duplicate", "rejected", "failed", "cancelled", "in_progress"),
    *("listed", "listing_failed", "listing_cancelled"),
)


def sessions(
    tenant: Annotated[str | None, typer.Option(help="only this seller's: e-mail or user id")] = None,
    limit: Annotated[int, typer.Option(help="at most so many", min=1)] = 20,
    as_json: Json = False,
    data: DataDir = HERE,
) -> None:
    """List uploads, newest first: whose they are, how they stand and what they wait for."""
    from services.ingest import all_uploads
    from shared.database import transaction

    with database(data) as engine, transaction(engine) as connection:
        found = all_uploads.recent(connection, tenant, limit, queue_of=_queue_of(data))
    if as_json:
        showing.as_json({"sessions": found})
    elif found:
        for row in found:
            at = f"{row['announced_at']:%Y-%m-%d %H:%M:%S}"
            typer.echo(f"{row['session_id']}  {at}  {row['state']:<9} {_whose(row)}")
            key = str(row["client_key"])
            other = f"; its client calls it {printable(key)}" if key != str(row["session_id"]) else ""
            typer.echo(f"    {row['message']}{other}")
    else:
        end(f"no upload of {tenant}" if tenant else "there are no uploads yet")


def receipt(
    session: Upload,
    as_json: Json = False,
    data: DataDir = HERE,
) -> None:
    """Show an upload's receipt, as its seller can read it: what became of each file, and why, or what it waits for."""
    from services.ingest import all_uploads
    from services.storage import scan_progress
    from shared.database import transaction

    with database(data) as engine:
        with transaction(engine) as connection:
            session_id = upload(connection, session)
        (found,) = all_uploads.receipts(engine, str(session_id), _queue_of(data), scan_progress.as_json)
    if as_json:
        showing.as_json(found)
    else:
        _show(found)


def _show(found: Mapping[str, Any]) -> None:
    typer.echo(f"{found['session_id']}  {found['state']}  {_whose(found)}")
    typer.echo(f"    {found['received']} received: {_counts(found) or 'nothing yet'}")
    if found["waits_for"]:
        typer.echo(f"    waits for: {found['waits_for']}")
    elif found["state"] != "finished":
        typer.echo(f"    {found['message']}")
    if found["needs_review"]:
        typer.echo(f"    to decide about: presswork review {found['session_id']}")
    for note in found["notes"]:
        typer.echo(f"    {note}")
    for item in found["items"]:
        _show_item(item)


def _counts(found: Mapping[str, Any]) -> str:
    """What was cancelled is among the failed in a receipt; here it stands by itself."""
    cancelled = {"failed": found["cancelled"], "listing_failed": found["listing_cancelled"]}
    shown = {name: found[name] - cancelled.get(name, 0) for name in COUNTS}
    return ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in shown.items() if count)


def _show_item(item: Mapping[str, Any]) -> None:
    from services.ingest.sessions.error_words import beside

    where = item["path"] if item["state"] == "stored" else None
    state = "cancelled" if item["cancelled"] else item["state"]
    typer.echo(f"{state:<10} {item['filename']}  {where or item['item_id']}")
    if item["reason"]:
        ask = " (waits for a decision: keep it or skip it)" if item["needs_review"] else ""
        typer.echo(f"    {beside(item['reason'], item['filename'])}{ask}")
    if like := item["resembles"]:
        typer.echo(f"    resembles: {like['reason'] or like['filename']}")
    for warning in item["warnings"]:
        typer.echo(f"    warning: {warning}")
    if item["listing_state"]:
        ended = None if item["listing_cancelled"] else item["listing_state"]  # its reason says who cancelled it
        why = beside(item["listing_reason"], item["name"], item["filename"])
        typer.echo(f"    listing {': '.join(filter(None, (ended, why)))}")
    for warning in item["listing_warnings"]:
        typer.echo(f"    listing warning: {warning}")


def _queue_of(data: Path) -> "QueueOf | None":
    """Where work for a shop's NAS waits, where there are several."""
    _, nases = storage(data)
    return nases.queue_of if nases.queues else None


def _whose(row: Mapping[str, Any]) -> str:
    return printable(f"{row['seller']} ({row['shop']})") if row["seller"] else "a deleted account"
