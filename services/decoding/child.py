"""The process that decodes: `python -m services.decoding.child DESCRIPTOR`.

It may die of what it reads, and nobody else. It reads nothing but what comes through the pipe, and ends with it. See
`isolation.py` for its other end.
"""

import contextlib
import ctypes
import faulthandler
import re
import resource
import signal
import sys
import traceback
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from pkgutil import resolve_name
from typing import Any

from services.decoding.answers import Answer, ChildFailed, Refusal
from shared.errors import Permanent, Retryable

PR_SET_PDEATHSIG = 1  # linux/prctl.h
FIRST_TO_GO = 1000  # the highest score; among several children the kernel takes the largest

M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4  # glibc's malloc.h
KEPT_BYTES = 2**31 - 1  # the most that mallopt takes, an int: nothing is given back but by `_give_back_memory`

IDLE_S = 10.0
"""With one second a hasher gave its memory back between two batches, and took it anew (docs/performance.md)."""


def main() -> None:
    """Make the function, then call it for each question until the parent hangs up."""
    _die_before_others()
    keep_memory()
    with Connection(int(sys.argv[1])) as connection, contextlib.suppress(EOFError, ConnectionError):
        name, arguments, memory_bytes = connection.recv()
        work = resolve_name(name)(*arguments)
        if memory_bytes is not None:
            _limit_memory(memory_bytes)
        connection.send(Answer())
        while True:
            if not connection.poll(IDLE_S):
                _give_back_memory()
            args, kwargs = connection.recv()
            connection.send(_answer(work, args, kwargs))


@contextlib.contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """Let the kernel end this process, by SIGALRM, if the block takes longer: C code that hangs can't prevent it.

    Not a limit on the whole call: a blob store that does not answer for a while is no fault of the file.
    """
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def _answer(work: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Answer:
    try:
        return Answer(work(*args, **kwargs))
    except Refusal as refusal:
        return Answer(error=refusal, last=refusal.last)
    except (Retryable, Permanent) as error:
        return Answer(error=error)
    except Exception as error:  # noqa: BLE001 - a bug of ours: the bus decides about it, at the other end
        # not itself: the parent would need the library that it is of
        return Answer(error=ChildFailed(f"{type(error).__name__}: {error}", traceback.format_exc()), last=True)


def _die_before_others() -> None:
    """With the parent, and before it when memory runs out; and say in the log where it was."""
    faulthandler.enable()
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    faulthandler.register(signal.SIGALRM, chain=True)
    if sys.platform != "linux":
        return
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    with contextlib.suppress(OSError):  # in a sandbox that hides /proc: the kernel then takes whom it likes
        Path("/proc/self/oom_score_adj").write_text(str(FIRST_TO_GO))


def _limit_memory(more_bytes: int) -> None:
    """Let this process allocate so much more than it has now: a decoder gone wild gets an error, not the machine.

    A container's limit would not do: Kubernetes kills the whole container, and the file would come again.
    """
    if sys.platform != "linux":  # elsewhere this limit does not hold for mmap, which is what malloc uses
        return
    status = Path("/proc/self/status")  # missing in a sandbox that hides /proc
    has = re.search(r"^VmData:\s+(\d+) kB", status.read_text() if status.exists() else "", re.MULTILINE)
    if has:
        _, hard = resource.getrlimit(resource.RLIMIT_DATA)
        most = int(has[1]) * 1024 + more_bytes
        resource.setrlimit(resource.RLIMIT_DATA, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))


def keep_memory() -> None:
    """Take no picture's memory from the system anew: touching fresh pages costs a third of the work on a picture.

    It is kept between pictures that follow each other, and given back when none has come for a while.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:  # only glibc has both
        mallopt(M_MMAP_MAX, 0)
        mallopt(M_TRIM_THRESHOLD, KEPT_BYTES)


def _give_back_memory() -> None:
    """What glibc keeps for the next picture."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:  # only glibc has it
        trim(0)


if __name__ == "__main__":
    main()
