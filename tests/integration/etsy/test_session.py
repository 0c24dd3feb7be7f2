"""From a seller's upload to drafts at Etsy, through every service, as the frontend does it."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from services.etsy_fake.faults import Fault
from services.etsy_fake.serve import settings_for
from services.etsy_fake.state import Etsy
from tests.integration.etsy.test_pages import CHOSEN, connect
from tests.integration.ingest.catalog.world import Caller
from tests.integration.ingest.embedded import Server, place, serving
from tests.integration.publisher.etsy.conftest import TOKEN_KEY
from tests.seller import Seller, artworks


@pytest.fixture
def server(
    stand_in: tuple[Etsy, str], tmp_path: Path, postgres_url: str, request: pytest.FixtureRequest
) -> Iterator[Server]:
    """The whole system in one process, with what `presswork etsy-fake` prints as its settings."""
    etsy, url = stand_in
    etsy.forget()
    settings = {**settings_for(etsy, httpx.URL(url).port or 0), "ETSY_TOKEN_KEY": TOKEN_KEY}
    with (
        place(tmp_path, postgres_url, request.getfixturevalue("_template"), **settings) as here,
        serving(here) as found,
    ):
        yield found


def test_an_upload_becomes_drafts_at_etsy_and_a_lost_create_is_no_second_one(
    stand_in: tuple[Etsy, str], server: Server
) -> None:
    etsy, _ = stand_in
    with Seller(server.url) as seller:
        seller_on_page = Caller(seller.http, {"id": seller.user_id}, seller.token)  # type: ignore[arg-type]
        connect(seller_on_page)
        assert seller_on_page("PUT", "/api/v1/etsy/setup", json=CHOSEN).json()["missing"] == []
        etsy.faults.arm(Fault(operation="createDraftListing", kind="error-after", skip=1))

        session, designs = seller.upload(artworks(2))
        answer = seller.list_designs([design["id"] for design in designs])

        assert answer["result"]["message"].startswith("2 listings created."), answer
        assert seller.receipt(session)["listed"] == 2
    drafts = sorted(etsy.listings.values(), key=lambda listing: str(listing.fields["title"]))
    assert [listing.fields["title"] for listing in drafts] == ["UV 100 | UVDTF Cup Wrap", "UV 101 | UVDTF Cup Wrap"]
    assert {listing.state for listing in drafts} == {"draft"}
    assert all(listing.pictures for listing in drafts)
    assert etsy.fees_usd == 0
