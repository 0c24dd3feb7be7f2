"""From a seller's upload to drafts at Etsy, through every service, as the frontend does it."""

import contextlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from uuid import UUID

import httpx
import pytest
from sqlalchemy import create_engine, select

from services.dedup.tables import hashes
from services.etsy_fake.faults import Fault, Kind
from services.etsy_fake.serve import settings_for
from services.etsy_fake.state import Etsy
from services.ingest.sessions.serving.outcome_text import NO_SHOP, TRIED
from tests.integration.etsy_setup.test_pages import CHOSEN, connect
from tests.integration.ingest.catalog.world import Caller
from tests.integration.ingest.embedded import Place, Server, place, serving
from tests.integration.publisher.etsy.conftest import TOKEN_KEY
from tests.seller import Seller, artworks
from tests.waiting import eventually

NewPlace = Callable[[], AbstractContextManager[Place]]


@pytest.fixture(scope="module")
def new_place(
    stand_in: tuple[Etsy, str],
    tmp_path_factory: pytest.TempPathFactory,
    postgres_url: str,
    request: pytest.FixtureRequest,
) -> NewPlace:
    """With what `presswork etsy-fake` prints as its settings."""
    etsy, url = stand_in
    settings = {**settings_for(etsy, httpx.URL(url).port or 0), "ETSY_TOKEN_KEY": TOKEN_KEY}
    template = request.getfixturevalue("_template")
    return lambda: place(tmp_path_factory.mktemp("etsy"), postgres_url, template, **settings)


@pytest.fixture(scope="module")
def server(stand_in: tuple[Etsy, str], new_place: NewPlace) -> Iterator[Server]:
    """The whole system in one process."""
    stand_in[0].forget()
    with new_place() as here, serving(here) as found:
        yield found


def set_up(seller: Seller, user_id: int, choices: dict[str, int]) -> Caller:
    """Connect the shop of this person at Etsy, and choose."""
    page = Caller(seller.http, {"id": seller.user_id}, seller.token)  # type: ignore[arg-type]
    connect(page, user_id)
    assert page("PUT", "/api/v1/etsy/setup", json=choices).json()["missing"] == []
    return page


def out_of_use(here: Place, design_id: str) -> bool:
    """Whether dedup has heard that a design was deleted: until then its file is a duplicate."""
    engine = create_engine(here.database_url)
    with engine.connect() as connection:
        found = connection.execute(select(hashes.c.is_active).where(hashes.c.item_id == UUID(design_id))).scalar_one()
    engine.dispose()
    return not found


def test_what_was_listed_in_a_dry_run_becomes_drafts_at_etsy_when_it_is_asked_for_again(
    stand_in: tuple[Etsy, str], new_place: NewPlace
) -> None:
    """One system after the other: of two at a time over one database either may do what the other is asked for."""
    etsy, _ = stand_in
    with new_place() as here, contextlib.ExitStack() as stack:
        dry = replace(here, changes={**here.changes, "PUBLISHER_TARGET": "dry-run"})
        with serving(dry) as before:
            seller = stack.enter_context(Seller(before.url, shop_name="EastCups"))
            session, designs = seller.upload(artworks(2, seed=3))
            ids = [design["id"] for design in designs]
            told = seller.list_designs(ids)["result"]["message"]
            assert told == f"2 listings created.\n{TRIED}"
            assert len(dry.listed("EastCups")) == 2

        seller.http.base_url = stack.enter_context(serving(here)).url
        seller.upload(artworks(2, seed=3))
        nothing = seller.list_designs([])
        assert nothing["result"]["message"].splitlines()[1] == NO_SHOP
        nothing = seller.list_designs(ids)
        assert (nothing["success"], nothing["listings"]["listed"]) == (False, 0)
        assert nothing["result"]["message"].splitlines() == ["2 listings in a dry run only.", NO_SHOP]

        page = set_up(seller, 77, CHOSEN)
        for words in ("2 listings created.", "2 listed already."):
            assert seller.list_designs(ids)["result"]["message"].startswith(words)
        assert seller.receipt(session)["listed"] == 2
        listing = seller.items(session)[0]["listing_id"]
        deleted = seller.http.delete(f"/designs/delete/{ids[0]}").json()["message"]
        assert f" and the listing {listing} at Etsy, where only you can delete it. " in deleted
        page("POST", "/third-party/revoke-token")
    titles = sorted(str(listing.fields["title"]) for listing in etsy.listings.values())
    assert titles == ["UV 100 | UVDTF Cup Wrap", "UV 101 | UVDTF Cup Wrap"]
    etsy.listings.clear()


def test_an_upload_becomes_drafts_at_etsy_and_a_lost_create_is_no_second_one(
    stand_in: tuple[Etsy, str], server: Server
) -> None:
    etsy, _ = stand_in
    with Seller(server.url) as seller:
        page = set_up(seller, 77, CHOSEN)
        etsy.faults.arm(Fault(operation="createDraftListing", kind="error-after", skip=1))

        session, designs = seller.upload(artworks(2))
        answer = seller.list_designs([design["id"] for design in designs])

        assert answer["result"]["message"].startswith("2 listings created."), answer
        assert seller.receipt(session)["listed"] == 2
        page("POST", "/third-party/revoke-token")
    drafts = sorted(etsy.listings.values(), key=lambda listing: str(listing.fields["title"]))
    assert [listing.fields["title"] for listing in drafts] == ["UV 100 | UVDTF Cup Wrap", "UV 101 | UVDTF Cup Wrap"]
    assert {listing.state for listing in drafts} == {"draft"}
    assert all(listing.pictures for listing in drafts)
    assert etsy.fees_usd == 0


def test_a_draft_of_a_deleted_design_can_be_published_while_another_design_with_its_print_is_in_use(
    stand_in: tuple[Etsy, str], server: Server
) -> None:
    """A design that was deleted and sent again gets the draft that there is: no second one is made of its print."""
    etsy, _ = stand_in
    with Seller(server.url, shop_name="AgainCups") as seller:
        page = set_up(seller, 77, CHOSEN)
        etsy.listings.clear()
        files = artworks(1, seed=6)
        _, (first,) = seller.upload(files)
        assert seller.list_designs([first["id"]])["success"]
        (draft,) = map(str, etsy.listings)
        seller.http.delete(f"/designs/delete/{first['id']}")
        assert page("GET", "/api/v1/etsy/drafts").json()["drafts"] == []

        eventually(lambda: out_of_use(server.place, first["id"]))
        _, (second,) = seller.upload(files)
        assert "a second listing of the same picture" in seller.list_designs([second["id"]])["result"]["message"]
        assert [each["listing_id"] for each in page("GET", "/api/v1/etsy/drafts").json()["drafts"]] == [draft]
        agreed = {"listing_ids": [draft], "agreed_usd": 0.2}
        seller.http.delete(f"/designs/delete/{second['id']}")
        assert page("POST", "/api/v1/etsy/publish", json=agreed).json()["published"] == []
        seller.http.put(f"/designs/update/{second['id']}", json={"is_active": True})
        assert page("POST", "/api/v1/etsy/publish", json=agreed).json()["published"] == [draft]
        page("POST", "/third-party/revoke-token")
    etsy.listings.clear()


def test_a_listing_that_somebody_deleted_at_etsy_is_listed_anew_when_it_is_tried_again(
    stand_in: tuple[Etsy, str], server: Server
) -> None:
    etsy, _ = stand_in
    with Seller(server.url, shop_name="WestCups") as seller:
        page = set_up(seller, 77, CHOSEN)
        etsy.listings.clear()
        session, designs = seller.upload(artworks(2, seed=4))
        assert seller.list_designs([design["id"] for design in designs])["success"]
        first, second = etsy.listings
        item = next(row["item_id"] for row in seller.items(session) if row["listing_id"] == str(first))

        again = page("POST", f"/api/v1/sessions/{session}/items/{item}/retry").json()
        assert again["listings_retried"] == 0, "it is there"
        del etsy.listings[first]
        again = page("POST", f"/api/v1/sessions/{session}/items/{item}/retry").json()
        assert again["listings_retried"] == 1
        eventually(lambda: seller.receipt(session)["listed"] == 2)

        del etsy.listings[second]
        agreed = {"listing_ids": [str(second)], "agreed_usd": 0.2}
        assert "not at Etsy any more" in page("POST", "/api/v1/etsy/publish", json=agreed).json()["failed"][str(second)]
        receipt = seller.receipt(session)
        assert (receipt["listed"], receipt["listing_failed"]) == (1, 1)
        assert page("POST", f"/api/v1/sessions/{session}/retry").json()["listings_retried"] == 1
        eventually(lambda: seller.receipt(session)["listed"] == 2)
        page("POST", "/third-party/revoke-token")
    assert len(etsy.listings) == 2
    assert not {first, second} & set(etsy.listings)
    etsy.listings.clear()


@pytest.mark.parametrize("kind", ["html", "error-before"])
def test_what_was_published_and_paid_for_is_told_though_etsy_goes_away_in_the_middle(
    stand_in: tuple[Etsy, str], server: Server, kind: Kind
) -> None:
    etsy, _ = stand_in
    with Seller(server.url, shop_name="MidCups") as seller:
        page = set_up(seller, 77, CHOSEN)
        etsy.listings.clear()
        session, designs = seller.upload(artworks(3, seed=5))
        assert seller.list_designs([design["id"] for design in designs])["success"]
        first, second, third = map(str, etsy.listings)
        del etsy.listings[int(first)]
        etsy.faults.arm(Fault(operation="updateListing", kind=kind, skip=1))

        told = page("POST", "/api/v1/etsy/publish", json={"listing_ids": [first, second, third], "agreed_usd": 0.6})

        assert told.status_code == 200, told.text
        assert told.json()["published"] == [second]
        assert list(told.json()["failed"]) == [first, third]
        assert "not at Etsy any more" in told.json()["failed"][first]
        assert told.json()["message"] == "Published: 1 listing = 0.20 USD"
        assert seller.receipt(session)["listing_failed"] == 1, "its upload has heard of it"
        page("POST", "/third-party/revoke-token")
    etsy.listings.clear()


def test_listings_that_a_revoked_connection_kept_back_are_made_when_the_seller_has_connected_again(
    stand_in: tuple[Etsy, str], server: Server
) -> None:
    etsy, _ = stand_in
    choices = {name: number + 1000 for name, number in CHOSEN.items() if name != "taxonomy_id"} | {"taxonomy_id": 1071}
    with Seller(server.url, shop_name="SouthCups") as seller:
        page = set_up(seller, 78, choices)
        session, designs = seller.upload(artworks(1, seed=2))
        etsy.access.clear()
        etsy.refresh.clear()

        told = seller.list_designs([design["id"] for design in designs])["result"]["message"]
        assert "connect the Etsy shop again" in told
        assert page("GET", "/third-party/verify-connection").json()["connected"] is False

        connect(page, 78)
        page("POST", f"/api/v1/sessions/{session}/retry")
        eventually(lambda: seller.receipt(session)["listed"] == 1)
    assert [listing.fields["shipping_profile_id"] for listing in etsy.listings.values() if listing.shop_id == 556] == [
        2101
    ]
