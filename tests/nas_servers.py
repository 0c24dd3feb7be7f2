"""Real NAS servers of this run's own: OpenSSH, Samba and moto's S3, with a folder or a bucket each."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import asyncssh
import httpx

from services.local import apt
from services.local.process import NotStarted, claim, free_ports, start, stop, wait_for
from shared.nas import Access
from tests.backends import missing

HOST = "127.0.0.1"
PACKAGES = {"openssh-server": ("ssh", "/usr/sbin/sshd"), "samba": ("smbd nmbd samba-ad-dc", "/usr/sbin/smbd")}
"""Debian's package, its units, its server."""


# moto's own server looks whether a name is free in one step and takes it in another: Amazon does both in one
ONE_AT_A_TIME = """
import sys
from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import run_simple
run_simple("127.0.0.1", int(sys.argv[1]), DomainDispatcherApplication(create_backend_app), threaded=False)
"""


@dataclass(frozen=True)
class Server:
    """A running server. `url` is a root that nobody has made yet; files of local servers lie in `folder`."""

    port: int
    url: str
    access: Access
    folder: Path | None = None

    def through(self, port: int) -> "Server":
        """The same server, reached by a proxy."""
        return replace(self, port=port, url=self.url.replace(f":{self.port}", f":{port}"))

    def below(self, path: str) -> "Server":
        """The same server, with a root below this one."""
        base, mark, query = self.url.partition("?")
        return replace(self, url=f"{base}/{path}{mark}{query}", folder=self.folder and self.folder / path)


def install_missing() -> None:
    """Install what is missing, as root; before the first test, so that no test's time limit runs."""
    if not apt.usable():
        return
    folder = Path(tempfile.gettempdir()) / f"presswork-test-install-{os.geteuid()}"
    with contextlib.suppress(NotStarted), claim(folder, wait_s=apt.LIMIT_S):  # said again, and judged, by `_program`
        for package, (units, program) in PACKAGES.items():
            if not Path(program).exists():
                apt.install(package, print, units=units.split())


@contextlib.contextmanager
def openssh(folder: Path, *, without: Sequence[str] = ()) -> Iterator[Server]:
    """OpenSSH's server for this user, without those of its SFTP requests."""
    program = _program("openssh-server")
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)
    (port,) = free_ports(1)
    key, host_key = folder / "id", folder / "host"
    for path in (key, host_key):
        private = asyncssh.generate_private_key("ssh-ed25519")
        private.write_private_key(str(path))
        path.chmod(0o600)
        private.write_public_key(f"{path}.pub")
    files = folder / "files"
    files.mkdir()
    config = folder / "sshd_config"
    config.write_text(
        f"Port {port}\nListenAddress {HOST}\nHostKey {host_key}\nPidFile none\nAuthorizedKeysFile {key}.pub\n"
        "StrictModes no\nPasswordAuthentication no\nPermitRootLogin yes\nUseDNS no\nMaxStartups 100\n"
        f"Subsystem sftp internal-sftp{' -P ' + ','.join(without) if without else ''}\n"
    )
    pin = asyncssh.read_public_key(f"{host_key}.pub").get_fingerprint()
    access = Access(private_key=str(key), host_keys=(pin,))
    user = subprocess.run(["id", "-un"], capture_output=True, text=True, check=True).stdout.strip()
    with _running([program, "-D", "-e", "-f", str(config)], folder / "sshd.log", port):
        yield Server(port, f"sftp://{user}@{HOST}:{port}{files}", access, files)


@contextlib.contextmanager
def samba(folder: Path) -> Iterator[Server]:
    """Samba's file server with one share."""
    program = _program("samba")
    if os.geteuid() != 0:
        missing("no Samba: only root can run its server")
    (port,) = free_ports(1)
    files, state = folder / "files", folder / "state"
    files.mkdir()
    state.mkdir()
    config = folder / "smb.conf"
    places = ("private dir", "lock directory", "state directory", "cache directory", "pid directory", "ncalrpc dir")
    config.write_text(
        f"[global]\nsmb ports = {port}\ninterfaces = {HOST}/8\nbind interfaces only = yes\nserver role = standalone\n"
        f"passdb backend = tdbsam:{state}/passdb.tdb\nlog file = {folder}/samba.log\ndisable spoolss = yes\n"
        "load printers = no\nserver smb encrypt = default\nstrict sync = yes\n"
        + "".join(f"{place} = {state}\n" for place in places)
        + f"[Graphics]\npath = {files}\nread only = no\n"
    )
    subprocess.run(
        ["smbpasswd", "-c", str(config), "-s", "-a", "root"],
        input="secret\nsecret\n",
        text=True,
        check=True,
        capture_output=True,
    )
    with _running([program, "-F", "--no-process-group", "-s", str(config)], folder / "smbd.log", port):
        yield Server(port, f"smb://root@{HOST}:{port}/Graphics", Access(password="secret"), files)


@contextlib.contextmanager
def moto(folder: Path) -> Iterator[Server]:
    """moto's S3 in memory, with one bucket."""
    (port,) = free_ports(1)
    with _running([sys.executable, "-c", ONE_AT_A_TIME, str(port)], folder / "moto.log", port):
        httpx.put(f"http://{HOST}:{port}/bucket", trust_env=False).raise_for_status()
        url = f"s3://key@bucket/Graphics?endpoint=http://{HOST}:{port}&region=us-east-1"
        yield Server(port, url, Access(password="secret"))


def _program(package: str) -> str:
    program = PACKAGES[package][1]
    if not Path(program).exists():
        missing(f"no {program}: install {package} (root's runs do it by themselves)")
    return program


@contextlib.contextmanager
def _running(command: Sequence[str], log: Path, port: int) -> Iterator[None]:
    process = start(command, when_orphaned="TERM", log=log, env=os.environ)
    try:
        wait_for(_listens(port), process, what=Path(command[0]).name, log=log, limit_s=30)
        yield
    finally:
        stop(process, signal.SIGTERM)


def _listens(port: int) -> Callable[[], bool | None]:
    def probe() -> bool | None:
        with socket.socket() as client:
            return client.connect_ex((HOST, port)) == 0 or None

    return probe
