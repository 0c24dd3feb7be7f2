"""The stand-in says no as Etsy does; without a server, over ASGI."""

import asyncio
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from services.etsy_fake import state
from services.etsy_fake.app import create_app
from services.etsy_fake.faults import Fault, Faults
from services.etsy_fake.state import Etsy, Grant, Limits
from tests.etsy.description import at_hand

DESCRIPTION = at_hand()
KEY = "fakekeystring:fakesecret"
SHOP = "/v3/application/shops/555/listings"
GOOD = {
    "quantity": "10",
    "title": "UV 100 | Wrap",
    "description": "Ready",
    "price": "4.00",
    "who_made": "i_did",
    "when_made": "made_to_order",
    "is_supply": "false",
    "taxonomy_id": "1071",
    "type": "physical",
    "shipping_profile_id": "1101",
    "readiness_state_id": "1201",
}
JPEG = ("a.jpg", b"\xff\xd8\xff picture", "image/jpeg")


class Caller:
    """Calls the stand-in as seller 77."""

    def __init__(self, etsy: Etsy, loop: asyncio.Runner) -> None:
        self.etsy = etsy
        etsy.limits = Limits(per_second=1000)
        self.loop = loop
        scopes = frozenset({"listings_r", "listings_w", "shops_r"})
        etsy.access["77.token"] = Grant(77, scopes, etsy.now() + 3600)

    def __call__(self, method: str, path: str, **kwargs: Any) -> httpx.Response:
        headers = {"x-api-key": KEY, "Authorization": "Bearer 77.token"} | kwargs.pop("headers", {})

        async def call() -> httpx.Response:
            transport = httpx.ASGITransport(create_app(self.etsy))
            async with httpx.AsyncClient(transport=transport, base_url="http://etsy") as client:
                return await client.request(method, path, headers=headers, **kwargs)

        answer = self.loop.run(call())
        if DESCRIPTION and path.startswith("/v3/application") and answer.content:
            assert DESCRIPTION.of_answer(answer.request, answer) == []
        return answer

    def draft(self, **changes: str) -> httpx.Response:
        return self("POST", SHOP, data={**GOOD, **changes})

    def made(self, **changes: str) -> str:
        answer = self.draft(**changes)
        assert answer.status_code == 201, answer.text
        return f"{SHOP}/{answer.json()['listing_id']}"

    def picture(self, listing: str, **fields: str) -> httpx.Response:
        return self("POST", f"{listing}/images", files={"image": JPEG}, data=fields)

    def order(self, listing: str) -> list[int]:
        images = f"/v3/application/listings/{listing.rpartition('/')[2]}/images"
        return [each["listing_image_id"] for each in self("GET", images).json()["results"]]


@pytest.fixture
def etsy() -> Iterator[Caller]:
    with asyncio.Runner() as loop:
        yield Caller(Etsy(), loop)


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("", "Missing x-api-key"),
        ("fakekeystring", "Shared secret is required in x-api-key header."),
        ("fakekeystring:wrong", "Shared secret is required"),
        ("wrong:fakesecret", "Invalid API key"),
    ],
    ids=["none", "half", "wrong secret", "wrong key"],
)
def test_half_a_key_opens_nothing(etsy: Caller, key: str, words: str) -> None:
    answer = etsy("GET", "/v3/application/openapi-ping", headers={"x-api-key": key})
    assert answer.status_code == 403
    assert words in answer.json()["error"]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"readiness_state_id": ""}, "Expected int value"),
        ({"shipping_profile_id": "2101"}, "does not belong to this shop"),
        ({"tags": "[a,b]"}, "contains invalid character"),
        ({"tags": "a,A"}, "duplicate tags"),
        ({"materials": ""}, "array_too_short"),
        ({"title": "50% & 60%"}, "/title"),
        ({"who_made": "someone_else"}, "Oh dear, you cannot sell this item on Etsy."),
        ({"taxonomy_id": "5"}, "/taxonomy_id"),
        ({"price": "0.1"}, "price"),
    ],
    ids=["readiness", "foreign", "brackets", "twice", "empty array", "signs", "partner", "category", "price"],
)
def test_a_draft_is_refused_in_etsys_words(etsy: Caller, changes: dict[str, str], words: str) -> None:
    answer = etsy.draft(**changes)
    assert answer.status_code == 400
    assert words in answer.text
    assert not etsy.etsy.listings


@pytest.mark.parametrize("name", ["readiness_state_id", "shipping_profile_id", "is_supply", "price"])
def test_what_the_server_wants_must_be_there(etsy: Caller, name: str) -> None:
    answer = etsy("POST", SHOP, data={field: value for field, value in GOOD.items() if field != name})
    assert answer.status_code == 400
    assert name in answer.text


def test_a_weight_of_zero_is_a_500_and_json_is_refused(etsy: Caller) -> None:
    assert etsy.draft(item_weight="0").status_code == 500
    assert etsy("POST", SHOP, json=GOOD).status_code == 400


def test_pictures_push_each_other_down_or_replace(etsy: Caller) -> None:
    listing = etsy.made()
    first, second = (etsy.picture(listing, rank=rank).json()["listing_image_id"] for rank in ("1", "1"))
    assert etsy.order(listing) == [second, first]

    third = etsy.picture(listing, rank="2", overwrite="true").json()
    assert (third["rank"], third["full_width"]) == (2, None)
    assert etsy.order(listing) == [second, third["listing_image_id"]]

    forced = f"{third['listing_image_id']},{second}"
    assert etsy("PATCH", listing, data={"image_ids": forced}).status_code == 200
    assert etsy.order(listing) == [third["listing_image_id"], second]
    assert "inconsistent order" in etsy("PATCH", listing, data={"image_ids": f"{second},{second}"}).text


def test_twenty_pictures_are_the_most_and_webp_is_none(etsy: Caller) -> None:
    listing = etsy.made()
    for _ in range(20):
        assert etsy.picture(listing).status_code == 201
    assert "at most 20 images" in etsy.picture(listing).text
    webp = {"image": ("a.webp", b"RIFF....WEBP", "image/webp")}
    assert "Either a valid image file" in etsy("POST", f"{etsy.made()}/images", files=webp, data={"rank": "1"}).text


def test_of_many_pictures_only_the_newest_are_kept_whole(etsy: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state, "MOST_KEPT_BYTES", 2 * len(JPEG[1]))
    listing = etsy.made()
    numbers = [etsy.picture(listing, rank="9").json()["listing_image_id"] for _ in range(3)]

    assert [etsy("GET", f"/_fake/pictures/{number}").content for number in numbers] == [b"", JPEG[1], JPEG[1]]
    (shown,) = etsy("GET", "/_fake/state").json()["listings"]
    assert [each["bytes"] for each in shown["pictures"]] == [len(JPEG[1])] * 3


def test_a_draft_is_published_with_a_picture_for_a_fee_once_and_is_no_draft_again(etsy: Caller) -> None:
    listing = etsy.made(return_policy_id="1301")
    assert "at least one image" in etsy("PATCH", listing, data={"state": "active"}).text
    etsy.picture(listing)
    for _ in range(2):
        assert etsy("PATCH", listing, data={"state": "active"}).json()["state"] == "active"
    assert etsy.etsy.fees_usd == pytest.approx(0.2)
    assert etsy("PATCH", listing, data={"state": "draft"}).status_code == 400


def test_a_file_makes_a_listing_digital(etsy: Caller) -> None:
    listing = etsy.made()
    file = {"file": ("design.png", b"data", "image/png")}
    assert etsy("POST", f"{listing}/files", files=file, data={"name": "a name"}).status_code == 400
    assert etsy("POST", f"{listing}/files", files=file, data={"name": "design.png"}).json()["size_bytes"] == 4
    assert etsy("GET", f"/v3/application/listings/{listing.rpartition('/')[2]}").json()["listing_type"] == "download"


def test_a_page_has_a_hundred_rows_at_most(etsy: Caller) -> None:
    etsy.made()
    assert etsy("GET", f"{SHOP}?state=draft&limit=101").status_code == 400
    page = etsy("GET", f"{SHOP}?state=draft&limit=1&includes=Inventory").json()
    assert (page["count"], page["results"][0]["inventory"]["products"][0]["sku"]) == (1, "")
    assert etsy("GET", SHOP).json()["count"] == 0  # active ones


def test_a_sku_is_set_by_the_inventory_only(etsy: Caller) -> None:
    number = etsy.made().rpartition("/")[2]
    path = f"/v3/application/listings/{number}/inventory"
    product = {"sku": "UV 100", "property_values": [], "offerings": [{"price": 4.5, "quantity": 3, "is_enabled": True}]}

    assert etsy("PUT", path, json={"products": [{**product, "product_id": 1}]}).status_code == 400
    answer = etsy("PUT", path, json={"products": [product]}).json()

    assert answer["products"][0]["sku"] == "UV 100"
    assert answer["products"][0]["offerings"][0]["price"] == {"amount": 450, "divisor": 100, "currency_code": "USD"}
    batch = etsy("GET", f"/v3/application/listings/batch/inventory?listing_ids={number}").json()
    assert batch["results"][0]["inventory"]["products"][0]["sku"] == "UV 100"
    assert etsy("GET", f"/v3/application/listings/batch/inventory?listing_ids={number},1").status_code == 404


def test_the_rate_is_told_with_etsys_misspelling_and_a_429_tells_only_when(etsy: Caller) -> None:
    etsy.etsy.limits = Limits(per_second=2, per_day=3)
    answers = [etsy("GET", "/v3/application/openapi-ping") for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[0].headers["x-remaining-this-secon"] == "1"
    assert answers[1].headers["x-remaining-today"] == "1"
    assert answers[2].headers["retry-after"] == "2"
    assert not [name for name in answers[2].headers if name.startswith("x-limit")]
    etsy.etsy.ahead_s = 5
    etsy("GET", "/v3/application/openapi-ping")
    assert int(etsy("GET", "/v3/application/openapi-ping").headers["retry-after"]) > 80_000


def test_a_stranger_and_a_small_scope_are_kept_out(etsy: Caller) -> None:
    listing = etsy.made()
    etsy.etsy.access["78.token"] = Grant(78, frozenset({"listings_w"}), etsy.etsy.now() + 60)
    stranger = {"Authorization": "Bearer 78.token"}
    assert etsy("PATCH", listing, data={"title": "x"}, headers=stranger).status_code == 403
    assert "listings_r" in etsy("GET", SHOP, headers=stranger).json()["error"]
    etsy.etsy.ahead_s = 7200
    assert etsy.draft().status_code == 401
    assert etsy("DELETE", f"/v3/application/listings/{listing.rpartition('/')[2]}").status_code == 401


def test_faults_are_armed_over_http_and_the_page_shows_what_there_is(etsy: Caller) -> None:
    fault = {"operation": "createDraftListing", "kind": "error-after", "times": 1, "skip": 1}
    assert etsy("POST", "/_fake/faults", json=fault).json()["armed"][0]["kind"] == "error-after"
    assert etsy("POST", "/_fake/faults", json={"kind": "nonsense"}).status_code == 422
    assert [etsy.draft().status_code for _ in range(3)] == [201, 500, 201]

    shown = etsy("GET", "/_fake/state").json()
    assert [listing["title"] for listing in shown["listings"]] == ["UV 100 | Wrap"] * 3
    assert etsy("GET", "/_fake/faults").json()["met"] == [{"operation": "createDraftListing", "kind": "error-after"}]
    assert "3 listings" in etsy("GET", "/").text
    assert etsy("POST", "/_fake/state", json={"advance_s": 60, "per_day": 5, "revoke": True}).json()["ahead_s"] == 60
    assert etsy.draft().status_code == 401
    assert etsy("POST", "/_fake/reset").json()["listings"] == []


def test_the_address_of_a_listing_leads_to_a_page_that_shows_it(etsy: Caller) -> None:
    made = etsy.draft(title="Cats on a Mug", description="Ready <at once>").json()
    number = made["listing_id"]
    etsy.picture(f"{SHOP}/{number}")
    assert made["url"] == f"http://etsy/listing/{number}"
    assert f'href="/listing/{number}"' in etsy("GET", "/").text

    page = etsy("GET", made["url"])

    assert (page.status_code, page.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    for words in ("Cats on a Mug", "Ready &lt;at once&gt;", "<b>draft</b>", "/_fake/pictures/", "Stand-in for Etsy"):
        assert words in page.text


def test_a_listing_that_the_stand_in_has_forgotten_has_a_page_that_says_so(etsy: Caller) -> None:
    gone = etsy("GET", "/listing/17")
    assert gone.status_code == 404
    assert "The stand-in has no listing 17" in gone.text


def test_a_fault_by_chance_is_met_by_the_same_calls_for_a_seed() -> None:
    def met(seed: int) -> list[bool]:
        faults = Faults()
        faults.arm(Fault(kind="html", rate=0.5, seed=seed, times=1000))
        return [faults.take("createDraftListing") is not None for _ in range(100)]

    assert met(1) == met(1) != met(2)
    assert 30 < sum(met(1)) < 70
