"""Waiting for something to be so, without sleeping for luck."""

import time
from collections.abc import Callable
from typing import TypeVar

import httpx

T = TypeVar("T")

Words = str | Callable[[], str]


def until(check: Callable[[], T | None], *, within_s: float = 60, what: Words = "it did not happen in time") -> T:
    """Ask until the answer is true, and return it. `what` says what was missing, or looks at the end what it was."""
    deadline = time.monotonic() + within_s
    while not (answer := check()):
        assert time.monotonic() < deadline, what() if callable(what) else what
        time.sleep(0.05)
    return answer


def eventually(check: Callable[[], T | None], within_s: float = 60) -> T:
    """As `until`, of a server that may be away meanwhile."""

    def asked() -> T | None:
        try:
            return check()
        except httpx.TransportError:
            return None

    return until(asked, within_s=within_s)
