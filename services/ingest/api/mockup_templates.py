"""Templates of mockup photographs (docs/mockups.md), beside what the frontend knows of a photograph."""

from pathlib import PurePosixPath
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, File, UploadFile

from services.ingest.api.bodies import CallerFirst, with_files
from services.ingest.api.identity import Caller
from services.ingest.api.mockup_groups import take_in
from services.ingest.api.resources import Resources, Using
from services.ingest.catalog.errors import Unusable
from services.ingest.catalog.mockup_templates import MOST_BYTES, BoundTemplate, MockupTemplates, bound
from shared.contracts import Blob

routes = APIRouter(prefix="/api/v1/mockups/images", tags=["mockups"], route_class=CallerFirst)

MOST_PICTURES = 10


@routes.put("/{image_id}/template", form_limits=with_files(MOST_PICTURES + 1))
def put(
    using: Using,
    user: Caller,
    image_id: UUID,
    template: Annotated[UploadFile, File(description="presswork-mockup.json")],
    pictures: Annotated[list[UploadFile] | None, File(description="the pictures that it names")] = None,
) -> dict[str, Any]:
    """Give a photograph a template. It is tried first: one from which no mockup can be made is refused in words."""
    sent = pictures or []
    if len(sent) > MOST_PICTURES:
        raise Unusable(f"{len(sent)} pictures are too many; a template names at most {MOST_PICTURES}.")
    with using.transaction() as connection:
        photograph = MockupTemplates(connection, user.id).photograph(image_id)
    for picture in sent:
        picture.filename = PurePosixPath((picture.filename or "").replace("\\", "/")).name
    document = template.file.read(MOST_BYTES + 1)
    found = bound(document, take_in(using, sent), using.pictures.blobs)
    _try_out(using, photograph, found)
    with using.transaction() as connection:
        return MockupTemplates(connection, user.id).put(image_id, found)


@routes.get("/{image_id}/template")
def one(using: Using, user: Caller, image_id: UUID) -> dict[str, Any]:
    """A photograph's template."""
    with using.transaction() as connection:
        return MockupTemplates(connection, user.id).get(image_id)


@routes.delete("/{image_id}/template")
def remove(using: Using, user: Caller, image_id: UUID) -> dict[str, Any]:
    """Take a photograph's template away; its masks stay."""
    with using.transaction() as connection:
        MockupTemplates(connection, user.id).remove(image_id)
    return {"success": True, "message": "Template removed"}


def _try_out(using: Resources, photograph: Blob, found: BoundTemplate) -> None:
    if using.neighbours.template_fault is None:
        return
    with using.pictures.turn:  # a photograph is decoded for it
        fault = using.neighbours.template_fault(photograph, found.blob)
    if fault:
        raise Unusable(f"No mockup can be made with this template: {fault}.")
