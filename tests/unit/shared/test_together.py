"""What several threads ask for at a time is done as one, and each hears how its own went."""

import threading
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from shared.errors import Busy, Unavailable
from shared.together import Together

SESSION = "a session"


class Work:
    """Holds up its first call until all others wait; fails as it is told."""

    def __init__(self, fails: dict[str, BaseException] | None = None) -> None:
        self.fails = fails or {}
        self.done: list[list[str]] = []
        self.begun, self.go_on = threading.Event(), threading.Event()

    def __call__(self, ones: Sequence[str]) -> None:
        self.begun.set()
        assert self.go_on.wait(10)
        self.done.append(list(ones))
        for one in ones:
            if one in self.fails:
                raise self.fails[one]


def asked(work: Work, *ones: str) -> list[Future[None]]:
    """The first is at work before the others ask, and these wait in line before it goes on."""
    together = Together(work)
    with ThreadPoolExecutor(len(ones)) as threads:
        found = [threads.submit(together.do, SESSION, ones[0])]
        assert work.begun.wait(10)
        for count, one in enumerate(ones[1:], 1):
            found.append(threads.submit(together.do, SESSION, one))
            while len(together._lines[SESSION].wishes) < count:
                assert not found[-1].done()
        work.go_on.set()
    assert not together._lines, "nothing is kept of what is over"
    return found


def test_those_who_wait_are_done_together_in_the_order_in_which_they_came() -> None:
    work = Work()
    assert [each.result() for each in asked(work, "a", "b", "c", "d")] == [None] * 4
    assert work.done == [["a"], ["b", "c", "d"]]


def test_one_that_fails_fails_alone() -> None:
    work = Work({"c": ValueError("c")})
    errors = [each.exception() for each in asked(work, "a", "b", "c", "d")]
    assert [repr(error) for error in errors] == ["None", "None", "ValueError('c')", "None"]
    assert work.done == [["a"], ["b", "c", "d"], ["b"], ["c"], ["d"]]


def test_who_waits_for_another_alone_holds_up_nobody() -> None:
    busy = Busy("another one holds it")
    errors = [each.exception() for each in asked(Work({"c": busy}), "a", "b", "c", "d")]
    assert errors == [None, None, busy, None]


@pytest.mark.parametrize("error", [Unavailable("the database is away"), SystemExit()], ids=["an outage", "a panic"])
def test_nobody_who_waits_is_told_that_it_was_done_when_it_was_not(error: BaseException) -> None:
    work = Work(dict.fromkeys("bcd", error))
    first, *others = asked(work, "a", "b", "c", "d")
    assert first.exception() is None
    assert [each.exception() for each in others] == [error] * 3


def test_what_is_about_another_session_does_not_wait() -> None:
    work = Work()
    together = Together(work)
    with ThreadPoolExecutor(2) as threads:
        threads.submit(together.do, SESSION, "a")
        assert work.begun.wait(10)
        work.begun.clear()
        threads.submit(together.do, "another", "b")
        assert work.begun.wait(10), "it is at work, while the other one still is"
        work.go_on.set()
    assert sorted(work.done) == [["a"], ["b"]]


def test_what_is_asked_for_in_the_middle_of_the_work_does_not_wait_for_its_end() -> None:
    done: list[list[str]] = []

    def work(ones: Sequence[str]) -> None:
        if ones == ["a"]:
            together.do(SESSION, "b")
        done.append(list(ones))

    together = Together(work)
    together.do(SESSION, "a")
    assert done == [["b"], ["a"]]
