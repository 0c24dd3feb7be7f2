"""Pictures and files: each is uploaded once, in order, whatever happens in between."""

import pytest

from services.publisher.shop import PicturesLost
from shared.contracts import ListingFailed
from shared.errors import Retryable
from tests.integration.publisher.etsy.conftest import World
from tests.unit.publisher.events import template

UPLOAD = "uploadListingImage"
ALL = [b"first", b"second", b"third"]


@pytest.mark.parametrize("kind", ["error-before", "error-after", "cut-after", "html", "reset"])
@pytest.mark.parametrize("skip", [0, 2])
def test_an_upload_whose_end_nobody_saw_leaves_one_picture_at_its_rank(world: World, kind: str, skip: int) -> None:
    event = world.event()
    world.arm(UPLOAD, kind, skip=skip)
    with pytest.raises(Retryable):
        world.handle(event)

    world.publish(event)

    assert world.images() == ALL
    assert len(world.etsy.listings) == 1


def test_what_is_on_record_is_not_uploaded_again(world: World) -> None:
    event = world.event()
    world.arm(UPLOAD, "error-before", skip=2)
    with pytest.raises(Retryable):
        world.handle(event)

    world.publish(event)

    assert world.count(UPLOAD) == 3
    assert world.images() == ALL


def test_an_order_that_etsy_got_wrong_is_forced_and_read_back(world: World) -> None:
    world.arm(UPLOAD, "bad-order", times=3)

    world.publish(world.event())

    assert world.images() == ALL
    assert world.count("getListingImages") == 1


def test_a_picture_that_somebody_added_meanwhile_is_not_in_the_finished_listing(world: World) -> None:
    event = world.event()
    world.arm("updateListing", "error-before")
    with pytest.raises(Retryable):
        world.handle(event)
    listing = world.listing()
    listing.pictures.insert(0, type(listing.pictures[0])(1, 1, b"stranger", "image/jpeg", "x.jpg", 8))

    world.publish(event)

    assert world.images() == ALL


def test_a_picture_that_somebody_removed_meanwhile_is_uploaded_again(world: World) -> None:
    event = world.event()
    world.arm("updateListing", "error-before")
    with pytest.raises(Retryable):
        world.handle(event)
    del world.listing().pictures[1]
    with pytest.raises(PicturesLost, match="1 pictures are gone"):
        world.handle(event)

    world.publish(event)

    assert world.images() == ALL
    assert world.count(UPLOAD) == 4


def test_an_upload_lost_in_a_full_listing_leaves_twenty_pictures(world: World) -> None:
    event = world.event(*(b"%02d" % number for number in range(20)))
    world.arm(UPLOAD, "cut-after", skip=19)
    with pytest.raises(Retryable):
        world.handle(event)

    world.publish(event)

    assert world.images() == [b"%02d" % number for number in range(20)]


def test_a_draft_that_was_deleted_half_way_is_made_anew_by_the_next_try(world: World) -> None:
    world.arm(UPLOAD, "error-before", skip=1)
    with pytest.raises(Retryable):
        world.handle(world.event())
    world.etsy.listings.clear()
    answer = world.handle(world.event())
    assert isinstance(answer, ListingFailed)
    assert "not at Etsy any more" in answer.reason

    world.publish(world.event(generation=1))

    assert world.images() == ALL


def test_a_digital_listing_gets_its_file_once_and_needs_no_shipping(world: World) -> None:
    design = world.blobs.put(b"the design")
    event = world.event(digital=True, design=design)
    world.arm("uploadListingFile", "error-after")
    with pytest.raises(Retryable):
        world.handle(event)

    world.publish(event)

    listing = world.listing()
    assert [(each.name, each.data) for each in listing.downloads] == [("UV-100-UVDTF_16oz_100.png", b"the design")]
    assert listing.fields["type"] == "download"
    assert "shipping_profile_id" not in listing.fields
    assert world.images() == ALL


def test_what_etsy_refuses_is_told_in_its_words(world: World) -> None:
    answer = world.handle(world.event(template=template(who_made="someone_else", production_partner_ids=(9999,))))

    assert isinstance(answer, ListingFailed)
    assert answer.reason.startswith("Etsy refused it: There was a problem with /production_partner_ids")
    assert not world.etsy.listings
