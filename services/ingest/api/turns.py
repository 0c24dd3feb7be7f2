"""Calls of which an account has a few at work at a time; its others wait, without a thread.

There are 40 threads for everybody's calls, and who has no thread is not even logged in. Slow calls hold one for long,
as they wait for decoders, for Etsy, for rows that are locked, or for much arithmetic. Quick ones come by the dozen, as
a page's pictures do. They take turns of their own, so that no page stands still for as long as slow calls take.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Hashable
from typing import Literal
from weakref import WeakValueDictionary

from fastapi import Depends, Request

from services.ingest.api.identity import Caller

AT_ONCE = 4
"""Calls of one account and kind: a few windows go on side by side, and it takes ten accounts to hold all threads with
slow calls."""


class Turns:
    """Of one process. Calls that are the same one's, and of the same kind, begin in the order in which they came."""

    def __init__(self) -> None:
        self._of = WeakValueDictionary[Hashable, asyncio.Semaphore]()  # kept by who waits or works

    @contextlib.asynccontextmanager
    async def of(self, whose: Hashable, kind: Literal["slow", "quick"]) -> AsyncIterator[None]:
        """Run the block when it is their turn."""
        turn = self._of.setdefault((whose, kind), asyncio.Semaphore(AT_ONCE))
        async with turn:
            yield


def turns_of(request: Request) -> Turns:
    """The application's."""
    turns: Turns = request.app.state.turns
    return turns


async def _slow(request: Request, user: Caller) -> AsyncIterator[None]:
    async with turns_of(request).of(user.id, "slow"):
        yield


async def _quick(request: Request, user: Caller) -> AsyncIterator[None]:
    async with turns_of(request).of(user.id, "quick"):
        yield


# Over before the answer is sent: a client that takes it slowly keeps nobody waiting.
SLOW, QUICK = (Depends(turn, scope="function") for turn in (_slow, _quick))
"""Among a call's `dependencies`, or a router's: it needs an account, and waits for that one's turn."""
