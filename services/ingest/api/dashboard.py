"""The dashboard's figures: sales come from the shop's orders, which this server does not read, so they are empty.

All of them must answer: the client hides its upload button when one of the dashboard's calls fails.
"""

from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query

from services.ingest.api.identity import Caller

routes = APIRouter(tags=["dashboard"])

Year = Annotated[int | None, Query(ge=1, le=9999)]


@routes.get("/dashboard/top-sellers")
def top_sellers(user: Caller, year: Year = None) -> dict[str, Any]:
    """What sold most in a year."""
    del user
    return {"year": year or _this_year(), "top_sellers": [], "total_items": 0}


@routes.get("/dashboard/analytics")
def analytics(user: Caller, year: Year = None) -> dict[str, Any]:
    """What was sold in a year."""
    del user
    totals = ("total_sales", "total_quantity", "total_discounts", "net_sales", "total_receipts")
    return {
        "year": year or _this_year(),
        "summary": dict.fromkeys(totals, 0),
        "monthly_breakdown": [],
        "year_top_sellers": [],
    }


@routes.get("/orders/")
@routes.get("/api/orders/")
def orders(user: Caller) -> dict[str, Any]:
    """Open orders. Later frontends ask under `/api`."""
    del user
    return {"orders": [], "count": 0, "total": 0}


def _this_year() -> int:
    return datetime.now(UTC).year
