"""Functions that kill the process which calls them, for `Isolated` to call."""

import ctypes
import os
import resource
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from services.decoding.child import at_most
from services.decoding.isolation import Isolated
from services.hasher.rejection import Rejected
from shared.errors import Unavailable


def isolated(function: Callable[..., Any], memory_bytes: int | None = None) -> Isolated[..., Any]:
    """Any function of this module, in a child process."""
    return Isolated("tests.unit.hasher.deadly:named", (function.__name__,), memory_bytes=memory_bytes)


def named(name: str) -> Any:
    return globals()[name]


def own_pid() -> int:
    return os.getpid()


def killed(number: int) -> None:
    os.kill(os.getpid(), number)


def reads_nowhere() -> None:
    """As a codec does that trusts a header."""
    ctypes.string_at(0)


def killed_once(marker: Path) -> int:
    try:
        marker.touch(exist_ok=False)
    except FileExistsError:
        return os.getpid()
    killed(signal.SIGSEGV)
    raise AssertionError("it lives")


def leaves(status: int) -> None:
    os._exit(status)


def hangs(begun: Path, seconds: float = 600) -> None:
    """In C and without ever letting another thread of the interpreter in."""
    begun.write_text(str(os.getpid()))
    with at_most(seconds):
        ctypes.PyDLL(None).pause()


def takes_all_memory() -> None:
    hoard = []
    while True:
        hoard.append(bytes(50_000_000))


def leaves_a_hole_in_the_heap(kept: list[bytes] = []) -> tuple[int, int]:  # noqa: B006 - kept on purpose
    """Free 300 MB below something that stays; return the pid, and the bytes that are resident all the same.

    What is idle for a moment counts as idle.
    """
    vars(sys.modules["__main__"])["IDLE_S"] = 0.1
    below = [bytes(60_000) for _ in range(5000)]
    kept.append(bytes(60_000))
    del below
    return os.getpid(), resident_bytes(os.getpid())


def resident_bytes(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * resource.getpagesize()


def waits(folder: Path, name: str) -> int:
    """Say that it has begun, and go on when told to."""
    (folder / f"{name} begun").touch()
    while not (folder / "go on").exists():
        time.sleep(0.01)
    return os.getpid()


def refuses(kind: str) -> None:
    if kind == "rejected":
        raise Rejected("damaged", "a damaged file")
    if kind == "unavailable":
        raise Unavailable("no disk")
    raise KeyError(kind)


def pid_or_refusal(code: str | None = None) -> int:
    if code:
        raise Rejected(code, "no")
    return os.getpid()


if __name__ == "__main__":  # a parent that can be killed: its child hangs, or has nothing to do
    if sys.argv[1] == "idle":
        call = isolated(own_pid)
        Path(sys.argv[2]).write_text(str(call()))
        signal.pause()
    else:
        isolated(hangs)(Path(sys.argv[2]))
