"""Whether this process lives, and whether it can do its work."""

from typing import Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from services.ingest.api.resources import Using
from services.ingest.sessions.delays import current
from shared.errors import Retryable

routes = APIRouter(tags=["health"])


@routes.get("/health")
async def health() -> dict[str, Any]:
    """The process answers. Needs no thread, so it does so under any load."""
    return {"status": "healthy", "service": "ingest"}


@routes.get("/ping")
async def ping() -> dict[str, Any]:
    """The process answers."""
    return {"status": "ok", "message": "pong"}


@routes.get("/ready")
def ready(using: Using) -> JSONResponse:
    """503 while the database is away. Without the broker this server still works, only slower, so that is but told.

    So is why uploads are refused, and what services wait for: everything else is still answered.
    """
    try:
        with using.transaction() as connection:
            waits = current(connection)
    except Retryable:
        return JSONResponse({"status": "not ready", "database": "away", "broker": using.broker_state()}, 503)
    uploads = {} if using.door is None else {"uploads": using.door.trouble() or "accepted"}
    told = {"database": "ok", "broker": using.broker_state(), **uploads, "waits_for": waits}
    return JSONResponse({"status": "ready", **told})
