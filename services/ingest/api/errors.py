"""Errors as clients know them: `{"detail": "words"}`, or for a refused body a list of what is wrong with it."""

import math
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import IntegrityError
from starlette.datastructures import FormData
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.ingest.catalog.errors import InUse, Missing, Unusable
from services.ingest.catalog.shop import ShopRefused
from services.ingest.sessions.intake.admission import LATER_S
from shared.errors import Retryable
from shared.nas.errors import FULL, BadPath, FileGone

log = structlog.get_logger()

SECRETS = frozenset(
    {"password", "current_password", "new_password", "new_password_confirm", "token", "access_token", "refresh_token"}
)
SHOWN_CHARS, SHOWN_ENTRIES, SHOWN_DEPTH = 200, 20, 4


def add_handlers(app: FastAPI) -> None:
    """Give the app these shapes."""
    for error, status in ((Missing, 404), (FileGone, 404), (BadPath, 404), (InUse, 409), (Unusable, 422)):
        app.add_exception_handler(error, _words(status))
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(Retryable, _later)
    app.add_exception_handler(IntegrityError, _overtaken)
    app.add_exception_handler(ShopRefused, _shop)
    app.add_middleware(Unhandled)


class Unhandled:
    """Turns an error that nobody foresaw into a 500 while the layers around it can still add their headers.

    Without CORS headers a browser reports a network failure, and the client sends the whole upload again.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = False

        async def watch(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self.app(scope, receive, watch)
        except ClientDisconnect:
            log.info("the client went away", method=scope["method"], path=scope["path"])
        except Exception:
            number = uuid.uuid4().hex[:12]
            log.exception("unforeseen error", error_id=number, method=scope["method"], path=scope["path"])
            if started:
                raise  # too late for an answer; the server cuts the connection
            await JSONResponse({"detail": f"Server error {number}: please report this number."}, 500)(
                scope, receive, send
            )


def _words(status: int) -> Any:  # noqa: ANN401 - Starlette's handler type can't be named for one error class
    def handler(request: Request, error: Exception) -> JSONResponse:
        del request
        return JSONResponse({"detail": str(error)}, status)

    return handler


def _later(request: Request, error: Exception) -> JSONResponse:
    log.warning("can't answer now", path=request.url.path, cause=str(error))
    # The cause names hosts and paths of ours; it is for the log.
    if getattr(error.__cause__, "errno", None) in FULL:
        detail = "The server's disk is full; its operator has to make room. Nothing was kept: send it again later."
        return JSONResponse({"detail": detail}, 503, {"Retry-After": str(LATER_S)})
    detail = "A part of this server can't be reached right now; try again in a few seconds."
    return JSONResponse({"detail": detail}, 503, {"Retry-After": "5"})


def _overtaken(request: Request, error: Exception) -> JSONResponse:
    log.warning("overtaken by another change", path=request.url.path, cause=type(error).__name__)
    detail = "Something that this refers to was changed or removed meanwhile; reload the page and try again."
    return JSONResponse({"detail": detail}, 409)


def _shop(request: Request, error: Exception) -> JSONResponse:
    del request
    return JSONResponse({"detail": str(error)}, getattr(error, "status", 502))


def _invalid(request: Request, error: Exception) -> JSONResponse:
    del request
    problems = error.errors() if isinstance(error, RequestValidationError) else ()
    body = error.body if isinstance(error, RequestValidationError) else None
    return JSONResponse(
        {"detail": [_problem(problem) for problem in problems], "body_info": f"received: {_about(body)}"}, 422
    )


def _problem(problem: Mapping[str, Any]) -> dict[str, Any]:
    place = [part if isinstance(part, int) else _text(str(part)) for part in problem.get("loc", ())]
    given = "***" if SECRETS & {str(part) for part in place} else _shown(problem.get("input"), SHOWN_DEPTH)
    return {"type": problem["type"], "loc": place, "msg": _text(problem["msg"]), "input": given}


def _about(body: object) -> str:
    """What was received, in words: which fields it had, never what was in them."""
    if isinstance(body, FormData | Mapping):
        kind = "a form" if isinstance(body, FormData) else "a JSON object"
        names = ", ".join(_text(str(name)) for name in list(body)[:SHOWN_ENTRIES])
        return f"{kind} with the fields: {names}" if names else f"{kind} without fields"
    if isinstance(body, str | bytes):
        return f"{len(body)} characters that are not JSON"
    return "no body" if body is None else f"a JSON {type(body).__name__}"


def _shown(value: object, depth: int) -> object:
    """A value that JSON can hold, cut to a sensible length, with secrets masked."""
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, str):
        return _text(value)
    if depth and isinstance(value, Mapping):
        entries = list(value.items())[:SHOWN_ENTRIES]
        return {_text(str(k)): "***" if k in SECRETS else _shown(v, depth - 1) for k, v in entries}
    if depth and isinstance(value, Sequence) and not isinstance(value, bytes | bytearray):
        return [_shown(entry, depth - 1) for entry in value[:SHOWN_ENTRIES]]
    return f"({type(value).__name__})"


def _text(text: str) -> str:
    return text[:SHOWN_CHARS].encode(errors="replace").decode()
