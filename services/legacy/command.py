"""`presswork import-legacy`: accounts, products, mockups and designs of the system that Presswork replaces."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from services.ops.place import HERE, NOTHING, DataDir, database, end, of_kind, storage

if TYPE_CHECKING:
    from services.legacy.files import Files
    from services.legacy.move import Move

Url = Annotated[
    str, typer.Argument(help="the old database: postgresql://user:password@host/name", envvar="LEGACY_DATABASE_URL")
]
FilesDir = Annotated[
    Path | None,
    typer.Option(
        "--files",
        help="a copy of its LOCAL_ROOT_PATH, for photographs that are not on the NAS",
        exists=True,
        file_okay=False,
    ),
]
Roots = Annotated[
    list[str] | None, typer.Option("--root", help="what its paths begin with, beside NAS_BASE_PATH; repeatable")
]
IntoExisting = Annotated[
    bool, typer.Option("--into-existing", help="copy into accounts that registered here with the same e-mail")
]
MOST_BYTES, MOST_PIXELS = 50 << 20, 60_000_000


def import_legacy(
    url: Url,
    files: FilesDir = None,
    root: Roots = None,
    into_existing: IntoExisting = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="say what would be copied, and copy nothing")] = False,
    data: DataDir = HERE,
) -> None:
    """Copy accounts, products, mockups and designs from the old system's database. Safe to repeat at any time.

    Passwords go on working. A row that was changed or deleted here stays so. Shops are connected to Etsy anew.
    """
    from services.ingest.lane_choice import loose_lane
    from services.legacy.move import Move
    from services.legacy.run import run
    from services.legacy.settings import Settings
    from services.legacy.source import NotTheOldSystem, old_system

    here = of_kind(Settings, data)
    lane, roots = loose_lane(embedded=here.embedded), (here.nas_base_path, *(root or ()))
    try:
        with database(data) as engine, _files(here.blob_dir, files, data) as found, old_system(url) as old:
            move = Move(old, engine, found, lane, roots, dry_run, into_existing)
            run(move, typer.echo)
            _tell(move)
    except NotTheOldSystem as error:
        end(f"Nothing was copied: {error}", NOTHING)
    raise typer.Exit(0 if move.report.complete else 1)


@contextlib.contextmanager
def _files(blob_dir: Path, folder: Path | None, data: Path) -> "Iterator[Files]":
    from services.ingest.catalog.pictures import Pictures
    from services.legacy.files import Files
    from shared.blobs import Blobs

    _, nases = storage(data)
    pictures = Pictures(Blobs(blob_dir), max_bytes=MOST_BYTES, max_pixels=MOST_PIXELS)
    with contextlib.closing(nases):
        yield Files(folder, nases.as_one(), pictures)


def _tell(move: "Move") -> None:
    from services.plurals import counted

    files, designs = move.old.shared_paths()
    for line in move.report.lines():
        typer.echo(line)
    if files:
        typer.echo(
            f"{counted(files, 'file')} on the NAS said to be several designs' ({designs} in all): the newest counts"
        )
    if move.dry_run:
        typer.echo("Nothing was copied: this was a dry run.")
        return
    typer.echo("Uploads are compared with a design once its file on the NAS is hashed: presswork nas scans")
    typer.echo("Shops have to be connected to Etsy again (docs/etsy.md); docs/moving.md says what else is not copied.")
