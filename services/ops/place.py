"""Which database and broker a command works on, and how it ends when they are away."""

import contextlib
import getpass
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from shared.settings import DatabaseSettings

NOTHING, AWAY = 3, 4
"""Exit codes beside 0 (done), 1 (not all of it) and 2 (asked wrongly): nothing fits, and something can't be reached."""

DataDir = Annotated[
    Path, typer.Option("--data", help="where `presswork up` keeps its files; DATABASE_URL and AMQP_URL go before")
]
HERE = Path("var")


def settings(data: Path) -> "DatabaseSettings":
    """The environment's settings; what it lacks, as the running `presswork up` has it."""
    from shared.settings import DatabaseSettings

    return DatabaseSettings(_env_file=data / "environment")


@contextlib.contextmanager
def database(data: Path) -> "Iterator[Engine]":
    """An engine for the length of a command. What is away ends it in words."""
    from sqlalchemy.exc import ProgrammingError

    from shared.database import engine_of
    from shared.errors import Retryable

    engine = engine_of(settings(data).database_url, pool_size=2)
    try:
        yield engine
    except Retryable as error:
        typer.echo(f"{error}. Nothing more was done; say it again when that is mended.", err=True)
        raise typer.Exit(AWAY) from error
    except ProgrammingError as error:
        typer.echo(f"The database has other tables than this version: presswork init ({error.orig})", err=True)
        raise typer.Exit(AWAY) from error
    finally:
        engine.dispose()


def who() -> str:
    """The person at this terminal, for the audit."""
    return f"{getpass.getuser()}@{socket.gethostname()}"
