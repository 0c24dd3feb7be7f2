"""Scans of shops' folders on the NAS, for operators: how they stand, and new ones, as `presswork nas scan` does."""

from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Query
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import func, select

from services.ingest.api.identity import Operator, Viewer
from services.ingest.api.resources import Using
from services.ingest.catalog.fields import Text
from services.ingest.lane_choice import loose_lane
from services.ingest.scan_requests import ask, named
from services.ingest.tables import users

routes = APIRouter(prefix="/api/v1/ops", tags=["operators"])

MOST = 200
Shop = Annotated[Text, Query(description="its name, folder, e-mail or user id; without: every shop's")]


class ScanOrder(BaseModel):
    """Whose folder is to be looked through."""

    model_config = ConfigDict(extra="forbid")

    shop: Text = Field(default="", description="its name, folder, e-mail or user id; without: every shop's")
    anew: bool = Field(default=False, description="hash everything once more, not only what is new or changed")


@routes.get("/scans")
def list_scans(
    using: Using,
    viewer: Viewer,
    shop: Shop = "",
    limit: Annotated[int, Query(ge=1, le=MOST)] = 50,
    offset: Annotated[int, Query(ge=0, le=2**31 - 1)] = 0,
) -> dict[str, Any]:
    """How the newest scan of each shop's folder stands, by shop; `scan` is null until storage has listed it.

    `unread` are folders that could not be listed, `unusable_files` the first files that can't be compared with uploads.
    """
    del viewer
    found = select(users.c.id, users.c.shop_folder).where(named(shop))
    page = found.order_by(users.c.shop_folder, users.c.id).limit(limit).offset(offset)
    with using.transaction() as connection:
        total = connection.execute(select(func.count()).select_from(users).where(named(shop))).scalar_one()
        shops = [
            {"shop": row.shop_folder, "user_id": row.id, "scan": using.neighbours.scan_of(connection, row.id)}
            for row in connection.execute(page).all()
        ]
    if shop and not total:
        raise _nobody(shop)
    return {"shops": shops, "total": total}


@routes.post("/scans", status_code=202)
def start_scans(using: Using, operator: Operator, order: ScanOrder) -> dict[str, Any]:
    """Have a shop's folder looked through in the background, or every shop's. Asking again does no harm."""
    del operator
    lane = loose_lane(embedded=using.settings.embedded)
    with using.transaction() as connection:
        asked = ask(connection, lane, named(order.shop), anew=order.anew)
    if not asked:
        raise _nobody(order.shop)
    return {"scans": [{"shop": each.shop, "user_id": each.tenant_id, "scan_id": each.scan_id} for each in asked]}


def _nobody(shop: str) -> HTTPException:
    return HTTPException(
        404, f"No shop is called {shop}." if shop else "There are no shops yet: sellers register first."
    )
