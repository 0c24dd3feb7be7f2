"""Presswork's own API, `/api/v1`: sessions, items with state and reason, events, receipt; each only for its owner."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Header, HTTPException, Query

from services.ingest.api.identity import Caller
from services.ingest.api.resources import AtDesk, Using
from services.ingest.api.streams import EventStream, as_events, event_body, events
from services.ingest.catalog.users import User
from services.ingest.sessions.lifecycle.records import Session
from services.ingest.sessions.serving import views
from services.ingest.sessions.serving.uncompared import uncompared
from services.ingest.sessions.serving.upload_calls import Desk

routes = APIRouter(prefix="/api/v1", tags=["uploads"])

MAX_PLACE = 2**31 - 1  # PostgreSQL's integer
Place = Annotated[int, Query(ge=0, le=MAX_PLACE)]


def owned(session_id: str, user: Caller, desk: AtDesk) -> Session:
    """The caller's session, by its own id, or by the id that the client chose. 404 for anybody else's."""
    found = desk.sessions.find(user.id, session_id) or _by_id(desk, user, session_id)
    if found is None:
        raise HTTPException(404, f"You have no session {session_id}.")
    return found


Mine = Annotated[Session, Depends(owned)]
"""A parameter of this type gets the caller's session that the path names."""


@routes.get("/sessions")
def list_sessions(
    user: Caller, desk: AtDesk, limit: Annotated[int, Query(ge=1, le=500)] = 50, offset: Place = 0
) -> dict[str, Any]:
    """Your sessions, newest first."""
    found = desk.sessions.recent(user.id, limit, offset)
    return {"sessions": [_session(desk, session) for session in found]}


@routes.get("/sessions/{session_id}")
def get_session(session: Mine, desk: AtDesk) -> dict[str, Any]:
    """One session with its totals: received = stored + duplicate + rejected + failed + in_progress.

    `waits_for` says what its work waits for, if it does: a NAS that is away, or files that are tried again later.
    `time_left` is in seconds, with the range in which it probably is; nobody can tell that while it waits, nor
    before anything was measured: earlier uploads in its lane, or a few files of its own.
    """
    return _session(desk, session)


@routes.get("/sessions/{session_id}/items")
def list_items(
    session: Mine, desk: AtDesk, limit: Annotated[int, Query(ge=1, le=5000)] = 1000, offset: Place = 0
) -> dict[str, Any]:
    """The session's files in upload order, each with its state and reason."""
    rows = desk.sessions.items(session, limit=limit, offset=offset)
    return {"items": [views.item(row) for row in rows], "total": session.totals.received}


@routes.get("/sessions/{session_id}/receipt")
def get_receipt(session: Mine, desk: AtDesk, using: Using) -> dict[str, Any]:
    """What was received, where every file went, and what the rest waits for.

    `notes` say what else its sender should know: which pictures on the NAS it could not be compared with yet, say.
    """
    kept, items = desk.sessions.receipt(session)
    with using.transaction() as connection:
        notes = uncompared(connection, kept, using.neighbours.scan_of)
    return views.receipt(kept, items, desk.trouble(session), notes)


@routes.get("/sessions/{session_id}/events")
def list_events(
    session: Mine, desk: AtDesk, after: Place = 0, limit: Annotated[int, Query(ge=1, le=5000)] = 1000
) -> dict[str, Any]:
    """What happened after a sequence number, in order and without gap."""
    return {"events": [event_body(event) for event in desk.sessions.events(session, after, limit)]}


@routes.get("/sessions/{session_id}/events/stream", response_class=EventStream)
async def stream_events(
    session: Mine,
    desk: AtDesk,
    after: Place = 0,
    last_event_id: Annotated[str | None, Header()] = None,
) -> EventStream:
    """The same, live. Resumes after `Last-Event-ID`; ends when the session has."""
    resumed = min(int(last_event_id[:20]), MAX_PLACE) if last_event_id and last_event_id.isdecimal() else after
    return EventStream(as_events(events(desk.sessions, desk.watcher, session, resumed)))


def _by_id(desk: Desk, user: User, session_id: str) -> Session | None:
    try:
        return desk.sessions.get(user.id, UUID(session_id))
    except ValueError:
        return None


def _session(desk: Desk, session: Session) -> dict[str, Any]:
    cause = desk.trouble(session)
    return views.session(session, cause, desk.left(session, cause))
