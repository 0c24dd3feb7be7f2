"""`/_fake`: what the stand-in has, what was called, and faults to arm."""

from typing import Any

from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from services.etsy_fake.faults import Fault
from services.etsy_fake.state import Etsy, Limits, Listing, Picture


def routes(etsy: Etsy) -> list[Route]:
    """The calls."""

    async def faults(request: Request) -> Response:
        return _faults(etsy, request.method, await request.body())

    async def state(request: Request) -> Response:
        if request.method == "POST":
            _change(etsy, await request.json())
        return JSONResponse(_state(etsy))

    async def reset(request: Request) -> Response:
        del request
        etsy.forget()
        return JSONResponse(_state(etsy))

    return [
        Route("/_fake/faults", faults, methods=["GET", "POST", "DELETE"]),
        Route("/_fake/state", state, methods=["GET", "POST"]),
        Route("/_fake/reset", reset, methods=["POST"]),
    ]


def _faults(etsy: Etsy, method: str, body: bytes) -> Response:
    if method == "DELETE":
        etsy.faults.clear()
    if method == "POST":
        try:
            etsy.faults.arm(Fault.model_validate_json(body))
        except ValidationError as error:
            return JSONResponse({"error": str(error)}, 422)
    armed = [fault.model_dump() for fault in etsy.faults.armed]
    return JSONResponse({"armed": armed, "met": etsy.faults.met})


def _change(etsy: Etsy, given: dict[str, Any]) -> None:
    etsy.ahead_s += float(given.get("advance_s", 0))
    etsy.limits = Limits(
        int(given.get("per_second", etsy.limits.per_second)), int(given.get("per_day", etsy.limits.per_day))
    )
    if given.get("revoke"):
        etsy.access.clear()
        etsy.refresh.clear()


def _state(etsy: Etsy) -> dict[str, Any]:
    return {
        "listings": [_listing(listing) for listing in etsy.listings.values()],
        "calls": etsy.log,
        "used_today": etsy.used_today(),
        "limits": {"per_second": etsy.limits.per_second, "per_day": etsy.limits.per_day},
        "fees_usd": round(etsy.fees_usd, 2),
        "ahead_s": etsy.ahead_s,
    }


def _listing(listing: Listing) -> dict[str, Any]:
    return {
        "listing_id": listing.id,
        "shop_id": listing.shop_id,
        "state": listing.state,
        "title": listing.fields["title"],
        "fields": listing.fields,
        "sku": listing.sku,
        "pictures": [_picture(each) for each in listing.pictures],
        "files": [{"id": each.id, "name": each.name, "bytes": len(each.data)} for each in listing.downloads],
    }


def _picture(each: Picture) -> dict[str, Any]:
    return {"id": each.id, "name": each.name, "bytes": each.size, "sha256": each.sha256}
