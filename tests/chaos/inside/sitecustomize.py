"""Inside the processes under test: die, wait or fail at a function that a test has armed (`tests/chaos/failpoints.py`).

Python imports `sitecustomize` from PYTHONPATH before anything else, so the product needs no switch for its tests.
A shot is a file in the armed folder. Whoever renames it into the fired folder takes it: it works once, in one process.
"""

import datetime
import errno
import faulthandler
import functools
import importlib
import importlib.abc
import importlib.machinery
import inspect
import json
import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

FOLDER = Path(os.environ.get("FAILPOINTS", "/nonexistent"))
ARMED, FIRED = FOLDER / "armed", FOLDER / "fired"
TARGETS = tuple(filter(None, os.environ.get("FAILPOINT_TARGETS", "").split(",")))
# `python -m services.hasher`, or `python -m services.cli run --data DIR ingest`
SERVICE = sys.orig_argv[-1].rpartition(".")[2]
AHEAD_S = float(os.environ.get("CLOCK_AHEAD_S", "0"))


class Finder(importlib.abc.MetaPathFinder):
    """Wraps the functions of a target's module as soon as it is imported."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, _target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        wanted = [point for point in TARGETS if point.partition(":")[0] == fullname]
        spec = importlib.machinery.PathFinder.find_spec(fullname, path) if wanted else None
        if spec is None or spec.loader is None:
            return None
        execute = spec.loader.exec_module

        def exec_module(module: ModuleType) -> None:
            execute(module)
            for point in wanted:
                wrap(module, point)

        spec.loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec


def wrap(module: ModuleType, point: str) -> None:
    """A name that is not there ends the process: a test must not believe that it has armed something."""
    *path, name = point.partition(":")[2].split(".")
    owner: Any = functools.reduce(getattr, path, module)
    function: Callable[..., Any] = getattr(owner, name)

    @functools.wraps(function)
    def plain(*args: Any, **kwargs: Any) -> Any:
        reached(point, "before", args)
        answer = function(*args, **kwargs)
        reached(point, "after", args)
        return answer

    @functools.wraps(function)
    async def waiting(*args: Any, **kwargs: Any) -> Any:
        reached(point, "before", args)
        answer = await function(*args, **kwargs)
        reached(point, "after", args)
        return answer

    setattr(owner, name, waiting if inspect.iscoroutinefunction(function) else plain)


def reached(point: str, when: str, args: Sequence[object]) -> None:
    for file in sorted(ARMED.iterdir()):
        try:
            shot = json.loads(file.read_text())
        except FileNotFoundError:
            continue  # another process was faster
        if (shot["point"], shot["when"]) == (point, when) and concerns(shot, args) and taken(file, shot):
            act(shot["action"], args)
            return


def concerns(shot: dict[str, Any], args: Sequence[object]) -> bool:
    return shot["service"] in ("", SERVICE) and all(mentioned(needle, args) for needle in shot["needles"])


def mentioned(needle: str, args: Sequence[object]) -> bool:
    parts = [part for value in args for part in (value, getattr(value, "body", b""), getattr(value, "headers", b""))]
    return any(needle.encode() in (part if isinstance(part, bytes) else repr(part).encode()) for part in parts)


def taken(file: Path, shot: dict[str, Any]) -> bool:
    try:
        if shot["lasting"]:
            (FIRED / f"{file.name}.{time.monotonic_ns()}").write_text(str(os.getpid()))
        else:
            file.rename(FIRED / file.name)
    except FileNotFoundError:
        return False
    return True


def act(action: str, args: Sequence[object]) -> None:
    verb, _, rest = action.partition(":")
    if verb == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    elif verb == "sleep":
        time.sleep(float(rest))
    elif verb == "torn":  # half a file, and then nothing more
        Path(str(args[-1])).write_bytes(b"half")
        raise OSError(errno.EIO, os.strerror(errno.EIO))
    elif verb == "oserror":
        number = getattr(errno, rest)
        raise OSError(number, os.strerror(number))
    elif verb == "raise":
        module, name = rest.split(":")
        raise getattr(importlib.import_module(module), name)("a test wanted it")


class Ahead(datetime.datetime):
    """The clock of a machine that is wrong."""

    @classmethod
    def now(cls, tz: datetime.tzinfo | None = None) -> datetime.datetime:
        return super().now(tz) + datetime.timedelta(seconds=AHEAD_S)


# a round that got stuck asks every process where it is; the answer is in its log
faulthandler.register(signal.SIGUSR1)
if AHEAD_S:
    true_time = time.time
    time.time = lambda: true_time() + AHEAD_S
    datetime.datetime = Ahead  # type: ignore[misc]
if TARGETS:
    sys.meta_path.insert(0, Finder())
