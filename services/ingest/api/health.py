"""Whether this process lives, and whether it can do its work."""

from typing import Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from services.ingest.api.resources import Using
from services.ingest.sessions.intake.admission import Door, NotAdmitted
from services.ingest.sessions.progress.delays import outline
from shared.errors import Retryable, Unavailable

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

    So is that uploads are refused, and which services wait: everything else is still answered. Nobody is
    logged in here: why they wait is told under `/api/v1/ops/waits`.
    """
    broker = using.broker_state().partition(":")[0]
    try:
        with using.transaction() as connection:
            waits = outline(connection)
    except Retryable:
        return JSONResponse({"status": "not ready", "database": "away", "broker": broker}, 503)
    uploads = {} if using.door is None else {"uploads": _uploads(using.door)}
    return JSONResponse({"status": "ready", "database": "ok", "broker": broker, **uploads, "waits_for": waits})


def _uploads(door: Door) -> str:
    try:
        door.check(0)
    except NotAdmitted as refusal:
        return refusal.detail
    except Unavailable:
        return "refused: a part of this server can't be reached right now"
    return "accepted"
