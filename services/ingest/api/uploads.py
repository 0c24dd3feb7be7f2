"""The four calls of the frontend's upload screen, exactly as the existing client makes and reads them."""

import math
from functools import partial
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, HTTPException, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse, Response

from services.ingest.api.bodies import MIB, allow, asking, length, let_in
from services.ingest.api.choosing import choice_of, wanted_by
from services.ingest.api.identity import Caller, Uploader, stream_user
from services.ingest.api.receiving import BadUpload, Form, Limits, missing, receive
from services.ingest.api.resources import AtDesk, Resources, Using
from services.ingest.api.slow import answer
from services.ingest.api.streams import EventStream, as_frames, frames
from services.ingest.api.upload_forms import DesignData, ProductData, described, parsed, session_id_of
from services.ingest.catalog.errors import Missing, Unusable
from services.ingest.catalog.users import User
from services.ingest.sessions.intake.submitting import SessionCancelled, SessionTaken
from services.ingest.sessions.lifecycle.records import Session, Wanted
from services.ingest.sessions.serving.listing_calls import unlisted
from services.ingest.sessions.serving.upload_calls import Desk
from shared.blobs import Blobs

routes = APIRouter(tags=["uploads"])


@routes.post("/designs/start-upload", openapi_extra=described())
async def start_upload(request: Request, user: Caller, using: Using, desk: AtDesk) -> dict[str, Any]:
    """Announce an upload. The files are only counted; they come again with the upload itself."""
    await run_in_threadpool(asking(desk.door.check), length(request))
    await run_in_threadpool(asking(desk.door.check_files), user.id, 1)
    form = await _read_files(request, using, None)
    count, size = len(form.sizes), sum(form.sizes)
    await run_in_threadpool(asking(desk.door.check_files), user.id, count)
    session = await run_in_threadpool(desk.sessions.announce, user.id, count, size)
    return {
        "session_id": session.client_key,
        "estimated_time": _estimate(size / MIB, count),
        "total_size_mb": round(size / MIB, 2),
        "file_count": count,
    }


@routes.post("/designs/", status_code=201, openapi_extra=described("files", "design_data", "session_id"))
async def upload(request: Request, user: Uploader, using: Using, desk: AtDesk) -> Response:
    """Take designs in and answer when every one of them is stored, or is not and has its reason."""
    async with let_in(desk.door, length(request)):
        form = await _read_files(request, using, desk.prints.blobs)
    if not form.files:
        raise missing("files", form.received)
    data = parsed(DesignData, form, "design_data")
    key = session_id_of(form)
    before = await run_in_threadpool(desk.sessions.taken_in, user.id, key)
    choice = await run_in_threadpool(choice_of, using, user, data, before)
    if before is None:
        await run_in_threadpool(asking(desk.door.check_files), user.id, len(form.files))
    try:
        session = await desk.upload(user.id, key, choice, form.files)
    except SessionTaken as error:
        raise HTTPException(
            409, "This session_id was used for another upload; start a new one with /designs/start-upload."
        ) from error
    except SessionCancelled as error:
        raise HTTPException(409, "This upload was cancelled; start a new one with /designs/start-upload.") from error
    return await answer(desk.designs(session), 201)


@routes.post("/mockups/upload-mockup", status_code=201, openapi_extra=described("product_data"))
async def upload_mockup(request: Request, user: Uploader, using: Using, desk: AtDesk) -> Response:
    """List stored designs with a mockup group; answer when every listing exists, or does not and has its reason."""
    form = await _read(request, using, None, "product_data")
    data = parsed(ProductData, form, "product_data")
    design_ids = list(dict.fromkeys(data.design_ids))
    try:
        wanted = await run_in_threadpool(wanted_by, using, user, data)
    except (Missing, Unusable) as error:
        # Who asks again after a broken line is told of them, though the mockup was deleted in another tab since.
        target = await run_in_threadpool(using.shop.target_of, user)
        these = (user.id, design_ids, data.product_template_id, data.mockup_id)
        before = await run_in_threadpool(desk.sessions.asked_before, *these, target)
        if before is None:
            # The client shows a text only from a 2xx answer.
            why = await run_in_threadpool(_why_unlisted, error, desk, *these)
            return JSONResponse(unlisted(f"Nothing was listed: {why}"), 201)
        wanted = before
    listing = desk.listing_calls.list_designs(user.id, design_ids, wanted, partial(_wanted_now, using, user, data))
    return await answer(listing, 201)


def _why_unlisted(error: Missing | Unusable, desk: Desk, user_id: UUID, design_ids: list[UUID], *choice: UUID) -> str:
    """Their own template or mockup is not ready to be listed, or was deleted since they uploaded with it.

    Raises:
        Missing: or it never was theirs, for all that we know.
    """
    if isinstance(error, Unusable):
        return f"{error} Then ask again."
    if not desk.sessions.chosen_for(user_id, design_ids, *choice):
        raise error
    return f"what was chosen for this upload was deleted meanwhile. {error} What was stored stays stored."


def _wanted_now(using: Resources, user: User, data: ProductData) -> Wanted | None:
    try:
        return wanted_by(using, user, data)
    except (Missing, Unusable):
        return None


def _watched(session_id: str, user: Annotated[User, Depends(stream_user)], desk: AtDesk) -> Session | None:
    return desk.sessions.find(user.id, session_id)


@routes.get("/designs/progress/{session_id}", response_class=EventStream)
async def progress(session: Annotated[Session | None, Depends(_watched)], desk: AtDesk) -> EventStream:
    """Progress frames. An unknown session is an empty stream, as the client expects."""
    if session is None:
        return EventStream(as_frames(None))
    told = frames(desk.sessions, desk.watcher, session, trouble=desk.trouble, left=desk.left)
    return EventStream(as_frames(told))


async def _read_files(request: Request, using: Resources, blobs: Blobs | None) -> Form:
    allow(request, math.inf, "")  # each file has its own limit, and so have their number and the disk
    return await _read(request, using, blobs, "files")


async def _read(request: Request, using: Resources, blobs: Blobs | None, wanted: str) -> Form:
    limits = Limits(using.settings.max_files_per_upload, using.settings.max_upload_bytes)
    try:
        return await receive(request, blobs, limits, wanted)
    except BadUpload as error:
        raise HTTPException(error.status, error.detail) from error


def _estimate(megabytes: float, files: int) -> float:
    """Seconds, by the formula of the system that the frontend was written for."""
    return round(min(max(2 * megabytes + 5 * files + 1.5 * max(0.0, megabytes - 100), 10.0), 600.0), 1)
