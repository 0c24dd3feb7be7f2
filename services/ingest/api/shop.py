"""The account pages: the connection to Etsy, and what a listing can name there."""

from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query

from services.ingest.api.identity import Caller
from services.ingest.api.resources import Using
from services.ingest.api.turns import QUICK, SLOW
from services.ingest.catalog.fields import Text
from services.ingest.catalog.records import Record

routes = APIRouter(tags=["shop"])


class Refresh(Record):
    """The token to trade."""

    refresh_token: Text


@routes.get("/third-party/verify-connection", dependencies=[QUICK])
def verify(using: Using, user: Caller) -> dict[str, Any]:
    """Whether listings can be made. Without a connection the client hides its upload button."""
    return using.shop.status(user, datetime.now(UTC))


@routes.get("/third-party/oauth-data", dependencies=[QUICK])
def authorisation(using: Using, user: Caller) -> dict[str, Any]:
    """What the client needs to send the user to Etsy's consent page."""
    return using.shop.authorisation(user)


@routes.get("/third-party/oauth-redirect", dependencies=[SLOW])
def connect(using: Using, user: Caller, code: Annotated[str, Query(min_length=1, max_length=2000)]) -> dict[str, Any]:
    """Finish the connection with the code that Etsy's consent page gave."""
    return {"status_code": 200, "success": True, **using.shop.connect(user, code)}


@routes.post("/third-party/refresh-token", dependencies=[SLOW])
def refresh(using: Using, user: Caller, given: Refresh) -> dict[str, Any]:
    """New tokens for old."""
    return {"success": True, **using.shop.refresh(user, given.refresh_token)}


@routes.post("/third-party/revoke-token", dependencies=[SLOW])
def revoke(using: Using, user: Caller) -> dict[str, Any]:
    """Forget the connection."""
    using.shop.revoke(user)
    return {"success": True, "message": "Etsy connection removed"}


@routes.get("/third-party-listings/options/taxonomies", dependencies=[QUICK])
def taxonomies(using: Using, user: Caller) -> dict[str, Any]:
    """Categories that a listing can be in."""
    return _options("taxonomies", using.shop.options(user, "taxonomies"))


@routes.get("/third-party-listings/options/shop-sections", dependencies=[QUICK])
def shop_sections(using: Using, user: Caller) -> dict[str, Any]:
    """Sections of the shop."""
    return _options("shop_sections", using.shop.options(user, "shop_sections"))


@routes.get("/third-party-listings/options/shipping-profiles", dependencies=[QUICK])
def shipping_profiles(using: Using, user: Caller) -> dict[str, Any]:
    """Shipping profiles of the shop."""
    return _options("shipping_profiles", using.shop.options(user, "shipping_profiles"))


def _options(kind: str, found: list[dict[str, Any]]) -> dict[str, Any]:
    return {kind: found, "success_code": 200, "message": f"{len(found)} {kind.replace('_', ' ')} found"}
