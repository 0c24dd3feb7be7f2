"""Cancelling a session, or one file of it."""

from collections.abc import Callable
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, HTTPException
from fastapi.concurrency import run_in_threadpool

from services.ingest.api.native import owner_of
from services.ingest.catalog.users import User
from services.ingest.sessions.lifecycle.records import Session
from services.ingest.sessions.serving import views
from services.ingest.sessions.serving.upload_calls import Desk


def router(desk: Desk, current_user: Callable[..., User]) -> APIRouter:
    """Two calls of `/api/v1`, for the session's owner only. Both are safe to repeat."""
    routes = APIRouter(prefix="/api/v1", tags=["uploads"])
    mine = Annotated[Session, Depends(owner_of(desk, current_user))]

    async def cancelled(session: Session, item_id: UUID | None) -> dict[str, Any]:
        done = await desk.cancel(session, item_id)
        if done is None:
            raise HTTPException(404, f"Session {session.id} has no file {item_id}.")
        now = await run_in_threadpool(desk.sessions.get, session.user_id, session.id)
        counts = {"files": done.files, "listings": done.listings}
        return {"cancelled": counts, "message": str(done), "session": views.session(now or session)}

    @routes.post("/sessions/{session_id}/cancel")
    async def cancel_session(session: mine) -> dict[str, Any]:
        """Cancel what is unfinished: it ends as failed, in words. What is stored or listed stays so."""
        return await cancelled(session, None)

    @routes.post("/sessions/{session_id}/items/{item_id}/cancel")
    async def cancel_item(session: mine, item_id: UUID) -> dict[str, Any]:
        """Cancel one file, and its listings that are not made yet. The files behind it go on."""
        return await cancelled(session, item_id)

    return routes
