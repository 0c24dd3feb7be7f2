"""Cancelling a session, or one file of it, for its owner only. Both calls are safe to repeat."""

from typing import Any
from uuid import UUID

from fastapi import APIRouter, HTTPException
from fastapi.concurrency import run_in_threadpool

from services.ingest.api.resources import AtDesk
from services.ingest.api.sessions import Mine
from services.ingest.api.turns import SLOW
from services.ingest.sessions.lifecycle.records import Session
from services.ingest.sessions.serving import views
from services.ingest.sessions.serving.upload_calls import Desk

routes = APIRouter(prefix="/api/v1", tags=["uploads"], dependencies=[SLOW])


@routes.post("/sessions/{session_id}/cancel")
async def cancel_session(session: Mine, desk: AtDesk) -> dict[str, Any]:
    """Cancel what is unfinished: it ends as failed, in words. What is stored or listed stays so."""
    return await _cancelled(desk, session, None)


@routes.post("/sessions/{session_id}/items/{item_id}/cancel")
async def cancel_item(session: Mine, desk: AtDesk, item_id: UUID) -> dict[str, Any]:
    """Cancel one file, and its listings that are not made yet. The files behind it go on."""
    return await _cancelled(desk, session, item_id)


async def _cancelled(desk: Desk, session: Session, item_id: UUID | None) -> dict[str, Any]:
    done = await desk.cancel(session, item_id)
    if done is None:
        raise HTTPException(404, f"Session {session.id} has no file {item_id}.")
    now = await run_in_threadpool(desk.sessions.get, session.user_id, session.id)
    counts = {"files": done.files, "listings": done.listings}
    return {"cancelled": counts, "message": str(done), "session": views.session(now or session)}
