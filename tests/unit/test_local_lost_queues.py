"""A broker of our own whose queues are dead is ended, and no other one."""

import itertools
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from types import SimpleNamespace

import pytest

from services.local import lost_queues
from services.local.lost_queues import LostQueues
from services.local.servers import Server
from shared.errors import Unavailable

LOST = {"ingest": 0, "hasher": 0}
STEP_S = 5.0


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    time = SimpleNamespace(monotonic=itertools.count(1000.0, STEP_S).__next__)
    monkeypatch.setattr(lost_queues, "time", time)


@pytest.fixture
def server() -> Iterator[Server]:
    command = [sys.executable, "-c", "import signal; signal.pause()"]
    found = Server("RabbitMQ", lambda: subprocess.Popen(command))
    yield found
    found.process.kill()
    found.process.wait()


def told(
    server: Server, answers: Callable[[], Mapping[str, int]], *, serving: bool = True, looks: int = 400
) -> list[str]:
    """What is said in so many looks."""
    said: list[str] = []
    watch = LostQueues(server, answers, lambda: serving)
    for _ in range(looks):
        watch.watch(said.append)
        if watch._answer is not None:
            watch._answer.exception(10)  # until it is there
        if said:
            break
    return said


def test_a_node_whose_queues_nobody_can_consume_is_ended(server: Server) -> None:
    asked: list[float] = []

    def nobody() -> Mapping[str, int]:
        asked.append(1)
        return LOST

    (line,) = told(server, nobody)

    assert line == "RabbitMQ gives no service its messages, as after its disk was full: it is ended"
    assert server.process.wait(10) < 0
    assert len(asked) > 2  # not at the first sight


def test_a_node_that_anybody_consumes_from_goes_on(server: Server) -> None:
    assert told(server, lambda: LOST | {"hasher": 1}) == []
    assert server.process.poll() is None


def test_a_node_is_not_ended_while_it_can_not_be_asked(server: Server) -> None:
    """It starts, or its disk is full just now: it takes no messages then, and goes on by itself."""
    answers = itertools.cycle([LOST, LOST, Unavailable("RabbitMQ takes no messages")])

    def now_and_then() -> Mapping[str, int]:
        answer = next(answers)
        if isinstance(answer, Unavailable):
            raise answer
        return answer

    assert told(server, now_and_then) == []
    assert server.process.poll() is None


def test_a_node_is_not_to_blame_while_a_service_does_not_run(server: Server) -> None:
    assert told(server, lambda: LOST, serving=False) == []
    assert server.process.poll() is None
