"""Install a Debian package without letting it start a service."""

import contextlib
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from services.local.process import NotStarted

POLICY = Path("/usr/sbin/policy-rc.d")  # asked by every package's installer; exit code 101 forbids starting services
LIMIT_S = 600


def usable() -> bool:
    """Whether we may install packages here."""
    return os.geteuid() == 0 and shutil.which("apt-get") is not None


def install(package: str, say: Callable[[str], None], *, units: Sequence[str] = ()) -> None:
    """Install `package` and what it needs. `units` are its services, if they are not called like it.

    Raises:
        NotStarted: apt refused, found no such package or reached no mirror; with its last words.
    """
    say(f"installing {package} with apt (once per machine, about a minute)")
    with _no_services():
        _apt_get("update")
        _apt_get("install", "--yes", "--no-install-recommends", package)
    if shutil.which("systemctl"):
        # the package's own service would start at the next boot and listen on every interface
        subprocess.run(["systemctl", "disable", *(units or [package])], check=False, capture_output=True)  # noqa: S603, S607


def _apt_get(*arguments: str) -> None:
    command = ["apt-get", "--quiet", "--option", "DPkg::Lock::Timeout=120", *arguments]
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    try:
        done = subprocess.run(  # noqa: S603 - fixed arguments, no shell
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=LIMIT_S,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise NotStarted(f"{' '.join(command)} did not end within {LIMIT_S} s; run it by hand") from error
    if done.returncode != 0:
        words = (done.stderr or done.stdout).strip().splitlines()[-3:]
        raise NotStarted(f"{' '.join(command)} failed: {' '.join(words)}")


@contextlib.contextmanager
def _no_services() -> Iterator[None]:
    if POLICY.exists():  # the machine has its own rule, as containers do
        yield
        return
    POLICY.write_text("#!/bin/sh\nexit 101\n")
    POLICY.chmod(0o755)
    try:
        yield
    finally:
        POLICY.unlink(missing_ok=True)
