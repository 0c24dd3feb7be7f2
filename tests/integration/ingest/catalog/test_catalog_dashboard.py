"""The calls that decide whether the upload button is shown: contract 1.7."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from services.ingest.api.resources import build
from services.ingest.settings import Settings
from tests.integration.ingest.catalog.world import QUICK, SECRET, Caller, World

SUMMARY = {"total_sales": 0, "total_quantity": 0, "total_discounts": 0, "net_sales": 0, "total_receipts": 0}
FIVE = (
    "/dashboard/top-sellers?year=2025",
    "/dashboard/analytics?year=2025",
    "/orders/",
    "/designs/gallery",
    "/mockups/",
)


def configured_for_etsy(world: World) -> World:
    """The same world, with listings going to Etsy and no Etsy keys."""
    settings = Settings(jwt_secret_key=SECRET, publisher_target="etsy")
    old = world.resources
    new = build(settings, world.engine, world.blobs, old.emit, old.neighbours, passwords=QUICK)
    return replace(world, resources=new)


def test_the_five_dashboard_calls_answer_a_new_shop_with_empty_figures(ana: Caller) -> None:
    answers = [ana("GET", path) for path in FIVE]
    assert [answer.status_code for answer in answers] == [200] * 5
    assert [answer.json() for answer in answers] == [
        {"year": 2025, "top_sellers": [], "total_items": 0},
        {"year": 2025, "summary": SUMMARY, "monthly_breakdown": [], "year_top_sellers": []},
        {"orders": [], "count": 0, "total": 0},
        {"mockups": [], "files": [], "total_mockups": 0, "total_files": 0},
        {"mockups": [], "total": 0},
    ]


def test_without_a_year_the_figures_are_of_this_one(ana: Caller) -> None:
    assert ana("GET", "/dashboard/top-sellers").json()["year"] == datetime.now(UTC).year


def test_orders_accept_the_shops_token_and_the_later_path(ana: Caller) -> None:
    assert ana("GET", "/orders/?access_token=77.abc").status_code == 200
    assert ana("GET", "/api/orders/").json() == ana("GET", "/orders/").json()


def test_in_a_dry_run_every_shop_counts_as_connected(ana: Caller, ben: Caller) -> None:
    answer = ana("GET", "/third-party/verify-connection")
    assert answer.status_code == 200
    body = answer.json()
    assert body["connected"] is True
    assert body["user_info"]["first_name"] == body["shop_info"]["shop_name"] == "NorthCups"
    assert isinstance(body["user_info"]["user_id"], int)
    assert body["expires_at"] > datetime.now(UTC).timestamp() * 1000
    assert ben("GET", "/third-party/verify-connection").json()["shop_info"]["shop_name"] == "SouthCups"


def test_without_etsy_keys_a_shop_for_etsy_is_not_connected(world: World, ana: Caller) -> None:
    etsy = Caller(configured_for_etsy(world).client(), ana.user, ana.token)
    answer = etsy("GET", "/third-party/verify-connection")
    assert answer.json() == {"connected": False, "message": "No Etsy connection found"}


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/third-party/oauth-data", None),
        ("GET", "/third-party/oauth-redirect?code=abc", None),
        ("POST", "/third-party/refresh-token", {"refresh_token": "77.abc"}),
        ("GET", "/api/v1/etsy/setup", None),
        ("PUT", "/api/v1/etsy/setup", {"taxonomy_id": 1071}),
        ("GET", "/api/v1/etsy/plan?designs=5", None),
        ("GET", "/api/v1/etsy/drafts", None),
        ("POST", "/api/v1/etsy/publish", {"listing_ids": ["1"], "agreed_usd": 0.2}),
    ],
)
def test_what_needs_etsy_says_so_with_its_name(
    world: World, ana: Caller, method: str, path: str, body: dict[str, Any] | None
) -> None:
    for shop in (ana, Caller(configured_for_etsy(world).client(), ana.user, ana.token)):
        answer = shop(method, path, json=body)
        assert answer.status_code == 503
        assert "Etsy" in answer.json()["detail"]


def test_revoking_no_connection_succeeds(ana: Caller) -> None:
    assert ana("POST", "/third-party/revoke-token").json() == {"success": True, "message": "Etsy connection removed"}


@pytest.mark.parametrize(
    ("path", "kind"),
    [("taxonomies", "taxonomies"), ("shop-sections", "shop_sections"), ("shipping-profiles", "shipping_profiles")],
)
def test_listing_options_are_empty_lists_under_their_own_name(ana: Caller, path: str, kind: str) -> None:
    answer = ana("GET", f"/third-party-listings/options/{path}")
    assert answer.status_code == 200
    assert list(answer.json()) == [kind, "success_code", "message"]
    assert (answer.json()[kind], answer.json()["success_code"]) == ([], 200)
