"""An outage is asked about by one message at a time, not by every message in hand."""

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator

import structlog

from shared.errors import Busy, Unavailable

log = structlog.get_logger()

FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 5.0


class NoTurn(Exception):  # noqa: N818 - reads as what happened
    """The process stops, or the message was kept for as long as it may be, before the outage ended."""


class Breaker:
    """Closed while what every message needs is there; one for each service of a process.

    An `Unavailable` opens it. Then messages wait in line, and after a pause the first in line asks whether the outage
    is over. If it isn't, the message goes to the end of the line and the pause grows; if it is, all go on.
    """

    def __init__(self, stopping: asyncio.Event) -> None:
        self.stopping = stopping
        self.pause_s, self.said = 0.0, set[str]()  # pause above 0: open; causes logged, less names and numbers
        self.cause: Unavailable | None = None  # of the last outage, until somebody has told that it is over
        self._line = asyncio.Lock()  # fair; while the breaker is open, whoever holds it is the one that asks

    @contextlib.asynccontextmanager
    async def turn(self, until: float, *, first: bool) -> AsyncIterator[None]:
        """Run the block when it is this message's turn. If it is its `first` try, an `Unavailable` opens the breaker.

        One that fails again while others succeed has a trouble of its own, and must not hold them up for ever.
        Raises `NoTurn` if its turn did not come before `until` (the loop's clock), or before the process stops.
        """
        asks = self.pause_s > 0 and await self._asks(until)
        away = False
        try:
            yield
        except Unavailable as error:
            away = not isinstance(error, Busy)
            if away and (asks or (first and not self.pause_s)):
                if (words := re.sub(r"(?<!\w)'[^']*'|\d+", "", str(error))) not in self.said:
                    self.said.add(words)
                    log.warning("outage: messages wait", cause=str(error))
                self.pause_s, self.cause = longer(self.pause_s), error
            raise
        finally:
            if asks:
                self._line.release()
                if not away:  # any other answer is one
                    self.pause_s, self.said = 0.0, set()
                    log.warning("the outage is over: messages go on")

    async def _asks(self, until: float) -> bool:
        """Wait in line and pause; False when the outage is over before it is our turn to ask."""
        try:
            async with asyncio.timeout_at(until):
                await self._line.acquire()
        except TimeoutError as error:
            raise NoTurn from error
        asks = False
        try:
            if self.stopping.is_set() or await stopped_within(self.stopping, self.pause_s):
                raise NoTurn
            asks = self.pause_s > 0
        finally:
            if not asks:
                self._line.release()
        return asks


def longer(pause_s: float) -> float:
    """The next pause after this one; the first after 0."""
    return min(pause_s * 2, LONGEST_PAUSE_S) or FIRST_PAUSE_S


async def stopped_within(stopping: asyncio.Event, seconds: float) -> bool:
    """Wait so long, or until the process stops."""
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(stopping.wait(), seconds)
    return stopping.is_set()
