"""Call a function in a process that may die of it: of a codec's segfault, of too little memory, of never coming back.

`concurrent.futures` would tell neither the signal nor the time, and breaks the whole pool where one child breaks.
"""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import weakref
from collections.abc import Iterator
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Generic, ParamSpec, TypeVar, cast

import structlog

from services.decoding.answers import Answer
from shared.errors import Unavailable

P = ParamSpec("P")
R = TypeVar("R")

log = structlog.get_logger()

START_S = 120.0
"""A hasher's start took 0.7 to 3.6 s on two busy cores, and takes more where a cold, slow disk has the libraries. With
too short a limit no picture comes through; too long a one only delays the word of a hang."""
END_S = 5.0
"""What was killed or has closed its pipe is gone at once, unless it waits for a disk; nobody is kept for that."""
# Services scale by processes; number libraries with a thread for each core would fight for the same ones.
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


class Died(Exception):  # noqa: N818 - reads as what happened
    """The child ended over a call. `how`: "signal SIGSEGV", "status 1"."""

    def __init__(self, how: str) -> None:
        super().__init__(how)
        self.how = how


class TookTooLong(Exception):  # noqa: N818
    """The child was ended by SIGALRM: what it did came to no end."""


class Isolated(Generic[P, R]):
    """A function that runs in a child process, one child for each thread that calls it, started at its first call.

    The child makes the function by calling `name` ("package.module:callable") with `arguments`, so that this process
    needs none of its libraries. A child may allocate `memory_bytes` more than it has when it is ready.
    """

    def __init__(self, name: str, arguments: tuple[Any, ...], *, memory_bytes: int | None = None) -> None:
        self.setup = (name, arguments, memory_bytes)
        self._of_thread = threading.local()
        self._room = _Room()

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Call it; if its child dies, once more in a new one and with no other call beside it.

        Raises:
            Died: both children died.
            TookTooLong: it ran out of the time that it gave itself (`child.at_most`).
            ChildFailed: it raised what is none of the service's own errors; those are raised as they are.
            Unavailable: no child can be started.
        """
        try:
            with self._room.shared():
                answer = self._ask(args, kwargs)
        except Died as death:
            log.warning("a child process died; what it worked on is tried once more, alone", cause=death.how)
            with self._room.alone():
                answer = self._ask(args, kwargs)
        if answer.error is not None:
            raise answer.error
        return cast("R", answer.value)

    def _ask(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Answer:
        child: _Child | None = getattr(self._of_thread, "child", None)
        # It is the thread's own because the kernel ends it with the thread that started it (PR_SET_PDEATHSIG).
        self._of_thread.child = None
        if child is None or not child.lives():
            child = _Child(self.setup)
        try:
            answer = child.ask((args, kwargs))
        except BaseException:
            child.end()  # whatever it still says would be taken for the next answer
            raise
        if answer.last:
            child.end()
        else:
            self._of_thread.child = child
        return answer


class _Child:
    """One process and the pipe to it. It ends with this object, at the latest."""

    def __init__(self, setup: tuple[str, tuple[Any, ...], int | None]) -> None:
        self.connection, theirs = Pipe()
        try:
            with theirs:
                self.process = _start(theirs.fileno())
        except OSError as error:  # no memory, no process slot
            self.connection.close()
            raise Unavailable(f"no process to decode in can be started: {error}") from error
        self.end = weakref.finalize(self, _end, self.process, self.connection)
        try:
            self.ask(setup, START_S)
        except (Died, TookTooLong) as error:
            self.end()
            raise Unavailable(f"the process to decode in did not start ({error}); its log says why") from error

    def lives(self) -> bool:
        return self.process.poll() is None

    def ask(self, question: object, limit_s: float | None = None) -> Answer:
        try:
            self.connection.send(question)
            if not self.connection.poll(limit_s):
                raise TookTooLong(f"no answer within {limit_s:g} s")
            return cast("Answer", self.connection.recv())
        except (EOFError, ConnectionError) as error:
            how = self._how()
            raise (TookTooLong(how) if how == "signal SIGALRM" else Died(how)) from error

    def _how(self) -> str:
        try:
            status = self.process.wait(END_S)
        except subprocess.TimeoutExpired:
            return "it closed its pipe"
        return f"signal {signal.Signals(-status).name}" if status < 0 else f"status {status}"


class _Room:
    """Many at a time, or one alone."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._inside = 0
        self._reserved = False

    @contextlib.contextmanager
    def shared(self) -> Iterator[None]:
        with self._changed:
            self._changed.wait_for(lambda: not self._reserved)
            self._inside += 1
        try:
            yield
        finally:
            with self._changed:
                self._inside -= 1
                self._changed.notify_all()

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        with self._changed:
            self._changed.wait_for(lambda: not self._reserved)
            self._reserved = True
        try:
            with self._changed:
                self._changed.wait_for(lambda: not self._inside)
            yield
        finally:
            with self._changed:
                self._reserved = False
                self._changed.notify_all()


def _start(descriptor: int) -> subprocess.Popen[bytes]:
    """Start a child that hears neither Ctrl-C nor SIGTERM: it goes on while its parent finishes what it has begun.

    A blocked signal stays blocked from before the child's first instruction; ignoring it would come a moment too late.
    """
    path = os.pathsep.join(str(Path(entry).absolute()) for entry in sys.path)
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    try:
        return subprocess.Popen(  # noqa: S603 - ourselves, no shell
            [sys.executable, "-P", "-m", "services.decoding.child", str(descriptor)],
            env={**ONE_THREAD, **os.environ, "PYTHONPATH": path},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            pass_fds=[descriptor],
        )
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _end(process: subprocess.Popen[bytes], connection: Connection) -> None:
    connection.close()
    process.kill()
    with contextlib.suppress(subprocess.TimeoutExpired):  # it waits for a disk, and is killed when that answers
        process.wait(END_S)
