"""The stand-in as an application: Etsy's calls, its consent page, and `/_fake` to look inside and to break things."""

import asyncio
from collections.abc import Awaitable, Callable
from email.utils import formatdate
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from services.etsy_fake import control, forms, listings, oauth, page, shops, uploads
from services.etsy_fake.faults import Fault
from services.etsy_fake.gate import TooMany, check_key, count, user_of
from services.etsy_fake.operations import Call, Operation
from services.etsy_fake.state import Etsy, EtsyError

OPERATIONS = (*shops.OPERATIONS, *listings.OPERATIONS, *uploads.OPERATIONS)

BAD_GATEWAY = "<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"

Endpoint = Callable[[Request], Awaitable[Response]]


def create_app(etsy: Etsy) -> Starlette:
    """The application over this state."""
    routes = [Route(each.path, _endpoint(etsy, each), methods=[each.method]) for each in OPERATIONS]
    routes += [
        Route("/v3/public/oauth/token", _token(etsy), methods=["POST"]),
        Route("/oauth/connect", _consent(etsy), methods=["GET", "POST"]),
        *control.routes(etsy),
        *page.routes(etsy),
    ]
    return Starlette(routes=routes)


def _endpoint(etsy: Etsy, operation: Operation) -> Endpoint:
    async def answer(request: Request) -> Response:
        fault = etsy.faults.take(operation.name)
        return await _troubled(fault, request, lambda: _answered(etsy, operation, request, fault))

    return answer


async def _answered(etsy: Etsy, operation: Operation, request: Request, fault: Fault | None) -> Response:
    headers: dict[str, str] = {}
    try:
        check_key(etsy, request.headers)
        headers = count(etsy, fault)
        user_id = user_of(etsy, operation, request.headers, fault)
        body = await forms.read(request, operation.encoding)
        base = str(request.base_url).rstrip("/")
        call = Call(etsy, base, user_id, dict(request.path_params), dict(request.query_params), body, fault)
        found, status = operation.handler(call), operation.status
    except TooMany as error:
        headers, found, status = {"retry-after": str(error.after_s)}, error.body, error.status
    except EtsyError as error:
        found, status = error.body, error.status
    etsy.log.append({"operation": operation.name, "path": request.url.path, "status": status})
    headers |= {"x-etsy-request-uuid": f"fake-{len(etsy.log)}", "date": formatdate(etsy.now(), usegmt=True)}
    return Response(status_code=204, headers=headers) if status == 204 else JSONResponse(found, status, headers)


async def _troubled(fault: Fault | None, request: Request, work: Callable[[], Awaitable[Response]]) -> Response:
    """The answer, or what its fault makes of it."""
    trouble, _, when = (fault.kind if fault else "").partition("-")
    if trouble not in TROUBLES or fault is None:
        return await work()
    if when == "after":
        await work()
    if trouble == "reset":
        await anext(request.stream(), b"")  # some of it has come
        if line := getattr(request.state, "line", None):
            line.abort()
    if trouble == "stall":
        await asyncio.sleep(fault.seconds)
    return TROUBLES[trouble]()


class Cut(Response):
    """An answer that ends in its middle: the server then closes the connection."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        del scope, receive
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"1000")]})
        await send({"type": "http.response.body", "body": b"{", "more_body": True})


TROUBLES: dict[str, Callable[[], Response]] = {
    "error": lambda: JSONResponse({"error": "Internal server error"}, 500),
    "html": lambda: HTMLResponse(BAD_GATEWAY, 502),
    "cut": Cut,
    "stall": Cut,
    "reset": Cut,
}


def _token(etsy: Etsy) -> Endpoint:
    async def answer(request: Request) -> Response:
        fault = etsy.faults.take("refreshToken")
        return await _troubled(fault, request, lambda: work(request))

    async def work(request: Request) -> Response:
        try:
            body = await forms.read(request, forms.FORM)
            found: Any = oauth.token(etsy, body.form)
        except EtsyError as error:
            return JSONResponse(error.body, error.status)
        return JSONResponse(found)

    return answer


def _consent(etsy: Etsy) -> Endpoint:
    async def answer(request: Request) -> Response:
        try:
            if request.method == "GET":
                return HTMLResponse(oauth.consent(etsy, request.query_params))
            body = await forms.read(request, forms.FORM)
            return RedirectResponse(oauth.allow(etsy, body.form), 302)
        except EtsyError as error:
            return HTMLResponse(f"<h1>Stand-in for Etsy</h1><p>{error}</p>", error.status)

    return answer
