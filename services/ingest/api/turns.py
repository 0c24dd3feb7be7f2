"""Calls that hold a thread for long, as they wait for decoders, for Etsy, or for much arithmetic.

There are 40 threads for everybody's calls, and who has no thread is not even logged in. So an account has a few of
these calls at work at a time; its others wait, without a thread.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any
from uuid import UUID
from weakref import WeakValueDictionary

from fastapi import Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.routing import APIRoute

from services.ingest.api.identity import bearer, current_user
from services.ingest.api.resources import Resources

AT_ONCE = 4
"""Calls of one account: a few windows go on side by side, and it takes ten accounts to hold all threads."""


class Turns:
    """Of one process. An account's first calls go first."""

    def __init__(self) -> None:
        self._of: WeakValueDictionary[UUID, asyncio.Semaphore] = WeakValueDictionary()  # kept by who waits or works

    @contextlib.asynccontextmanager
    async def of(self, user_id: UUID) -> AsyncIterator[None]:
        """Run the block when it is this account's turn."""
        turn = self._of.setdefault(user_id, asyncio.Semaphore(AT_ONCE))
        async with turn:
            yield


class InTurn(APIRoute):
    """For calls that need an account and hold a thread for long."""

    def get_route_handler(self) -> Callable[[Request], Awaitable[Response]]:  # type: ignore[override]
        answer: Any = super().get_route_handler()

        async def in_turn(request: Request) -> Response:
            using: Resources = request.app.state.resources
            user = await run_in_threadpool(current_user, using, bearer(request.headers.get("authorization")))
            async with turns_of(request).of(user.id):
                found: Response = await answer(request)
            return found

        return in_turn


def turns_of(request: Request) -> Turns:
    """The application's."""
    turns: Turns = request.app.state.turns
    return turns
