"""`presswork init`: tables, queues and the NAS, each made or checked, and said in a line."""

import asyncio
import contextlib
import importlib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from services.ops import nas_identity, spool
from services.ops.place import HERE, DataDir, guessed, of_kind, tell_if_guessed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from services.storage.settings import Settings
    from services.storage.shops import Nases
    from shared.nas import Nas
    from shared.settings import BusSettings

SHOWN = 10
TAKEN_BY = "presswork init --new-nas"


def init(
    database: Annotated[bool, typer.Option(help="make or update the tables")] = True,
    broker: Annotated[bool, typer.Option(help="declare the queues")] = True,
    nas: Annotated[bool, typer.Option(help="check the NAS, sweep up what crashes left half-written")] = True,
    new_nas: Annotated[bool, typer.Option("--new-nas", help="take the NAS's folder into use: once, mounted")] = False,
    shop: Annotated[str, typer.Option(help="with --new-nas: this shop's own NAS (NAS_SHOPS) instead")] = "",
    adopt: Annotated[bool, typer.Option("--adopt", help="with --new-nas: though it holds files already")] = False,
    with_designs: Annotated[
        bool, typer.Option("--with-designs", help="refuse a NAS that has none of the designs stored last")
    ] = False,
    taken_by: Annotated[str, typer.Option(hidden=True, help="what takes a NAS into use")] = TAKEN_BY,
    data: DataDir = HERE,
) -> None:
    """Make database schema and queues, and check the NAS; does nothing where all is there. Safe to repeat."""
    from services.storage.settings import Settings, UnusableNas
    from shared.errors import Permanent, Retryable
    from shared.nas.errors import NasUnavailable

    if ((adopt or shop) and not new_nas) or (new_nas and not nas):
        raise typer.BadParameter("--adopt and --shop go with --new-nas, and --new-nas does not go with --no-nas")
    settings = of_kind(Settings, data)
    _try_settings()
    try:
        if database:
            _migrate(settings, data)
        if broker:
            _declare(settings)
        if nas:
            spool.sweep(settings.blob_dir)
            if with_designs:
                nas_identity.refuse_without_designs(settings, taken_by, unmarked=new_nas)
            new_of = shop if new_nas else None
            with contextlib.closing(settings.nases()) as nases:
                marks = _prepare_nases(settings, nases, new_of=new_of, adopt=adopt, taken_by=taken_by)
                if database:
                    _compare_marks(settings, nases, marks, new_of=new_of, taken_by=taken_by)
                    _note_folders(settings, nases)
    except NasUnavailable as error:
        tell_if_guessed(settings, "NAS_URL", data)
        raise SystemExit(str(error)) from error
    except (Permanent, Retryable, UnusableNas) as error:
        raise SystemExit(str(error)) from error


def _try_settings() -> None:
    """Read each worker's settings before anything is made: a wrong one stops its service a minute later otherwise.

    Ingest's own are not among them: only ingest is told the key for tokens that they need.

    Raises:
        ValidationError: of a setting that can't be used.
    """
    from services.embedded import WORKERS

    for name in WORKERS:
        importlib.import_module(f"services.{name}.settings").Settings()


def _migrate(settings: "Settings", data: Path) -> None:
    from services.migrations import migrate
    from shared.database import engine_of, transaction
    from shared.errors import Unavailable

    engine = engine_of(settings.database_url)
    try:
        with transaction(engine):  # one that is away is said in words here
            pass
    except Unavailable as error:
        why = "" if "database_url" in settings.model_fields_set else f". {guessed('DATABASE_URL', data)}"
        raise Unavailable(f"{error}{why}") from error
    finally:
        engine.dispose()
    migrate(settings.database_url)
    typer.echo("database: its tables are those of this version")


def _declare(settings: "BusSettings") -> None:
    """What `presswork topology apply` does."""
    from services.embedded import all_services
    from services.ops.applying import applied
    from services.ops.queues import topology

    done = asyncio.run(applied(settings, topology(all_services())))
    if done.left:
        raise SystemExit(done.words)
    typer.echo(f"broker: {done.words}")


def _prepare_nases(
    settings: "Settings", nases: "Nases", *, new_of: str | None, adopt: bool, taken_by: str
) -> dict[str, str]:
    """Check each; their marks. That of shop `new_of` is taken into use (empty: the one for all; None: none).

    A shop's own NAS that is away stops nobody's start: its work waits, and only its.
    """
    from shared.nas import PathNas
    from shared.nas.errors import NameTaken, NasUnavailable

    marks = {}
    if new_of and new_of not in nases.own:
        raise typer.BadParameter(f"NAS_SHOPS has no {new_of!r}; it has {', '.join(settings.nas_shops) or 'no shop'}")
    for shop, nas in nases:
        try:
            name = f"NAS of {shop} at" if shop else "NAS"
            url = settings.url_of(shop)
            # what a server has can't be another folder than the one that was meant
            makes = shop == new_of and isinstance(nas, PathNas) and not nas.root.exists()
            marks[shop] = _prepare_nas(nas, f"{name} {url}", new=shop == new_of, adopt=adopt)
            if makes:
                _notice(
                    f"{name} {url}: this folder was not there, and was made just now. If a NAS should be mounted at "
                    "it, or above it, remove it, mount that, and begin again: what is stored until then lies beneath"
                )
        except NameTaken as error:
            raise NameTaken(f"{error}: {TAKEN_BY if shop else taken_by} --adopt") from error
        except NasUnavailable as error:
            if shop == new_of:
                raise
            first = f"{error}; on the very first start, once it is mounted, take it into use:"
            if not shop:
                raise NasUnavailable(f"{first} {taken_by}") from error
            meanwhile = "Until then what is for it waits; all else goes on"
            _notice(f"NAS of {shop}: {first} {TAKEN_BY} --shop '{shop}'. {meanwhile}")
    return marks


def _compare_marks(
    settings: "Settings", nases: "Nases", marks: "Mapping[str, str]", *, new_of: str | None, taken_by: str
) -> None:
    """Whether each NAS is the one that was there when it was looked at last. Of shop `new_of` it is a new one.

    Raises:
        NasUnavailable: the one for all is another, and has nothing that was stored. Of a shop's own that is only said.
    """
    from shared.database import engine_of
    from shared.nas.errors import NasUnavailable

    engine = engine_of(settings.database_url)
    try:
        for shop, nas in nases:
            if shop not in marks:  # away, which is told already
                continue
            try:
                if shop == new_of:
                    nas_identity.remember(engine, settings.url_of(shop), marks[shop])
                else:
                    nas_identity.refuse_another(engine, nases, nas, settings.url_of(shop), marks[shop])
            except NasUnavailable as error:
                if not shop:
                    raise NasUnavailable(f"{error}: {taken_by}") from error
                _notice(f"NAS of {shop}: {error}: {TAKEN_BY} --shop '{shop}'. All goes on meanwhile")
    finally:
        engine.dispose()


def _note_folders(settings: "Settings", nases: "Nases") -> None:
    """Remember which folders lie on the NAS, and say which of them nobody has who could register with their names."""
    from services.ingest.catalog.folders import note
    from shared.database import engine_of, transaction
    from shared.nas.errors import NasUnavailable

    folders, complete = [], True
    for _, nas in nases:
        try:
            found = nas.list()
        except NasUnavailable:  # a shop's own, which `_prepare_nases` has told
            complete = False
            continue
        folders += [stat.path for stat in found if stat.is_directory and not stat.path.startswith(".")]
    engine = engine_of(settings.database_url)
    try:
        with transaction(engine) as connection:
            unclaimed = note(connection, folders, complete=complete)
    finally:
        engine.dispose()
    if unclaimed:
        names = ", ".join(unclaimed[:SHOWN]) + (f" and {len(unclaimed) - SHOWN} more" if len(unclaimed) > SHOWN else "")
        _notice(
            f"NAS: of no account: {names}. Who registers the very first account may take one by its shop's name; all "
            "others get theirs by: presswork account add EMAIL SHOP"
        )


def _prepare_nas(nas: "Nas", name: str, *, new: bool, adopt: bool) -> str:
    """Check the NAS; its mark. That is written only where somebody says that it is new.

    After a restart the NAS may not be mounted yet, and a mark in its empty mount point would let designs be stored on
    the local disk, where the mount then hides them.
    """
    taken = new and not _is_marked(nas)
    if new:
        nas.initialise(adopt=adopt)
    mark = nas.check(thorough=True)
    nas.sweep(older_than_s=3600)  # what crashed copies left; younger ones may be in the making
    typer.echo(f"{name}: it is there, with {'a new' if taken else 'its'} mark ({mark}), and can be written")
    if taken and adopt:
        typer.echo(
            f"{name}: what runs already keeps to the mark that it knew: restart storage and ingest if they had one"
        )
    return mark


def _notice(words: str) -> None:
    """Say what somebody should read though all went well: of all that is said here, `presswork up` passes on this."""
    typer.echo(words, err=True)


def _is_marked(nas: "Nas") -> bool:
    from shared.nas.errors import NasUnavailable

    try:
        nas.check()
    except NasUnavailable:
        return False
    return True
