"""`/api/v1/etsy`: what listings take from the Etsy shop, what a batch will cost, and publishing drafts."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import Field

from services.ingest.api.identity import Caller
from services.ingest.api.resources import Using
from services.ingest.api.turns import QUICK, SLOW
from services.ingest.catalog.records import Record
from services.ingest.catalog.templates import Templates

routes = APIRouter(prefix="/api/v1/etsy", tags=["shop"])

Id = Annotated[int | None, Field(default=None, ge=1, le=2**53)]


class Chosen(Record):
    """What every listing of the shop takes, unless its template says otherwise. `skus`: each gets one, like UV 100."""

    shipping_profile_id: Id
    readiness_state_id: Id
    return_policy_id: Id
    shop_section_id: Id
    taxonomy_id: Id
    skus: bool | None = None
    production_partner_ids: list[Annotated[int, Field(ge=1, le=2**53)]] = Field(default_factory=list, max_length=20)


class Agreed(Record):
    """These drafts, and the fee that the caller has seen: Etsy charges it at once, and gives nothing back."""

    listing_ids: list[Annotated[str, Field(pattern=r"^\d{1,20}$")]] = Field(min_length=1, max_length=200)
    agreed_usd: float = Field(ge=0)


@routes.get("/setup", dependencies=[SLOW])
def setup(using: Using, user: Caller) -> dict[str, Any]:
    """What was chosen, what there is to choose from (read anew from Etsy), and what is still missing."""
    return using.shop.setup(user)


@routes.put("/setup", dependencies=[SLOW])
def choose(using: Using, user: Caller, chosen: Chosen, template_id: UUID | None = None) -> dict[str, Any]:
    """Choose, for all listings, or for those of one product template. Each must be one of the shop's."""
    if template_id:
        with using.transaction() as connection:
            Templates(connection, user.id).get(template_id)
    return using.shop.choose(user, chosen.model_dump(), template_id)


@routes.get("/plan", dependencies=[QUICK])
def plan(
    using: Using,
    user: Caller,
    designs: Annotated[int, Query(ge=1, le=1_000_000)],
    pictures: Annotated[int, Query(ge=0, le=20)] = 5,
    digital: bool = False,
) -> dict[str, Any]:
    """What listing so many designs costs in calls, time and money."""
    return using.shop.plan(user, designs, pictures, digital=digital)


@routes.get("/drafts", dependencies=[QUICK])
def drafts(using: Using, user: Caller) -> dict[str, Any]:
    """The finished drafts, and what publishing all of them costs."""
    return using.shop.drafts(user)


@routes.post("/publish", dependencies=[SLOW])
def publish(using: Using, user: Caller, agreed: Agreed) -> dict[str, Any]:
    """Publish drafts, for exactly the fee that was agreed to: 0.20 USD each."""
    return using.shop.publish(user, agreed.listing_ids, agreed.agreed_usd)
