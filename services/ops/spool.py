"""`presswork spool`: what may go from the blob store, so that its disk does not fill up for ever."""

import contextlib
import os
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from services.ops.place import HERE, DataDir, database, settings
from services.plurals import counted

A_DAY_S = 86_400.0
KEEP_DAYS = 30
ASIDE = "swept-"

app = typer.Typer(help="The blob store's disk.", no_args_is_help=True)


@app.command("sweep")
def command(
    keep_days: Annotated[
        int, typer.Option(min=1, help="what came to its end in the last so many days stays")
    ] = KEEP_DAYS,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="say what would be removed, and remove nothing")] = False,
    orphans: Annotated[
        bool,
        typer.Option("--orphans", help="also what no row names; it reads the whole database, so only now and then"),
    ] = False,
    data: DataDir = HERE,
) -> None:
    """Remove what nobody needs any more: uploads that are settled, prints and mockups of what is listed.

    What failed stays, as does what a dead letter needs: it can be tried again. Safe at any time; run it once a day.
    """
    from services.ops.spent import spent, unnamed
    from shared.database import transaction

    before = datetime.now(UTC) - timedelta(days=keep_days)
    root = settings(data).blob_dir
    put_back(root)
    old_ones = blobs_older(root, before.timestamp()) if orphans else []  # before the transaction: it may take minutes
    with database(data) as engine, transaction(engine) as connection:
        names = spent(connection, before)
        if orphans:
            names += unnamed(connection, before, old_ones)
    paths = (root / name[:2] / name for name in names)
    old = {path: size for path in paths if (size := size_if_older(path, before.timestamp())) is not None}
    megabytes = sum(old.values()) / 1e6
    blobs = f"{counted(len(old), 'blob')} of {megabytes:.0f} MB"
    if dry_run:
        typer.echo(f"{blobs} would be removed from {root}; nothing was.")
        return
    for path in old:
        remove(path, root, before.timestamp())
    parts = counted(len(sweep(root)), "half-written file")
    typer.echo(f"Removed from {root}: {blobs} and {parts}.")


def remove(path: Path, blob_dir: Path, than: float) -> None:
    """Remove a blob that was last written before that time, and never one whose bytes come again at this moment.

    No look at the file and its removal are one step; its renaming is. What was renamed is looked at in peace, and goes
    back if it is the new one.
    """
    aside = blob_dir / "incoming" / f"{ASIDE}{path.name}"
    aside.parent.mkdir(exist_ok=True)
    with contextlib.suppress(FileNotFoundError):  # another sweep has it
        if is_older(path, than):
            path.rename(aside)
            if is_older(aside, than):
                aside.unlink()
            else:
                aside.rename(path)


def put_back(blob_dir: Path) -> None:
    """Give the blobs that a sweep had renamed when it died their names again, as if they had come just now."""
    for aside in (blob_dir / "incoming").glob(f"{ASIDE}*"):
        name = aside.name.removeprefix(ASIDE)
        with contextlib.suppress(FileNotFoundError):  # its sweep lives
            os.utime(aside)  # there may be one that came since, which must not get the other's age
            aside.rename(blob_dir / name[:2] / name)


def sweep(blob_dir: Path, older_than_s: float = A_DAY_S) -> list[Path]:
    """Remove the files that `Blobs.writer` began and nobody has written to for that long; return them.

    Nothing refers to them: only whole blobs have a name.
    """
    swept = []
    for part in (blob_dir / "incoming").glob("*"):
        if is_older(part, time.time() - older_than_s):
            part.unlink(missing_ok=True)
            swept.append(part)
    return swept


def blobs_older(blob_dir: Path, than: float) -> list[str]:
    """The names of the whole blobs that were last written before that time."""
    return [path.name for path in blob_dir.glob("[0-9a-f][0-9a-f]/*") if is_older(path, than)]


def is_older(path: Path, than: float) -> bool:
    """Whether it is there and was last written before that time. Bytes that came again are written again."""
    return size_if_older(path, than) is not None


def size_if_older(path: Path, than: float) -> int | None:
    """Its bytes, if it is so old; told by one look, as another sweep may remove it before a second."""
    with contextlib.suppress(FileNotFoundError):  # its writer has just finished, or another sweep
        found = path.stat()
        return found.st_size if found.st_mtime < than else None
    return None
