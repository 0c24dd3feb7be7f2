"""A design becomes a draft at Etsy, with its pictures in order."""

import pytest
from sqlalchemy import text

from shared.errors import Retryable
from tests.integration.publisher.etsy.conftest import World
from tests.unit.publisher.events import TENANT, template


def test_a_design_becomes_a_draft_with_its_pictures_in_order(world: World) -> None:
    answer = world.publish(world.event())

    listing = world.listing()
    assert (answer.target, answer.listing_id, answer.state) == ("etsy:555", str(listing.id), "draft")
    assert listing.state == "draft"
    assert listing.fields["title"] == "UV 100 | UVDTF Cup Wrap"
    assert listing.fields["tags"] == ["cup", "wrap"]
    assert listing.fields["shipping_profile_id"] == 1101
    assert listing.fields["readiness_state_id"] == 1201
    assert listing.fields["should_auto_renew"] is False
    assert world.images() == [b"first", b"second", b"third"]
    assert world.one("SELECT status FROM publisher.listings") == "published"


def test_eight_calls_list_a_design_with_five_pictures(world: World) -> None:
    before = len(world.etsy.log)

    world.publish(world.event(b"1", b"2", b"3", b"4", b"5"))

    assert len(world.etsy.log) - before == 8


def test_asked_again_it_is_no_second_listing_and_no_call(world: World) -> None:
    event = world.event()
    first = world.publish(event)
    calls = len(world.etsy.log)

    assert world.publish(event) == first
    again = world.publish(world.event(generation=3, template=template(price=5.0)))

    assert again.listing_id == first.listing_id
    assert "no second listing was made" in again.warnings[-1]
    assert len(world.etsy.log) == calls


def test_what_was_listed_before_answers_named_their_shop_is_told_with_it(world: World) -> None:
    """Or else it is nowhere in particular, and would not be asked for when another shop is connected."""
    first = world.publish(world.event())
    with world.engine.begin() as connection:
        connection.execute(text("""UPDATE publisher.listings SET answer = answer || '{"target": "etsy"}'"""))

    again = world.publish(world.event(generation=3))

    assert (again.listing_id, again.target) == (first.listing_id, "etsy:555")


def test_a_sku_is_set_where_it_was_chosen(world: World) -> None:
    world.target.connections.choose(TENANT, 555, lambda chosen: chosen.model_copy(update={"skus": True}))

    world.publish(world.event())
    assert world.listing().sku == "UV 100"

    world.publish(world.event(digital=True, design=world.blobs.put(b"design"), mockup_id=TENANT))
    assert [listing.sku for listing in world.etsy.listings.values()] == ["UV 100"] * 2


def test_what_etsy_shows_otherwise_than_it_was_asked_for_is_told(world: World) -> None:
    event = world.event()
    world.arm("updateListing", "error-before")
    with pytest.raises(Retryable):
        world.handle(event)
    world.listing().fields |= {"title": "UV 100 | Cups &amp; Wraps", "price": 5.0, "quantity": 7}

    answer = world.publish(event)

    assert answer.warnings == (
        "Etsy shows the title 'UV 100 | Cups & Wraps'",
        "Etsy shows the price 5.00 USD",
        "Etsy shows a quantity of 7",
    )
