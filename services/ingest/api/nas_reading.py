"""Files that calls read from the NAS: one that answers slowly takes a few threads, and never those of all calls."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Annotated, ParamSpec, TypeVar

from fastapi import Depends, HTTPException, Request
from fastapi.concurrency import run_in_threadpool

from services.ingest.api.turns import Turns

OF_ALL_SHOPS = 10
"""Of the 40 threads. One shop has as many as an account has slow calls, as it may have a NAS of its own."""
WAIT_S = 20.0
"""For the beginning of a file; what was begun is read to its end."""
BUSY = "The NAS answers slowly, and other files are being read from it; try again in a few seconds."

Asked = ParamSpec("Asked")
Found = TypeVar("Found")


class NasReading:
    """Of one process. Who waits for a thread has none, and gets one in turn."""

    def __init__(self) -> None:
        self._of_shop, self._of_all = Turns(), asyncio.Semaphore(OF_ALL_SHOPS)

    async def begin(self, shop: str, ask: Callable[Asked, Found], *args: Asked.args, **kwargs: Asked.kwargs) -> Found:
        """What the NAS answers. 503 when others have kept the threads for too long."""
        async with contextlib.AsyncExitStack() as turn:
            try:
                async with asyncio.timeout(WAIT_S):
                    await turn.enter_async_context(self._thread(shop))
            except TimeoutError as error:
                raise HTTPException(503, BUSY, {"Retry-After": "5"}) from error
            return await run_in_threadpool(ask, *args, **kwargs)

    async def opened(self, shop: str, pieces: Iterator[bytes]) -> AsyncIterator[bytes]:
        """The same pieces. The first one opens the file: what can go wrong should do so before the answer has begun."""
        first = await self.begin(shop, next, pieces, None)
        return self._rest(shop, first, pieces)

    async def _rest(self, shop: str, piece: bytes | None, pieces: Iterator[bytes]) -> AsyncIterator[bytes]:
        while piece is not None:
            yield piece  # without a thread: its client may be slow, too
            async with self._thread(shop):
                piece = await run_in_threadpool(next, pieces, None)

    @contextlib.asynccontextmanager
    async def _thread(self, shop: str) -> AsyncIterator[None]:
        async with self._of_shop.of(shop, "slow"), self._of_all:
            yield


async def _of_app(request: Request) -> NasReading:
    found: NasReading = request.app.state.nas_reading
    return found


Reading = Annotated[NasReading, Depends(_of_app)]
"""A parameter of this type gets the application's."""
