"""Answers that take long, over connections that proxies and browsers cut when they are silent."""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from typing import Any

from fastapi.encoders import jsonable_encoder
from fastapi.responses import JSONResponse, Response, StreamingResponse

AT_ONCE_S = 5.0
SIGN_OF_LIFE_S = 10.0


async def answer(work: Awaitable[dict[str, Any]], status: int) -> Response:
    """The JSON that `work` gives. After five seconds, blanks go ahead of it: JSON may begin with white space.

    An error after that cuts the connection; the client then asks again and joins the same work.
    """
    task = asyncio.ensure_future(work)
    await asyncio.wait({task}, timeout=AT_ONCE_S)
    if task.done():
        return JSONResponse(jsonable_encoder(task.result()), status)

    async def body() -> AsyncIterator[bytes]:
        while not task.done():
            yield b" "
            await asyncio.wait({task}, timeout=SIGN_OF_LIFE_S)
        yield bytes(JSONResponse(jsonable_encoder(task.result())).body)

    return StreamingResponse(body(), status, media_type="application/json", headers={"X-Accel-Buffering": "no"})
