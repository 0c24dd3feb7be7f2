"""Any seller's uploads, for operators and viewers: how they stand, and the receipt that says why a file failed."""

from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Query

from services.ingest import all_uploads
from services.ingest.api.identity import Viewer
from services.ingest.api.resources import Using

routes = APIRouter(prefix="/api/v1/ops", tags=["operators"])


@routes.get("/sessions")
def list_uploads(
    using: Using,
    viewer: Viewer,
    tenant: Annotated[str | None, Query(description="the seller: e-mail or user id", pattern=r"^[^\x00]*$")] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
    offset: Annotated[int, Query(ge=0, le=2**31 - 1)] = 0,
) -> dict[str, Any]:
    """Uploads with their sellers, newest first."""
    del viewer
    with using.transaction() as connection:
        return {"sessions": all_uploads.recent(connection, tenant, limit, offset, queue_of=using.neighbours.queue_of)}


@routes.get("/sessions/{session_id}")
def get_upload(using: Using, viewer: Viewer, session_id: str) -> dict[str, Any]:
    """One upload: by its own id, or by its client's."""
    del viewer
    return _one(session_id, all_uploads.whole(using.engine, session_id, using.neighbours.queue_of))


@routes.get("/sessions/{session_id}/receipt")
def get_receipt(using: Using, viewer: Viewer, session_id: str) -> dict[str, Any]:
    """What was received, and where every file went, as its seller can read it."""
    del viewer
    queue_of, scan_of = using.neighbours.queue_of, using.neighbours.scan_of
    return _one(session_id, all_uploads.receipts(using.engine, session_id, queue_of, scan_of))


def _one(name: str, found: list[dict[str, Any]]) -> dict[str, Any]:
    if not found:
        raise HTTPException(404, f"There is no upload {name}.")
    if len(found) > 1:
        raise HTTPException(409, f"Several sellers have an upload {name}: name it by the session_id in its receipt.")
    return found[0]
