"""Sellers try again what failed: a whole session, or one file of it.

Asking twice does it once: what is being worked on again has not failed.
"""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from fastapi import APIRouter, HTTPException

from services.ingest import retrying
from services.ingest.api.identity import Caller
from services.ingest.api.resources import AtDesk, Using
from services.ingest.api.sessions import Mine
from services.ingest.api.turns import SLOW
from services.ingest.catalog.users import User
from services.ingest.sessions.lifecycle.records import Session
from services.ingest.sessions.serving import views
from services.ingest.sessions.serving.upload_calls import Desk

routes = APIRouter(prefix="/api/v1", tags=["uploads"], dependencies=[SLOW])


@routes.post("/sessions/{session_id}/retry")
def retry_session(session: Mine, desk: AtDesk, user: Caller) -> dict[str, Any]:
    """Try again every file and listing that failed. Rejected files and duplicates stay as they are."""
    return _retry(desk, session, user)


@routes.post("/sessions/{session_id}/items/{item_id}/retry")
def retry_item(session: Mine, desk: AtDesk, user: Caller, using: Using, item_id: UUID) -> dict[str, Any]:
    """Try again one file that failed, or the failed listings of one that is stored.

    One that is listed at Etsy is looked up there: if somebody has deleted it, it is listed anew.
    """
    found = [row for row in desk.sessions.items(session) if row["id"] == item_id]
    if not found:
        raise HTTPException(404, f"Your session has no file {item_id}.")
    if listed := desk.sessions.at_etsy(user.id, item_id):
        desk.sessions.gone(user.id, using.shop.deleted(user, listed))
    return _retry(desk, session, user, found[0])


def _retry(desk: Desk, session: Session, user: User, *asked: Mapping[str, Any]) -> dict[str, Any]:
    done = retrying.retry(desk.sessions, desk.prints, session, user.email, asked)
    desk.bell.ring()
    now = desk.sessions.get(user.id, session.id) or session
    return {
        "session_id": session.id,
        "state": now.state,
        "retried": [{"item_id": row.id, "filename": row.filename} for row in done.opened.files],
        "listings_retried": len(done.opened.listings),
        "message": done.words,
        "totals": views.totals(now),
    }
