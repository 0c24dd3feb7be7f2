"""`presswork nas`: is the NAS as it must be, is on it what the tables say, and does dedup know what else is there?"""

import contextlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from services.ops.init import TAKEN_BY
from services.ops.place import AWAY, HERE, DataDir, database, end, storage, tell_if_guessed

if TYPE_CHECKING:
    from services.storage.settings import Settings
    from services.storage.shops import Nases
    from services.storage.stored_files import StoredFile
    from shared.nas import Nas

GIGA = 10**9

app = typer.Typer(help="The NAS: its connection, and the files on it.", no_args_is_help=True)


@app.command()
def check(data: DataDir = HERE) -> None:
    """Prove that each NAS answers, is ours, can be written and overwrites nothing; say how much room it has.

    Exit code 4: one can't be used; 1: all can, but one is full.
    """
    with _nases(data) as (settings, nases):
        found = [_checked(shop, nas, settings.url_of(shop)) for shop, nas in nases]
    if found[0] == AWAY:  # the one for all
        tell_if_guessed(settings, "NAS_URL", data)
    if worst := max(found):
        raise typer.Exit(worst)


@app.command()
def verify(
    below: Annotated[str, typer.Option(help="only files below this folder of the NAS, like NorthCups")] = "",
    data: DataDir = HERE,
) -> None:
    """Read every stored design back, and name those that are missing or changed; exit with 1 if there are any."""
    from services.storage.stored_files import stored_files

    good, bad, unseen = 0, 0, 0
    with database(data) as engine, _nases(data) as (settings, nases):
        there = [nas for shop, nas in nases if not (below and nases.of(below) is not nas) and _answers(shop, nas)]
        with ThreadPoolExecutor(settings.nas_max_connections) as threads:
            for page in stored_files(engine, below):
                files = [file for file in page if nases.of(file.path) in there]
                faults = list(filter(None, threads.map(partial(_fault, nases.as_one()), files)))
                good, bad, unseen = good + len(files) - len(faults), bad + len(faults), unseen + len(page) - len(files)
                for fault in faults:
                    typer.echo(fault)
    if there:
        typer.echo(f"{good} files are as they were stored, {bad} are not.")
    if unseen or not there:
        typer.echo(f"{unseen} files were not looked at, as their NAS is away.", err=True)
        raise typer.Exit(AWAY)
    if bad:
        raise typer.Exit(1)
    if below and not good:
        end(f"No design is stored below {below}.")


Shop = Annotated[str, typer.Option("--shop", "--tenant", help="only this shop: its name, folder, e-mail or user id")]
Wait = Annotated[bool, typer.Option("--wait", help="tell how far it has come, until it is over")]


@app.command()
def scan(shop: Shop = "", wait: Wait = False, data: DataDir = HERE) -> None:
    """Have what is new or changed in shops' folders hashed, so that uploads are compared with it."""
    from services.ops import nas_scan

    nas_scan.scan(shop, data, anew=False, wait=wait)


@app.command()
def reindex(shop: Shop = "", wait: Wait = False, data: DataDir = HERE) -> None:
    """Have everything in shops' folders hashed once more, as after a release that hashes otherwise."""
    from services.ops import nas_scan

    nas_scan.scan(shop, data, anew=True, wait=wait)


@app.command()
def scans(shop: Shop = "", data: DataDir = HERE) -> None:
    """Tell how far the newest scan of each shop has come, and which files can't be used, and why."""
    from services.ops import nas_scan

    nas_scan.show(shop, data)


def _fault(nas: "Nas", file: "StoredFile") -> str | None:
    if nas.verify(file.path, file.sha256, file.size):
        return None
    if nas.stat(file.path) is None:
        return f"missing  {file.path}"
    return f"changed  {file.path} (stored with SHA-256 {file.sha256[:12]}, {file.size} bytes)"


def _checked(shop: str, nas: "Nas", url: str) -> int:
    """The exit code for it. What it can is said, or why it can't be used."""
    from shared.errors import Permanent, Retryable
    from shared.nas.verified_nas import SPARE_BYTES

    try:
        identity, free = nas.check(thorough=True), nas.free_bytes()
    except (Permanent, Retryable) as error:
        _complain(shop, error)
        return AWAY
    room = "its free space it does not tell" if free is None else f"{_size(free)} are free"
    whose = f"{shop}: " if shop else ""
    typer.echo(f"{whose}{url}: the NAS {identity[:8]} answers, can be written and overwrites nothing; {room}.")
    if free is None or free > SPARE_BYTES:
        return 0
    typer.echo(
        f"{whose}the NAS is full: {_size(SPARE_BYTES)} are kept free; free some space, all waits till then", err=True
    )
    return 1


def _answers(shop: str, nas: "Nas") -> bool:
    """Whether it can be used; if it can't, why is said."""
    from shared.errors import Permanent, Retryable

    try:
        nas.check()
    except (Permanent, Retryable) as error:
        _complain(shop, error)
        return False
    return True


def _complain(shop: str, error: Exception) -> None:
    """Say what is wrong, and what to do if the NAS was never taken into use."""
    from shared.nas.marker import MARKER

    take = f"{TAKEN_BY} --shop '{shop}'" if shop else f"{TAKEN_BY}, or presswork up --new-nas"
    unmarked = f": {take}" if f"{MARKER} is missing" in str(error) else ""  # its last words are "take it into use once"
    typer.echo(f"{f'{shop}: ' if shop else ''}{error}{unmarked}", err=True)


def _size(octets: int) -> str:
    return f"{octets / 1e9:.1f} GB" if octets >= GIGA else f"{octets / 1e6:.0f} MB"


@contextlib.contextmanager
def _nases(data: Path) -> "Iterator[tuple[Settings, Nases]]":
    """All of them for the length of a command. What is wrong with one ends the command in words."""
    from shared.errors import Permanent, Retryable

    settings, nases = storage(data)
    try:
        with contextlib.closing(nases):
            yield settings, nases
    except (Permanent, Retryable, ValueError) as error:
        end(str(error), AWAY)
