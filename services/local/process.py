"""A server process of our own: it can't outlive us, is watched while it starts, and is stopped for sure."""

import contextlib
import fcntl
import itertools
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")

KEPT_LOGS = 9  # of each process: what went wrong is looked into after some restarts

# below Linux's ephemeral range (32768 and up), so that no outgoing connection takes a port between choice and use
PORTS = range(20_000, 32_000)


class NotStarted(Exception):  # noqa: N818 - reads as what happened
    """A broker or a database could not be started; the words say why and what to do."""


@contextlib.contextmanager
def claim(folder: Path, *, wait_s: float = 20) -> Iterator[int]:
    """Lock a data folder; yields the descriptor that its server must inherit.

    The lock lives as long as any process that holds the descriptor, so a server that is still stopping after we
    were killed keeps the next one out of its files.

    Raises:
        NotStarted: another server still uses the folder.
    """
    folder.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        deadline = time.monotonic() + wait_s
        while not _locked(descriptor):
            if time.monotonic() > deadline:
                raise NotStarted(f"{folder} is used by another presswork: stop that one, or name another data folder")
            time.sleep(0.1)
        yield descriptor
    finally:
        os.close(descriptor)


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def start(
    command: Sequence[str | Path],
    *,
    when_orphaned: str,
    log: Path,
    env: Mapping[str, str],
    inherit: Sequence[int] = (),
    as_user: Sequence[str] = (),
) -> subprocess.Popen[bytes]:
    """Start a server in a process group of its own, so that Ctrl-C reaches us and not it; its output goes to `log`.

    Not in a session of its own: Linux shares the processor between sessions first (`sched_autogroup_enabled`), and what
    the hasher's `nice` says counts only within one.

    The kernel sends it the signal `when_orphaned` ("TERM") when the *thread* that called this ends, however it
    ends: call from the main thread. `as_user` are setpriv's options for another user.
    """
    setpriv = shutil.which("setpriv")  # of util-linux; without it (macOS) an orphan has to be stopped by hand
    if setpriv is None and as_user:
        raise NotStarted("setpriv is needed to start a server as root: install the package util-linux")
    prefix = [setpriv, *as_user, "--pdeathsig", when_orphaned, "--"] if setpriv else []
    with log.open("wb") as output:
        return subprocess.Popen(  # noqa: S603 - programs that we found ourselves, no shell
            [*prefix, *command],
            env=dict(env),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            pass_fds=inherit,
            process_group=0,
        )


def wait_for(
    probe: Callable[[], T | None], process: subprocess.Popen[bytes], *, what: str, log: Path, limit_s: float
) -> T:
    """Ask `probe` until it gives an answer.

    Raises:
        NotStarted: the process ended first, or `limit_s` passed; with the end of its log.
    """
    deadline = time.monotonic() + limit_s
    while (answer := probe()) is None:
        with contextlib.suppress(subprocess.TimeoutExpired):
            code = process.wait(timeout=0.1)
            raise NotStarted(f"{what} ended while starting (exit code {code}). {tail(log)}")
        if time.monotonic() > deadline:
            raise NotStarted(f"{what} did not answer within {limit_s:.0f} s. {tail(log)}")
    return answer


def stop(process: subprocess.Popen[bytes], *asking: signal.Signals, grace_s: float = 15) -> None:
    """Ask with each signal in turn, waiting `grace_s` after each; then kill the whole group."""
    for number in asking:
        if process.poll() is None:
            process.send_signal(number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(grace_s)
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def put_by(log: Path) -> Path:
    """Rename the log of a process that has ended, out of the next one's way; returns where it is now."""
    names = [log.with_name(f"{log.name}.{number}") for number in range(1, KEPT_LOGS + 1)]
    if log.exists():
        for earlier, later in reversed(list(itertools.pairwise([log, *names]))):
            if earlier.exists():
                earlier.replace(later)
    return names[0]


def tail(log: Path, lines: int = 8) -> str:
    """The last lines of a log, for an error's words."""
    text = log.read_text(errors="replace").strip().splitlines() if log.exists() else []
    return f"The end of {log}:\n" + "\n".join(text[-lines:])


def free_ports(count: int) -> list[int]:
    """Distinct ports at 127.0.0.1 that nobody uses now, and that nobody else is given while this process lives.

    A broker takes ten seconds until it listens, and a server that is started anew finds its port free again.
    """
    found: list[int] = []
    for port in random.SystemRandom().sample(PORTS, len(PORTS)):
        if _kept_for_a_server(port):
            found.append(port)
        if len(found) == count:
            return found
    raise NotStarted(f"no free port between {PORTS.start} and {PORTS.stop} on 127.0.0.1")


def _kept_for_a_server(port: int) -> bool:
    """Bind a free port until this process ends, and leave listening to others; false: somebody has it.

    On Linux a port that is bound, and not listened to, can be bound once more if SO_REUSEADDR is set on both sides.
    Servers set it; whoever looks for a free port here does so only after its `bind`, which therefore fails. Other
    systems let nobody else listen to a bound port, so there it is let go.
    """
    holder = socket.socket()
    try:
        holder.bind(("127.0.0.1", port))
    except OSError:
        holder.close()
        return False
    if sys.platform == "linux":
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holder.detach()  # or it would be closed with this object
    else:
        holder.close()
    return True
