"""Waiting for something to be so, without sleeping for luck."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def until(check: Callable[[], T | None], *, within_s: float = 60, what: str = "it did not happen in time") -> T:
    """Ask until there is an answer."""
    deadline = time.monotonic() + within_s
    while (answer := check()) is None:
        assert time.monotonic() < deadline, what
        time.sleep(0.05)
    return answer
