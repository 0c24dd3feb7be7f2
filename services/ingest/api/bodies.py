"""How much a request may send: what its call allows, counted as it comes, and with no long silence in between."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, ParamSpec

from fastapi import HTTPException, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.routing import APIRoute
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.ingest.api.identity import bearer, current_user
from services.ingest.api.resources import Resources
from services.ingest.api.turns import turns_of
from services.ingest.sessions.intake.admission import Door, Held, NotAdmitted

MIB = 1 << 20
PLAIN_BYTES = 8 * MIB  # the largest sensible one is a photograph's masks; FastAPI holds it in memory as a whole
FIELDS_BYTES = MIB
"""Room for what a form has beside its files: boundaries and a few fields."""

SILENCE_S = 60.0
"""How long a client may send nothing: one that was lost unnoticed, or stalls on purpose, takes room from others."""

Asked = ParamSpec("Asked")


def with_files(most: int) -> Any:  # noqa: ANN401 - FastAPI's type of these has no public name
    """The `form_limits` of a call for so many files: each takes a file descriptor, and a small one memory, too."""
    return {"max_files": most, "max_fields": 20, "max_part_size": 1 << 15}


class Bodies:
    """Ends a request whose body is larger than its call let it be with `allow`, or than 8 MB if that said nothing.

    It also ends one that brings nothing for a minute; one that comes slowly may go on.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            body = scope["presswork.body"] = _Body(receive, _length(scope))
            receive = body.receive
        await self.app(scope, receive, send)


def allow(request: Request, size: float, words: str) -> None:
    """Let this request's body have so many bytes; infinity: its reader has limits. `words` tell who sends more."""
    body: _Body = request.scope["presswork.body"]
    body.limit, body.words = size, words


def length(request: Request) -> int:
    """The body's length, as its head says; 0 when it does not."""
    return _length(request.scope)


def asking(ask: Callable[Asked, None]) -> Callable[Asked, None]:
    """The same question to the door, but with its "no" (`NotAdmitted`) as an answer to the client."""

    def asked(*args: Asked.args, **kwargs: Asked.kwargs) -> None:
        try:
            ask(*args, **kwargs)
        except NotAdmitted as refusal:
            retry = {"Retry-After": str(refusal.retry_after_s)}
            raise HTTPException(refusal.status, refusal.detail, retry) from refusal

    return asked


@contextlib.asynccontextmanager
async def let_in(door: Door, size: int) -> AsyncIterator[None]:
    """Keep so many bytes free for as long as the block takes. Without room, 503 before anything is read."""
    with door.holding() as held:
        await run_in_threadpool(_checked, door, size, held)
        yield


class CallerFirst(APIRoute):
    """For calls with `form_limits=with_files(...)`, which may get as many photographs as that, if there is room.

    FastAPI reads the whole form before it asks who sent it, which must be the other way. Photographs wait for decoders,
    so an account takes turns with itself.
    """

    def get_route_handler(self) -> Callable[[Request], Awaitable[Response]]:  # type: ignore[override]
        answer: Any = super().get_route_handler()
        files = self.form_limits.get("max_files", 0)

        async def guarded(request: Request) -> Response:
            using: Resources = request.app.state.resources
            user = await run_in_threadpool(current_user, using, bearer(request.headers.get("authorization")))
            async with contextlib.AsyncExitStack() as room:
                await room.enter_async_context(turns_of(request).of(user.id, "slow"))
                most = _allow_files(request, using, files)
                if using.door is not None:
                    await room.enter_async_context(let_in(using.door, length(request) or most))
                found: Response = await answer(request)
            return found

        return guarded if files else answer


class _Body:
    """One request's body on its way in."""

    def __init__(self, receive: Receive, declared: int) -> None:
        self.limit: float = PLAIN_BYTES
        self.words = f"The body is larger than {PLAIN_BYTES // MIB} MB."
        self.declared = declared
        self.received = 0
        self._receive = receive
        self._over = False

    async def receive(self) -> Message:
        self._check(self.declared)  # before anything of it is read
        message = await self._next()
        self.received += len(message.get("body", b""))
        self._check(self.received)
        return message

    async def _next(self) -> Message:
        if self._over:  # who reads on waits for the client to go away
            return await self._receive()
        try:
            async with asyncio.timeout(SILENCE_S):
                message = await self._receive()
        except TimeoutError as error:
            words = f"Nothing more of the request came for {SILENCE_S:.0f} seconds; send it again."
            raise HTTPException(408, words, {"Connection": "close"}) from error
        self._over = not message.get("more_body", False)
        return message

    def _check(self, size: int) -> None:
        if size > self.limit:
            raise HTTPException(413, self.words)


def _allow_files(request: Request, using: Resources, files: int) -> int:
    """Let it have as many bytes as so many photographs and a few fields may have; returns how many these are."""
    settings = using.settings
    most = min(settings.mockup_upload_max_megabytes, files * settings.mockup_max_megabytes) * MIB + FIELDS_BYTES
    words = f"These files have more than {most // MIB - 1} MB together; send fewer of them at a time, or smaller ones."
    allow(request, most, words)
    return most


def _length(scope: Scope) -> int:
    said = Headers(scope=scope).get("content-length", "")
    return int(said) if said.isdecimal() else 0


@asking
def _checked(door: Door, size: int, held: Held) -> None:
    door.check(size, held)
