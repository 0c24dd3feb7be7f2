"""How much a request may send before anybody has looked at it."""

from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import HTTPException, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.routing import APIRoute
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.ingest.api.identity import bearer, current_user

PLAIN_BYTES = 8 << 20  # the largest sensible one is a photograph's masks; FastAPI holds it in memory as a whole


class PlainBodies:
    """Ends requests with larger bodies than that, forms with files excepted: their readers have limits of their own."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not Headers(scope=scope).get("content-type", "").startswith("multipart/"):
            receive = _counted(receive)
        await self.app(scope, receive, send)


class CallerFirst(APIRoute):
    """For calls with files: FastAPI reads the whole form before it asks who sent it, which must be the other way."""

    def get_route_handler(self) -> Callable[[Request], Awaitable[Response]]:  # type: ignore[override]
        answer: Any = super().get_route_handler()

        async def guarded(request: Request) -> Response:
            token = bearer(request.headers.get("authorization"))
            await run_in_threadpool(current_user, request.app.state.resources, token)
            found: Response = await answer(request)
            return found

        return guarded


def _counted(receive: Receive) -> Receive:
    received = 0

    async def counting() -> Message:
        nonlocal received
        message = await receive()
        received += len(message.get("body", b""))
        if received > PLAIN_BYTES:
            raise HTTPException(413, f"The body is larger than {PLAIN_BYTES >> 20} MB.")
        return message

    return counting
