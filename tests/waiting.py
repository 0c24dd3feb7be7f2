"""Waiting for something to be so, without sleeping for luck."""

import time
from collections.abc import Callable
from typing import TypeVar

import httpx
from sqlalchemy import Engine, text

T = TypeVar("T")

Words = str | Callable[[], str]
WAITING = text("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'")


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


def somebody_waits(engine: Engine) -> bool:
    """Whether a transaction waits for a lock that another one holds."""
    with engine.connect() as connection:
        return bool(connection.execute(WAITING).scalar_one())
