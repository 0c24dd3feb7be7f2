"""An HTTP server with two calls: `/discard` reads a body as ASGI hands it out, `/keep` as ingest does, into blobs."""

import os
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from services.ingest.api.receiving import Limits, receive
from shared.blobs import Blobs

LIMITS = Limits(files=1000, file_bytes=2 << 30)


async def discard(request: Request) -> PlainTextResponse:
    """The limit: nothing reads faster."""
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
    return PlainTextResponse(str(size))


async def keep(request: Request) -> PlainTextResponse:
    """Parsed, hashed, written and synced."""
    form = await receive(request, Blobs(Path(os.environ["BENCH_BLOBS"])), LIMITS, "files")
    return PlainTextResponse(str(sum(file.upload.size for file in form.files)))


app = Starlette(routes=[Route(path, call, methods=["POST"]) for path, call in (("/discard", discard), ("/keep", keep))])
