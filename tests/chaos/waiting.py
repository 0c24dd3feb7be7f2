"""Waiting for something to be so, without sleeping for luck."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


Words = str | Callable[[], str]


def until(check: Callable[[], T | None], *, within_s: float = 60, what: Words = "it did not happen in time") -> T:
    """Ask until there is an answer. `what` says what was missing, or looks at the end what it was."""
    deadline = time.monotonic() + within_s
    while (answer := check()) is None:
        assert time.monotonic() < deadline, what() if callable(what) else what
        time.sleep(0.05)
    return answer
