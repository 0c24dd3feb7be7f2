"""Which system a command works on, what it asks, and how it ends when its database or broker is away.

One way for every command: the environment's settings, and for what it lacks those that `presswork up` left in
`var/environment`, or in that of the folder which --data names.
"""

import contextlib
import getpass
import os
import socket
from collections.abc import Callable, Iterator
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO, Literal, NoReturn, TypeVar, cast

import typer

if TYPE_CHECKING:
    from pydantic_settings import BaseSettings
    from sqlalchemy import Engine

    from services.storage.settings import Settings as StorageSettings
    from services.storage.shops import Nases
    from shared.settings import BusSettings, DatabaseSettings

Kind = TypeVar("Kind", bound="BusSettings")
Answer = TypeVar("Answer")

NOTHING, AWAY = 3, 4
"""Exit codes beside 0 (done), 1 (not all of it) and 2 (asked wrongly): nothing fits, and something can't be reached."""

HERE = Path("var")

STARTED_IN = "PRESSWORK_DATA"
"""What `presswork up` leaves beside settings: the folder, as the next `up` may find it moved."""


def _started(data: Path) -> Path:
    """Refuse a folder that somebody named and no Presswork was started in."""
    if data != HERE and not environment_file(data).exists():
        raise typer.BadParameter(f"no Presswork was started in {data}: name the folder that `presswork up` was given")
    return data


DataDir = Annotated[
    Path,
    typer.Option(
        "--data",
        help="folder of the `presswork up` whose system is meant; DATABASE_URL, AMQP_URL ... go first",
        callback=_started,
    ),
]


def settings(data: Path) -> "DatabaseSettings":
    """Where database, broker and blobs are."""
    from shared.settings import DatabaseSettings

    return of_kind(DatabaseSettings, data)


def environment_file(data: Path) -> Path:
    """The settings that the last `presswork up` in this folder left for commands and services beside it."""
    return data / "environment"


def of_kind(kind: type[Kind], data: Path) -> Kind:
    """The environment's settings; what it lacks, as the running `presswork up` has it."""
    return kind(_env_file=environment_file(data))


def storage(data: Path) -> "tuple[StorageSettings, Nases]":
    """Where files are stored. A NAS_URL that can't be meant ends the command in words."""
    from services.storage.settings import Settings, UnusableNas

    found = of_kind(Settings, data)
    try:
        return found, found.nases()
    except UnusableNas as error:
        end(str(error), AWAY)


def hashers(data: Path) -> int:
    """How many batches an upload is split into at least: as many as ingest itself would."""
    from services.ops.settings import Settings

    return of_kind(Settings, data).comprehensive_workflow_max_threads


def join(data: Path) -> None:
    """Complete this process's environment, for a service that reads its settings there, as beside a `presswork up`."""
    from dotenv import dotenv_values

    left = dotenv_values(environment_file(data), interpolate=False)
    left.pop(STARTED_IN, None)
    with contextlib.suppress(FileNotFoundError):  # JWT_SECRET_KEY was given to that `up`, or nothing was started here
        left["JWT_SECRET_KEY"] = (data / "jwt-secret").read_text()
    for name, value in left.items():
        os.environ.setdefault(name, value or "")
    if not os.environ.get("AMQP_URL") and os.environ.get("EMBEDDED") != "1":
        typer.echo(guessed("AMQP_URL", data), err=True)


@contextlib.contextmanager
def database(data: Path) -> "Iterator[Engine]":
    """An engine for the length of a command. What is away ends it in words."""
    from shared.database import engine_of
    from shared.errors import Retryable

    found = settings(data)
    engine = engine_of(found.database_url, pool_size=2)
    try:
        with our_tables():
            yield engine
    except Retryable as error:
        typer.echo(f"{error}. Nothing more was done; say it again when that is mended.", err=True)
        tell_if_guessed(found, "DATABASE_URL", data)
        raise typer.Exit(AWAY) from error
    finally:
        engine.dispose()


@contextlib.contextmanager
def our_tables() -> Iterator[None]:
    """A database that has other tables than ours ends the command in words."""
    from sqlalchemy.exc import ProgrammingError

    try:
        yield
    except ProgrammingError as error:
        if _by_ctrl_c(error):
            raise KeyboardInterrupt from error
        end(f"The database has other tables than this version: presswork init ({error.orig})", AWAY)


def _by_ctrl_c(error: BaseException | None) -> bool:
    """Whether it is what became of a Ctrl-C: in a statement, that leaves a connection which can't be given back."""
    while error and not isinstance(error, KeyboardInterrupt):
        error = error.__context__
    return error is not None


def tell_if_guessed(found: "BaseSettings", name: str, data: Path) -> None:
    """After something could not be reached: say so if nobody named its address."""
    if name.lower() not in found.model_fields_set:
        typer.echo(guessed(name, data), err=True)


def guessed(name: str, data: Path) -> str:
    """Why it was looked for at an address that nobody named."""
    if name == "AMQP_URL" and (words := why_no_broker(data)):
        return f"{words}: name another system's folder with --data, or set AMQP_URL"
    left = environment_file(data)
    lacks = "does not have it" if left.exists() else "is not there"
    return (
        f"{name} is not set, and {left} {lacks}: run this in the folder where `presswork up` was started, or "
        f"name that system's folder with --data, or set {name}"
    )


def why_no_broker(data: Path) -> str | None:
    """In words, where there is none and nobody named one."""
    from services.ops.settings import Settings

    found = of_kind(Settings, data)
    if not found.embedded or "amqp_url" in found.model_fields_set:
        return None
    return f"The system of {data} is embedded, in one process without a broker"


def misset(error: ValueError) -> str:
    """Which settings can't be used, and why; empty if the error is another."""
    from pydantic import ValidationError

    from services.storage.settings import UnusableNas

    if isinstance(error, UnusableNas):
        return str(error)
    if not isinstance(error, ValidationError) or not error.title.endswith("Settings"):
        return ""
    wrong = [
        f"{'.'.join(map(str, each['loc'])).upper()}: {each['msg'].removeprefix('Value error, ')}"
        for each in error.errors(include_url=False, include_input=False)
    ]
    return "\n".join(["settings that can't be used (docs/settings.md has all of them):", *wrong])


def moment_said(text: str | datetime) -> datetime:
    """A moment as commands take it, like 12h or 2026-11-24; UTC."""
    from services.ingest.lane_comparison import moment

    try:
        return moment(str(text))
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error


def new_file(path: Path, mode: Literal["wb", "xb"]) -> BinaryIO:
    """The file that a command is to write; or it was asked wrongly, in words."""
    try:
        return cast("BinaryIO", path.open(mode))
    except FileExistsError as error:
        raise typer.BadParameter(f"{path} exists already; name a new file") from error
    except OSError as error:
        raise typer.BadParameter(f"{path} can't be written: {error.strerror}; name another file") from error


def end(words: str, code: int = NOTHING) -> NoReturn:
    """End the command with these words and this exit code."""
    typer.echo(words, err=True)
    raise typer.Exit(code)


def confirmed(question: str, undone: str) -> None:
    """Go on if somebody says yes; or the command ends, and says that nothing was done, and why."""
    if not answered(partial(typer.confirm, question, err=True), undone, "--yes"):
        end(undone, 1)


def answered(ask: Callable[[], Answer], undone: str, unasked: str) -> Answer:
    """What somebody answers; or the command ends, and says by which option it does not ask."""
    try:
        return ask()
    except typer.Abort:  # Ctrl-C, or no terminal, as from cron
        end(f"\n{undone} Nobody answered: {unasked} does it without asking.", 1)


def who() -> str:
    """The person at this terminal, for the audit."""
    return f"{getpass.getuser()}@{socket.gethostname()}"
