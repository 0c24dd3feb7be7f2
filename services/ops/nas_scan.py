"""Has shops' folders on the NAS looked through, and tells what came of it: `presswork nas scan`, `reindex`, `scans`."""

import time
from collections.abc import Sequence
from datetime import UTC
from pathlib import Path
from typing import NoReturn

import typer
from sqlalchemy import Engine, select

from services.ingest.lane_choice import loose_lane
from services.ingest.scan_requests import ask, named
from services.ingest.sessions.progress.delays import current
from services.ingest.tables import users
from services.ops.place import database, end, of_kind
from services.ops.settings import Settings
from services.ops.showing import printable
from services.plurals import counted
from services.storage.scan_progress import ScanProgress, progress_of, unusable
from shared.contracts import ShopScanRequested
from shared.database import transaction

POLL_S = 0.5


def scan(shop: str, data: Path, *, anew: bool, wait: bool) -> None:
    """Ask for the shop's scan, or every shop's; with `wait` tell how far they have come until they are over."""
    lane = loose_lane(embedded=of_kind(Settings, data).embedded)
    with database(data) as engine:
        with transaction(engine) as connection:
            asked = ask(connection, lane, named(shop), anew=anew)
        if not asked:
            _nobody(shop)
        if wait:
            complete = [_followed(engine, request) for request in asked]
            raise typer.Exit(0 if all(complete) else 1)
    typer.echo(f"{counted(len(asked), 'shop')} will be looked through in the background: presswork nas scans")


def show(shop: str, data: Path) -> None:
    """Tell how the newest scan of each shop stands, and which files could not be used."""
    with database(data) as engine, transaction(engine) as connection:
        found = connection.execute(
            select(users.c.id, users.c.shop_folder).where(named(shop)).order_by(users.c.shop_folder)
        )
        shops = found.all()
        if not shops:
            _nobody(shop)
        for user_id, folder in shops:
            if now := progress_of(connection, user_id):
                typer.echo(_in_words(folder, now))
                _tell_faults(now, unusable(connection, user_id))
            else:
                typer.echo(f"{folder}: not looked through yet")
        for words in current(connection, ()):
            typer.echo(f"  waits  {words}")


def _followed(engine: Engine, request: ShopScanRequested) -> bool:
    """Whether all could be read, once the scan is over."""
    told = ""
    while True:
        with transaction(engine) as connection:
            now = progress_of(connection, request.tenant_id, request.scan_id)
            faults = unusable(connection, request.tenant_id) if now and now.is_over else []
            waits = [] if now and now.is_over else current(connection, ())
        words = _in_words(request.shop, now) if now else f"{request.shop}: waits for storage to list it"
        words = "\n  waits  ".join([words, *waits])
        if words != told:
            typer.echo(words)
            told = words
        if now and now.is_over:
            _tell_faults(now, faults)
            return not now.unread
        time.sleep(POLL_S)


def _in_words(shop: str, now: ScanProgress) -> str:
    done = f"{shop}: {counted(now.pictures, 'picture')}, {now.known} known"
    done += f", {now.waiting} still to be hashed" if now.waiting else f", {now.to_hash} of them new or changed"
    done += f", {now.unusable} unusable" if now.unusable else ""
    done += f", {now.gone} gone" if now.gone else ""
    done += f"; and {counted(now.ours, 'design')} of ours"
    return f"{done}; listed {now.listed_at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def _tell_faults(now: ScanProgress, faults: Sequence[tuple[str, str]]) -> None:
    for path, why in now.unread.items():
        typer.echo(printable(f"  not listed  {path}: {why}"))
    for path, why in faults:
        typer.echo(printable(f"  unusable  {path}: {why}"))


def _nobody(shop: str) -> NoReturn:
    end(f"No shop is called {shop}." if shop else "There are no shops yet: sellers register first.")
