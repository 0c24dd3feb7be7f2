"""What dies again and again is started again and again, however long nobody mends it."""

import itertools
import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from services.local import children, process, servers

NIGHT = 6000  # looks; every twenty seconds here, so nobody lives for a minute


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    time = SimpleNamespace(monotonic=itertools.count(0.0, 20.0).__next__)
    for module in (children, servers):
        monkeypatch.setattr(module, "time", time)


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
