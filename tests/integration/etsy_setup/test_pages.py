"""The account pages: a shop is connected as the frontend does it, and no token reaches the browser."""

import re
from functools import partial
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit
from uuid import UUID

import httpx
import pytest

from services.etsy_fake.faults import Kind
from services.etsy_setup import accounts
from services.etsy_setup.front import HANDLE
from services.ingest.catalog.users import Users
from services.publisher.etsy import activating
from services.publisher.store import Ledger
from tests.integration.ingest.catalog.test_catalog_designs import stored
from tests.integration.ingest.catalog.world import Browser, Caller, registered
from tests.integration.publisher.etsy.conftest import World, consented
from tests.integration.publisher.etsy.test_tokens import run_out
from tests.unit.publisher.events import ITEM, MOCKUP, template

OF_THE_DELETED = "its design was deleted, so it stays a draft, which only you can delete at Etsy"

CHOSEN = {"shipping_profile_id": 1101, "readiness_state_id": 1201, "return_policy_id": 1301, "taxonomy_id": 1071}


def connect(seller: Caller, user_id: int = 77) -> dict[str, Any]:
    """What the frontend does with `oauth-data`, and what the redirect page does with the code."""
    answer = redirected(seller, consent(seller, user_id))
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def redirected(seller: Caller, code: str) -> httpx.Response:
    """The call of the redirect page."""
    return seller("GET", f"/third-party/oauth-redirect?code={code}")


def consent(seller: Caller, user_id: int = 77) -> str:
    """The code with which Etsy's consent page sends the browser back."""
    data = seller("GET", "/third-party/oauth-data").json()
    query = {
        "response_type": data["responseType"],
        "client_id": data["clientId"],
        "redirect_uri": data["redirectUri"],
        "scope": data["scopes"],
        "state": data["state"],
        "code_challenge": data["codeChallenge"],
        "code_challenge_method": data["codeChallengeMethod"],
    }
    back = consented(f"{data['oauthConnectUrl']}?{urlencode(query)}", user_id)
    return parse_qs(urlsplit(back).query)["code"][0]


def test_a_seller_connects_a_shop_and_the_upload_button_appears(world: World, ana: Caller) -> None:
    assert ana("GET", "/third-party/verify-connection").json() == {
        "connected": False,
        "message": "No Etsy connection found",
    }

    connected = connect(ana)

    assert list(connected) == [
        *("status_code", "success", "access_token", "refresh_token", "expires_in", "expires_at", "message")
    ]
    assert (connected["success"], connected["message"]) == (True, "Authentication successful")
    verified = ana("GET", "/third-party/verify-connection").json()
    assert verified["connected"] is True
    assert verified["user_info"] == {"user_id": 77, "first_name": "NorthCups"}
    assert verified["shop_info"] == {"shop_id": 555, "shop_name": "NorthCups"}
    refreshed = ana("POST", "/third-party/refresh-token", json={"refresh_token": HANDLE}).json()
    assert refreshed["success"] is True
    assert refreshed["token_type"] == "Bearer"
    for answer in (connected, refreshed):
        assert answer["access_token"] == answer["refresh_token"] == HANDLE


def test_what_listings_can_name_is_the_shops_own(ana: Caller) -> None:
    connect(ana)

    assert ana("GET", "/settings/product-template/shop-sections").json() == [
        {"id": 1401, "name": "Cups"},
        {"id": 1402, "name": "Stickers"},
    ]
    profiles = ana("GET", "/third-party-listings/options/shipping-profiles").json()
    assert [each["name"] for each in profiles["shipping_profiles"]] == ["Express", "Standard"]
    taxonomies = ana("GET", "/settings/product-template/taxonomies").json()
    assert {"id": 1071, "name": "Tumblers & Water Glasses > Drinkware > Home & Living"} in taxonomies


def test_a_bad_code_is_told_with_etsys_name(ana: Caller) -> None:
    ana("GET", "/third-party/oauth-data")

    answer = ana("GET", "/third-party/oauth-redirect?code=nonsense")

    assert answer.status_code == 401
    assert "Etsy did not accept this authorisation" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("kind", "how"),
    [("error-before", "status 500"), ("html", "status 502"), ("reset", "ReadError|RemoteProtocolError")],
)
def test_where_etsy_gives_no_tokens_it_is_said_what_to_do(world: World, ana: Caller, kind: Kind, how: str) -> None:
    code = consent(ana)
    world.arm("refreshToken", kind)

    answer = redirected(ana, code)

    assert answer.status_code == 503
    words = rf"Etsy: Etsy gave no tokens \(({how})\): connect the Etsy shop again in some minutes"
    assert re.fullmatch(words, answer.json()["detail"])
    assert ana("GET", "/third-party/verify-connection").json()["connected"] is False

    connect(ana)
    run_out(world)
    world.arm("refreshToken", kind)
    answer = ana("POST", "/third-party/refresh-token", json={"refresh_token": HANDLE})
    assert answer.status_code == 503
    words = rf"Etsy: Etsy gave no tokens \(({how})\): try again in some minutes; listings wait, and go on by themselves"
    assert re.fullmatch(words, answer.json()["detail"])
    assert ana("POST", "/third-party/refresh-token", json={"refresh_token": HANDLE}).json()["success"] is True


def test_a_redirect_page_that_is_loaded_anew_finds_the_shop_connected(world: World, ana: Caller) -> None:
    code = consent(ana)
    first = redirected(ana, code)
    tokens = set(world.etsy.access)

    again = redirected(ana, code)

    assert (first.status_code, again.status_code) == (200, 200)
    assert again.json()["message"] == "Authentication successful"
    assert set(world.etsy.access) == tokens


def test_a_code_that_made_a_connection_makes_no_other_after_that_was_removed(ana: Caller) -> None:
    code = consent(ana)
    redirected(ana, code)
    ana("POST", "/third-party/revoke-token")

    answer = redirected(ana, code)

    assert answer.status_code == 401
    assert "connect again from the beginning" in answer.json()["detail"]


def test_a_revoked_connection_hides_the_button_and_says_reconnect(world: World, ana: Caller) -> None:
    connect(ana)
    world.etsy.access.clear()
    world.etsy.refresh.clear()
    assert ana("GET", "/api/v1/etsy/setup").status_code == 401

    told = ana("GET", "/third-party/verify-connection").json()

    assert told["connected"] is False
    assert "connect the Etsy shop again" in told["message"]
    connect(ana)
    assert ana("GET", "/third-party/verify-connection").json()["connected"] is True


def test_disconnecting_forgets_the_tokens(world: World, ana: Caller) -> None:
    connect(ana)
    assert ana("POST", "/third-party/revoke-token").json()["success"] is True
    assert ana("GET", "/third-party/verify-connection").json()["connected"] is False
    assert world.one("SELECT count(*) FROM publisher.etsy_connections") == 0


def test_setup_shows_what_there_is_and_keeps_what_is_the_shops(ana: Caller) -> None:
    connect(ana)
    before = ana("GET", "/api/v1/etsy/setup").json()
    assert before["missing"] == [
        "shipping profile",
        "processing profile (readiness state)",
        "return policy",
        "category",
    ]
    assert {"id": 1201, "name": "made to order, 1-3 days"} in before["options"]["readiness_state_id"]
    assert before["options"]["return_policy_id"] == [{"id": 1301, "name": "returns within 30 days"}]

    wrong = ana("PUT", "/api/v1/etsy/setup", json={**CHOSEN, "shipping_profile_id": 2101})
    assert wrong.status_code == 422
    assert wrong.json()["detail"] == "Etsy: the shop has no shipping profile 2101"
    assert ana("PUT", "/api/v1/etsy/setup", json=CHOSEN).json()["missing"] == []
    assert ana("GET", "/api/v1/etsy/setup").json()["choices"]["taxonomy_id"] == 1071


def test_a_template_has_choices_of_its_own(world: World, ana: Caller) -> None:
    connect(ana)
    ana("PUT", "/api/v1/etsy/setup", json=CHOSEN)
    made = ana.made("/settings/product-template", {"name": "Mug", "price": 4.0, "quantity": 1})["id"]

    told = ana("PUT", f"/api/v1/etsy/setup?template_id={made}", json={"shipping_profile_id": 1102}).json()
    assert (told["choices"]["shipping_profile_id"], told["templates"][made]["shipping_profile_id"]) == (1101, 1102)
    assert ana("PUT", f"/api/v1/etsy/setup?template_id={ana.id}", json=CHOSEN).status_code == 404

    world.publish(world.event(tenant_id=ana.id, template=template(template_id=made)))
    assert world.listing().fields["shipping_profile_id"] == 1102
    assert world.listing().fields["readiness_state_id"] == 1201


def test_two_accounts_have_two_shops(browser: Browser, ana: Caller) -> None:
    ben = registered(browser, "ben@example.com", "SouthCups")
    connect(ana, 77)
    connect(ben, 78)

    assert ben("GET", "/third-party/verify-connection").json()["shop_info"]["shop_id"] == 556
    assert ana("GET", "/third-party/verify-connection").json()["shop_info"]["shop_id"] == 555


def test_drafts_are_published_for_the_fee_that_was_agreed_to_and_no_other(world: World, ana: Caller) -> None:
    connect(ana)
    ana("PUT", "/api/v1/etsy/setup", json=CHOSEN)
    first, second = (world.publish(world.event(tenant_id=ana.id, mockup_id=mockup)) for mockup in (MOCKUP, ITEM))
    told = ana("GET", "/api/v1/etsy/drafts").json()
    assert (told["total_usd"], told["message"]) == (0.4, "Publishing all: 2 listings = 0.40 USD")
    wanted = {"listing_ids": [first.listing_id], "agreed_usd": 0.4}

    refused = ana("POST", "/api/v1/etsy/publish", json=wanted)
    assert refused.status_code == 409
    assert "Etsy will charge 1 listing = 0.20 USD, and 0.40 USD was agreed to" in refused.json()["detail"]
    assert world.etsy.fees_usd == 0

    done = ana("POST", "/api/v1/etsy/publish", json={**wanted, "agreed_usd": 0.2}).json()
    assert done == {
        "published": [first.listing_id],
        "published_before": [],
        "failed": {},
        "message": "Published: 1 listing = 0.20 USD",
    }
    assert world.etsy.fees_usd == pytest.approx(0.2)
    assert [each["listing_id"] for each in ana("GET", "/api/v1/etsy/drafts").json()["drafts"]] == [second.listing_id]


def drafted(world: World, seller: Caller, design: UUID) -> str:
    """The draft of a stored design, by its listing id."""
    event = world.event(tenant_id=seller.id, item_id=design, mockup_id=design)
    return world.publish(event).listing_id


def shown(seller: Caller) -> tuple[list[str], float]:
    """What can be published, and what all of it costs."""
    told = seller("GET", "/api/v1/etsy/drafts").json()
    return [each["listing_id"] for each in told["drafts"]], told["total_usd"]


def test_a_draft_of_a_deleted_design_is_neither_counted_nor_published_until_the_design_is_restored(
    world: World, ana: Caller
) -> None:
    connect(ana)
    ana("PUT", "/api/v1/etsy/setup", json=CHOSEN)
    designs = [stored(world.engine, ana, number=number) for number in (100, 101)]
    rose, lily = (drafted(world, ana, design) for design in designs)
    ana("DELETE", f"/designs/delete/{designs[0]}")

    assert shown(ana) == ([lily], 0.2)
    words = "Publishing all: 1 listing = 0.20 USD; of deleted designs, and left out: 1 draft"
    assert ana("GET", "/api/v1/etsy/drafts").json()["message"] == words
    alone = ana("POST", "/api/v1/etsy/publish", json={"listing_ids": [rose], "agreed_usd": 0.2})
    assert alone.json() == {
        "published": [],
        "published_before": [],
        "failed": {rose: OF_THE_DELETED},
        "message": "Published: 0 listings = 0.00 USD",
    }
    dear = ana("POST", "/api/v1/etsy/publish", json={"listing_ids": [rose, lily], "agreed_usd": 0.6})
    assert dear.status_code == 409
    assert "Etsy will charge 1 listing = 0.20 USD, and 0.60 USD was agreed to" in dear.json()["detail"]
    assert f"{rose}: {OF_THE_DELETED}" in dear.json()["detail"]
    assert world.etsy.fees_usd == 0

    both = {"listing_ids": [rose, lily], "agreed_usd": 0.4}  # as a page shows them from before the design was deleted
    done = ana("POST", "/api/v1/etsy/publish", json=both).json()
    assert (done["published"], done["failed"]) == ([lily], {rose: OF_THE_DELETED})
    assert world.etsy.fees_usd == pytest.approx(0.2)

    ana("PUT", f"/designs/update/{designs[0]}", json={"is_active": True})
    assert shown(ana) == ([rose], 0.2)
    done = ana("POST", "/api/v1/etsy/publish", json={"listing_ids": [rose], "agreed_usd": 0.2}).json()
    assert (done["published"], done["failed"]) == ([rose], {})


def test_a_design_that_was_deleted_before_its_draft_was_there_is_not_published(world: World, ana: Caller) -> None:
    connect(ana)
    ana("PUT", "/api/v1/etsy/setup", json=CHOSEN)
    design = stored(world.engine, ana)
    ana("DELETE", f"/designs/delete/{design}")
    draft = drafted(world, ana, design)  # the shop was making it already

    assert shown(ana) == ([], 0)
    done = ana("POST", "/api/v1/etsy/publish", json={"listing_ids": [draft], "agreed_usd": 0.2}).json()
    assert done["failed"] == {draft: OF_THE_DELETED}
    assert world.etsy.fees_usd == 0


def test_a_design_that_one_seller_deletes_keeps_no_draft_of_another_back(
    world: World, browser: Browser, ana: Caller
) -> None:
    ben = registered(browser, "ben@example.com", "SouthCups")
    drafts, designs = {}, {}
    for seller, person, more in ((ana, 77, 0), (ben, 78, 1000)):
        connect(seller, person)
        chosen = {kind: number + more for kind, number in CHOSEN.items() if kind != "taxonomy_id"}
        ready = seller("PUT", "/api/v1/etsy/setup", json={**chosen, "taxonomy_id": CHOSEN["taxonomy_id"]})
        assert ready.json()["missing"] == []
        designs[seller.id] = stored(world.engine, seller, shop=seller.user["shop_name"])
        drafts[seller.id] = drafted(world, seller, designs[seller.id])

    assert ben("DELETE", f"/designs/delete/{designs[ana.id]}").status_code == 404
    assert shown(ana) == ([drafts[ana.id]], 0.2)
    ana("DELETE", f"/designs/delete/{designs[ana.id]}")

    assert (shown(ana), shown(ben)) == (([], 0), ([drafts[ben.id]], 0.2))
    wanted = {"listing_ids": list(drafts.values()), "agreed_usd": 0.2}
    assert ben("POST", "/api/v1/etsy/publish", json=wanted).json()["published"] == [drafts[ben.id]]
    assert world.etsy.fees_usd == pytest.approx(0.2)


def test_a_design_that_is_deleted_while_others_are_being_published_is_not(world: World, ana: Caller) -> None:
    connect(ana)
    ana("PUT", "/api/v1/etsy/setup", json=CHOSEN)
    designs = [stored(world.engine, ana, number=number) for number in (100, 101)]
    rose, lily = (drafted(world, ana, design) for design in designs)
    with world.engine.begin() as connection:
        (user,) = Users(connection).everybody()
    ledger = Ledger(world.engine)
    drafts = activating.drafts(ledger, world.target.of(ana.id), ana.id)
    why_not = partial(accounts.why_not, world.engine, user)
    ended = activating.activate(ledger, world.target, ana.id, drafts, cap_usd=1, why_not=why_not)

    first = next(ended)
    ana("DELETE", f"/designs/delete/{designs[1]}")
    second = next(ended)

    assert (first.draft.listing_id, first.problem) == (rose, None)
    assert (second.draft.listing_id, second.problem) == (lily, OF_THE_DELETED)
    assert world.etsy.fees_usd == pytest.approx(0.2)


def test_a_plan_tells_calls_time_and_money(ana: Caller) -> None:
    connect(ana)

    told = ana("GET", "/api/v1/etsy/plan?designs=500&pictures=5").json()

    assert (told["calls"], told["fee_usd"], told["days"]) == (4000, 100.0, 1)
    assert told["message"].startswith("500 designs: 4,000 calls of 9,9")
    assert told["message"].endswith("drafts free, 100 USD when activated")

    assert ana("PUT", "/api/v1/etsy/setup", json=CHOSEN | {"skus": True}).status_code == 200
    told = ana("GET", "/api/v1/etsy/plan?designs=500&pictures=5").json()
    assert told["calls"] == 4500, "each listing gets a SKU, by a call of its own"


@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_without_a_shop_setup_says_to_connect_one(ana: Caller, method: str) -> None:
    answer = ana(method, "/api/v1/etsy/setup", json=CHOSEN if method == "PUT" else None)
    assert answer.status_code == 401
    assert "no Etsy shop is connected" in answer.json()["detail"]
