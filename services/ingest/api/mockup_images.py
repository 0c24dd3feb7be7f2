"""The mockup pages: single photographs."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, File, UploadFile
from sqlalchemy import Connection

from services.ingest.api.bodies import CallerFirst, with_files
from services.ingest.api.identity import Caller
from services.ingest.api.mockup_groups import Limit, Skip, take_in
from services.ingest.api.resources import Resources, Using
from services.ingest.catalog.errors import Unusable
from services.ingest.catalog.mockup_records import ImageChanges, ImageList, MockupImage
from services.ingest.catalog.mockups import Mockups
from services.ingest.catalog.photographs import Photographs
from services.ingest.catalog.users import User

routes = APIRouter(prefix="/mockups/images", tags=["mockups"], route_class=CallerFirst)


@routes.get("/{image_id}")
def one(using: Using, user: Caller, image_id: UUID) -> MockupImage:
    """One photograph with its masks."""
    with using.transaction() as connection:
        return _photographs(using, connection, user).get(image_id)


@routes.put("/{image_id}")
def change(using: Using, user: Caller, image_id: UUID, given: ImageChanges) -> MockupImage:
    """Change the kind of product it shows, or take its watermark away. Names and paths are the server's."""
    sent = given.model_dump(exclude_unset=True)
    with using.transaction() as connection:
        photographs = _photographs(using, connection, user)
        image = photographs.get(image_id)
        for name in ("filename", "file_path", "watermark_path"):
            if sent.get(name) not in (None, getattr(image, name)):
                raise Unusable(f"{name} is chosen by the server; upload the picture anew to change it.")
        if "image_type" in sent:
            image = photographs.relabel(image_id, given.image_type)
        if "watermark_path" in sent and given.watermark_path is None:
            image = photographs.unmark(image_id)
    return image


@routes.delete("/{image_id}")
def remove(using: Using, user: Caller, image_id: UUID) -> dict[str, Any]:
    """Remove a photograph and its masks."""
    with using.transaction() as connection:
        _photographs(using, connection, user).remove(image_id)
    return {"success": True, "message": "Mockup image deleted"}


@routes.put("/{image_id}/watermark-upload", form_limits=with_files(1))
def change_watermark(
    using: Using, user: Caller, image_id: UUID, watermark: Annotated[UploadFile, File()]
) -> MockupImage:
    """Another watermark for one photograph."""
    with using.transaction() as connection:
        _photographs(using, connection, user).get(image_id)
    (picture,) = take_in(using, [watermark])
    with using.transaction() as connection:
        image, owed = _photographs(using, connection, user).mark(image_id, picture)
        for file in owed:
            using.emit(connection, file)
    return image


@routes.get("/{mockup_id}/list")
def of_group(using: Using, user: Caller, mockup_id: UUID, skip: Skip = 0, limit: Limit = 100) -> ImageList:
    """The photographs of a group."""
    with using.transaction() as connection:
        images = Mockups(connection, user, using.settings.nas_base_path).get(mockup_id).mockup_images
    return ImageList(mockup_images=images[skip : skip + limit], total=len(images))


def _photographs(using: Resources, connection: Connection, user: User) -> Photographs:
    return Photographs(connection, user, using.settings.nas_base_path)
