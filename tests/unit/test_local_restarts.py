"""What dies again and again is started again and again, however long nobody mends it."""

import errno
import itertools
import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from services.local import children, process, restarts, servers

NIGHT = 6000  # looks; every twenty seconds here, so nobody lives for a minute


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    time = SimpleNamespace(monotonic=itertools.count(0.0, 20.0).__next__)
    monkeypatch.setattr(restarts, "time", time)


def dead() -> subprocess.Popen[bytes]:
    return cast("subprocess.Popen[bytes]", SimpleNamespace(poll=lambda: 1, returncode=1))


def test_a_server(monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[object] = []
    server = servers.Server("RabbitMQ", lambda: begun.append(1) or dead())  # type: ignore[func-returns-value]
    told: list[str] = []
    for _ in range(NIGHT):
        server.watch(told.append)
    assert len(begun) > 1100
    assert "in 1 s" in told[0]
    assert "in 32 s" in told[-1]


def test_a_service(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    begun: list[object] = []
    monkeypatch.setattr(process, "start", lambda *_, **__: begun.append(1) or dead())
    told: list[str] = []
    processes = children.Processes({}, tmp_path, told.append)
    processes.start("hasher", 1)
    for _ in range(NIGHT):
        processes.watch()
    assert len(begun) > 1100
    assert "in 1 s" in told[0]
    assert "in 32 s" in told[-1]


def test_what_can_not_be_started_just_now_is_tried_again_and_ends_nothing_else(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A full disk is what servers die of, and a machine without memory what services do."""
    answers = itertools.chain([dead()], [OSError(errno.ENOSPC, "No space left on device")] * 3, itertools.repeat(None))

    def begin(*_: object, **__: object) -> subprocess.Popen[bytes]:
        answer = next(answers)
        if isinstance(answer, OSError):
            raise answer
        return answer or cast("subprocess.Popen[bytes]", SimpleNamespace(poll=lambda: None))

    told: list[str] = []
    server = servers.Server("RabbitMQ", begin)
    while server.process.poll() is not None:
        server.watch(told.append)
    assert sum("RabbitMQ can't be started: [Errno 28] No space left" in line for line in told) == 3

    told.clear()
    answers = itertools.chain([dead()], [OSError(errno.ENOMEM, "Cannot allocate memory")] * 3, itertools.repeat(None))
    monkeypatch.setattr(process, "start", begin)
    processes = children.Processes({}, tmp_path, told.append)
    processes.start("hasher", 1)
    while processes.children["hasher", 1].poll() is not None:
        processes.watch()
    assert sum("hasher 1 can't be started: [Errno 12] Cannot allocate memory" in line for line in told) == 3
