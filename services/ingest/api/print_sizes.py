"""The settings page: canvases and sizes."""

from typing import Any
from uuid import UUID

from fastapi import APIRouter

from services.ingest.api.identity import Caller
from services.ingest.api.resources import Using
from services.ingest.catalog.print_sizes import Canvases, Sizes
from services.ingest.catalog.records import Canvas, CanvasInput, Size, SizeInput

routes = APIRouter(prefix="/settings", tags=["settings"])

ONE_CANVAS = "/{template_id}/canvas-config/{canvas_id}"
ONE_SIZE = "/{template_id}/{canvas_id}/size-config/{size_id}"


@routes.get("/canvas-config")
def every_canvas(using: Using, user: Caller) -> list[Canvas]:
    """All of the user's canvases, inactive ones too."""
    with using.transaction() as connection:
        return Canvases(connection, user.id).all()


@routes.post("/{template_id}/canvas-config", status_code=201)
def add_canvas(using: Using, user: Caller, template_id: UUID, given: CanvasInput) -> Canvas:
    """A new canvas."""
    with using.transaction() as connection:
        return Canvases(connection, user.id).add(template_id, given)


@routes.get(ONE_CANVAS)
def canvas(using: Using, user: Caller, template_id: UUID, canvas_id: UUID) -> Canvas:
    """One canvas."""
    with using.transaction() as connection:
        return Canvases(connection, user.id).get(template_id, canvas_id)


@routes.put(ONE_CANVAS)
def change_canvas(using: Using, user: Caller, template_id: UUID, canvas_id: UUID, given: CanvasInput) -> Canvas:
    """Change what is sent."""
    with using.transaction() as connection:
        return Canvases(connection, user.id).change(template_id, canvas_id, given)


@routes.delete(ONE_CANVAS)
def remove_canvas(using: Using, user: Caller, template_id: UUID, canvas_id: UUID) -> dict[str, Any]:
    """Remove a canvas and its sizes."""
    with using.transaction() as connection:
        Canvases(connection, user.id).remove(template_id, canvas_id)
    return {"success": True, "message": "Canvas config deleted"}


@routes.get("/size-config")
def every_size(using: Using, user: Caller) -> list[Size]:
    """All of the user's sizes that are in use."""
    with using.transaction() as connection:
        return Sizes(connection, user.id).all()


@routes.post("/{template_id}/{canvas_id}/size-config", status_code=201)
def add_size(using: Using, user: Caller, template_id: UUID, canvas_id: UUID, given: SizeInput) -> Size:
    """A new size."""
    with using.transaction() as connection:
        return Sizes(connection, user.id).add(template_id, canvas_id, given)


@routes.get(ONE_SIZE)
def size(using: Using, user: Caller, template_id: UUID, canvas_id: UUID, size_id: UUID) -> Size:
    """One size."""
    with using.transaction() as connection:
        return Sizes(connection, user.id).get(template_id, canvas_id, size_id)


@routes.put(ONE_SIZE)
def change_size(
    using: Using, user: Caller, template_id: UUID, canvas_id: UUID, size_id: UUID, given: SizeInput
) -> Size:
    """Change what is sent."""
    with using.transaction() as connection:
        return Sizes(connection, user.id).change(template_id, canvas_id, size_id, given)


@routes.delete(ONE_SIZE)
def remove_size(using: Using, user: Caller, template_id: UUID, canvas_id: UUID, size_id: UUID) -> dict[str, Any]:
    """Take a size out of use."""
    with using.transaction() as connection:
        Sizes(connection, user.id).remove(template_id, canvas_id, size_id)
    return {"success": True, "message": "Size config deleted"}
