"""The frontend's upload calls and its progress stream, exactly as the existing client makes and reads them."""

import json
import math
from collections.abc import Callable
from typing import Annotated, Any, NamedTuple, TypeVar
from uuid import UUID

from fastapi import APIRouter, Depends, HTTPException, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from services.ingest.api.bodies import allow, asking, length, let_in
from services.ingest.api.receiving import BadUpload, Form, Limits, missing, receive
from services.ingest.api.slow import answer
from services.ingest.api.streams import EventStream, as_frames, frames
from services.ingest.catalog.errors import Unusable
from services.ingest.catalog.fields import StartingNumber
from services.ingest.catalog.users import User
from services.ingest.sessions.intake.admission import Door
from services.ingest.sessions.intake.submitting import SessionCancelled, SessionTaken
from services.ingest.sessions.lifecycle.records import Choice, Session, Wanted
from services.ingest.sessions.serving.listing_calls import unlisted
from services.ingest.sessions.serving.upload_calls import Desk
from shared.blobs import Blobs
from shared.contracts import Duplicates

MIB = 1024 * 1024
MAX_SESSION_ID = 200
MAX_DESIGNS = 20_000
"""In one call for listings: their ids must fit into a form's field. It is also what one user may have in progress."""

NO_NUL = r"^[^\x00]*$"  # PostgreSQL's text can't hold it

Model = TypeVar("Model", bound=BaseModel)


class DesignData(BaseModel):
    """What the frontend sends beside the files; unknown keys are ignored."""

    model_config = ConfigDict(extra="ignore")

    product_template_id: UUID
    mockup_id: UUID
    starting_name: StartingNumber = 100
    canvas_config_id: UUID | None = None
    size_config_id: UUID | None = None
    is_digital: bool | None = False
    is_active: bool = True
    description: str | None = Field(default=None, max_length=10_000, pattern=NO_NUL)
    file_formats: list[str] | None = None
    platform: str | None = None
    tags: list[str] | None = None
    duplicates: Duplicates | None = None
    """What this upload does with duplicates; left out, what the account's setting says."""


class ProductData(BaseModel):
    """Which designs to list with which mockups."""

    model_config = ConfigDict(extra="ignore")

    product_template_id: UUID
    mockup_id: UUID
    design_ids: list[UUID] = Field(max_length=MAX_DESIGNS)


class Catalog(NamedTuple):
    """What the upload calls look up. Each raises the catalog's errors for what is foreign, unknown or unusable."""

    choose: Callable[[User, DesignData], Choice]
    group: Callable[[User, ProductData], Wanted]


def router(  # noqa: C901 - the calls of one screen, each a small function
    desk: Desk,
    catalog: Catalog,
    blobs: Blobs,
    limits: Limits,
    door: Door,
    current_user: Callable[..., User],
    stream_user: Callable[..., User],
) -> APIRouter:
    """The four calls of the upload screen."""
    routes = APIRouter(tags=["uploads"])
    caller = Annotated[User, Depends(current_user)]
    watcher = Annotated[User, Depends(stream_user)]

    @routes.post("/designs/start-upload", openapi_extra=_form())
    async def start_upload(request: Request, user: caller) -> dict[str, Any]:
        """Announce an upload. The files are only counted; they come again with the upload itself."""
        await run_in_threadpool(asking(door.check), length(request))
        await run_in_threadpool(asking(door.check_files), user.id, 1)
        form = await _read_files(request, None, limits)
        count, size = len(form.sizes), sum(form.sizes)
        await run_in_threadpool(asking(door.check_files), user.id, count)
        session = await run_in_threadpool(desk.sessions.announce, user.id, count, size)
        return {
            "session_id": session.client_key,
            "estimated_time": _estimate(size / MIB, count),
            "total_size_mb": round(size / MIB, 2),
            "file_count": count,
        }

    @routes.post("/designs/", status_code=201, openapi_extra=_form("files", "design_data", "session_id"))
    async def upload(request: Request, user: caller) -> Response:
        """Take designs in and answer when every one of them is stored, or is not and has its reason."""
        async with let_in(door, length(request)):
            form = await _read_files(request, blobs, limits)
        if not form.files:
            raise missing("files", form.received)
        data = _parse(DesignData, form, "design_data")
        key = _session_id(form)
        choice = await run_in_threadpool(catalog.choose, user, data)
        if not await run_in_threadpool(desk.sessions.submitted, user.id, key):
            await run_in_threadpool(asking(door.check_files), user.id, len(form.files))
        try:
            session = await desk.upload(user.id, key, choice, form.files)
        except SessionTaken as error:
            raise HTTPException(
                409, "This session_id was used for another upload; start a new one with /designs/start-upload."
            ) from error
        except SessionCancelled as error:
            raise HTTPException(
                409, "This upload was cancelled; start a new one with /designs/start-upload."
            ) from error
        return await answer(desk.designs(session), 201)

    @routes.post("/mockups/upload-mockup", status_code=201, openapi_extra=_form("product_data"))
    async def upload_mockup(request: Request, user: caller) -> Response:
        """List stored designs with a mockup group; answer when every listing exists, or does not and has its reason."""
        form = await _read(request, None, limits, "product_data")
        data = _parse(ProductData, form, "product_data")
        try:
            wanted = await run_in_threadpool(catalog.group, user, data)
        except Unusable as error:
            # Their own template or mockup, not ready to be listed: the client shows a text only from a 2xx answer.
            return JSONResponse(unlisted(f"Nothing was listed: {error} Then ask again."), 201)
        design_ids = list(dict.fromkeys(data.design_ids))
        return await answer(desk.listing_calls.list_designs(user.id, design_ids, wanted), 201)

    async def owned(session_id: str, user: watcher) -> Session | None:
        return await run_in_threadpool(desk.sessions.find, user.id, session_id)

    @routes.get("/designs/progress/{session_id}", response_class=EventStream)
    async def progress(session: Annotated[Session | None, Depends(owned)]) -> EventStream:
        """Progress frames. An unknown session is an empty stream, as the client expects."""
        if session is None:
            return EventStream(as_frames(None))
        told = frames(desk.sessions, desk.watcher, session, trouble=desk.trouble, left=desk.left)
        return EventStream(as_frames(told))

    return routes


def _form(*fields: str) -> dict[str, Any]:
    """A body for the documentation page, which can't see it: we read it ourselves, as it arrives."""
    shapes = {
        "files": {"type": "array", "items": {"type": "string", "format": "binary"}},
        "design_data": {"type": "string", "description": _shape(DesignData)},
        "session_id": {"type": "string", "description": "from /designs/start-upload; sent again, it joins the upload"},
        "product_data": {"type": "string", "description": _shape(ProductData)},
    }
    schema: dict[str, Any] = {"type": "object", "properties": {name: shapes[name] for name in fields or ("files",)}}
    schema["required"] = [name for name in fields if name != "session_id"]
    return {"requestBody": {"content": {"multipart/form-data": {"schema": schema}}}}


def _shape(model: type[BaseModel]) -> str:
    required = [name for name, field in model.model_fields.items() if field.is_required()]
    optional = [name for name in model.model_fields if name not in required]
    return f"JSON: {', '.join(required)}" + (f"; and if you like {', '.join(optional)}" if optional else "")


async def _read_files(request: Request, blobs: Blobs | None, limits: Limits) -> Form:
    allow(request, math.inf, "")  # each file has its own limit, and so have their number and the disk
    return await _read(request, blobs, limits, "files")


async def _read(request: Request, blobs: Blobs | None, limits: Limits, wanted: str) -> Form:
    try:
        return await receive(request, blobs, limits, wanted)
    except BadUpload as error:
        raise HTTPException(error.status, error.detail) from error


def _parse(model: type[Model], form: Form, name: str) -> Model:
    text = form.fields.get(name)
    if text is None:
        raise missing(name, form.received)
    try:
        return model.model_validate(json.loads(text))
    except ValidationError as error:
        problems = [{**problem, "loc": ("body", name, *problem["loc"])} for problem in error.errors(include_url=False)]
        raise RequestValidationError(problems, body=form.received) from error
    except (ValueError, RecursionError) as error:
        problem = {"type": "json_invalid", "loc": ("body", name), "msg": f"JSON decode error: {error}", "input": None}
        raise RequestValidationError([problem], body=form.received) from error


def _session_id(form: Form) -> str | None:
    """The id that the client chose, if it did; what no database key can be is refused."""
    key = form.fields.get("session_id") or None
    if key is not None and ("\0" in key or len(key) > MAX_SESSION_ID):
        words = f"Should have at most {MAX_SESSION_ID} characters, none of them NUL"
        problem = {"type": "value_error", "loc": ("body", "session_id"), "msg": words, "input": key}
        raise RequestValidationError([problem], body=form.received)
    return key


def _estimate(megabytes: float, files: int) -> float:
    """Seconds, by the formula of the system that the frontend was written for."""
    return round(min(max(2 * megabytes + 5 * files + 1.5 * max(0.0, megabytes - 100), 10.0), 600.0), 1)
