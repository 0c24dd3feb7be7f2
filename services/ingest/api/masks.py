"""The mask editor: print areas on mockup photographs."""

from typing import Any
from uuid import UUID

from fastapi import APIRouter

from services.ingest.api.identity import Caller
from services.ingest.api.mockup_groups import Limit, Skip
from services.ingest.api.resources import Using
from services.ingest.catalog.errors import Unusable
from services.ingest.catalog.masks import Masks
from services.ingest.catalog.mockup_records import MaskChanges, MaskList, MaskRow, NewMask
from services.ingest.catalog.photographs import Photographs

routes = APIRouter(prefix="/mockups", tags=["mockups"])


@routes.post("/images/{image_id}/mask-data", status_code=201)
def add(using: Using, user: Caller, image_id: UUID, given: NewMask) -> MaskRow:
    """New masks on a photograph."""
    if given.mockup_image_id not in (None, image_id):
        raise Unusable("mockup_image_id names another photograph than the address; send the same.")
    with using.transaction() as connection:
        return Masks(connection, user.id).add(image_id, given)


@routes.get("/images/{image_id}/mask-data")
def of_image(using: Using, user: Caller, image_id: UUID, skip: Skip = 0, limit: Limit = 100) -> MaskList:
    """The masks of a photograph."""
    with using.transaction() as connection:
        rows = Photographs(connection, user, using.settings.nas_base_path).get(image_id).mask_data
    return MaskList(mask_data=rows[skip : skip + limit], total=len(rows))


@routes.get("/mask-data/{mask_id}")
def one(using: Using, user: Caller, mask_id: UUID) -> MaskRow:
    """One row of masks."""
    with using.transaction() as connection:
        return Masks(connection, user.id).get(mask_id)


@routes.put("/mask-data/{mask_id}")
def change(using: Using, user: Caller, mask_id: UUID, given: MaskChanges) -> MaskRow:
    """Change what is sent; the result must be as sound as new masks."""
    with using.transaction() as connection:
        return Masks(connection, user.id).change(mask_id, given)


@routes.delete("/mask-data/{mask_id}")
def remove(using: Using, user: Caller, mask_id: UUID) -> dict[str, Any]:
    """Remove a row of masks."""
    with using.transaction() as connection:
        Masks(connection, user.id).remove(mask_id)
    return {"success": True, "message": "Mask data deleted"}
