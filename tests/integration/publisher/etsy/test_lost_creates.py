"""A create whose end nobody saw is looked up at Etsy before it is made again: there is never a second listing."""

from datetime import timedelta

import httpx
import pytest
from sqlalchemy import text, update

from services.etsy_fake.state import Listing
from services.publisher.etsy import client
from services.publisher.shop import OutcomeUnknown, QuotaSpent, Unreachable
from services.publisher.store import Journal, listings
from shared.contracts import ListingFailed, MockupsRendered
from shared.errors import Retryable
from tests.integration.publisher.etsy.conftest import World
from tests.integration.publisher.shops import Crash
from tests.unit.publisher.events import template

CREATE = "createDraftListing"


def lost(world: World, event: MockupsRendered) -> None:
    with pytest.raises(OutcomeUnknown, match="before it is made again"):
        world.handle(event)
    assert world.one("SELECT status FROM publisher.listings WHERE status = 'unknown'") == "unknown"


@pytest.mark.parametrize("kind", ["error-after", "cut-after", "stall-after"])
def test_a_draft_that_was_made_unseen_is_adopted(world: World, kind: str) -> None:
    world.http.timeout = 0.3
    event = world.event()
    world.arm(CREATE, kind, seconds=0.5)
    lost(world, event)

    world.http.timeout = 5
    answer = world.publish(event)

    assert answer.listing_id == str(world.listing().id)
    assert world.images() == [b"first", b"second", b"third"]
    assert world.count(CREATE) == 1


@pytest.mark.parametrize("kind", ["error-before", "cut-before", "html", "reset"])
def test_a_draft_that_was_not_made_is_made_once(world: World, kind: str) -> None:
    event = world.event()
    world.arm(CREATE, kind)
    lost(world, event)

    world.publish(event)

    assert len(world.etsy.listings) == 1


def test_a_process_that_died_between_create_and_record_left_a_draft_that_is_adopted(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    event = world.event()

    def dies(*_: object) -> None:
        raise Crash

    with monkeypatch.context() as patch:
        patch.setattr(Journal, "drafted", dies)
        with pytest.raises(Crash):
            world.handle(event)
    assert world.one("SELECT status FROM publisher.listings") == "pending"

    assert world.publish(event).listing_id == str(world.listing().id)
    assert world.count(CREATE) == 1


def test_it_is_found_on_the_third_page_among_others_with_rows_that_repeat(world: World) -> None:
    event = world.event()
    world.arm(CREATE, "error-after")
    lost(world, event)
    first = world.listing()
    for _ in range(230):
        other = world.etsy.number()
        world.etsy.listings[other] = type(first)(
            other, first.shop_id, {**first.fields, "title": f"Another {other}"}, first.created
        )
    world.arm("getListingsByShop", "repeat-rows", times=9)

    assert world.publish(event).listing_id == str(first.id)
    assert len(world.etsy.listings) == 231


def test_it_is_not_missed_when_another_draft_is_deleted_between_two_pages(world: World) -> None:
    event = world.event()
    world.arm(CREATE, "error-after")
    lost(world, event)
    ours = world.listing()
    others = [world.etsy.number() for _ in range(100)]  # newer, so that ours begins the second page
    for other in others:
        fields = {**ours.fields, "title": f"Another {other}"}
        world.etsy.listings[other] = Listing(other, ours.shop_id, fields, ours.created)

    def deleted(response: httpx.Response) -> None:
        if others and "offset=0" in str(response.url):
            del world.etsy.listings[others.pop()]
            others.clear()

    world.http.event_hooks["response"].append(deleted)
    with pytest.raises(Retryable, match="read again"):
        world.handle(event)

    assert world.publish(event).listing_id == str(ours.id)
    assert world.count(CREATE) == 1


@pytest.mark.parametrize("ahead_s", [3600, -3600])
def test_a_draft_that_was_made_unseen_is_adopted_by_a_machine_whose_clock_is_an_hour_wrong(
    world: World, ahead_s: float
) -> None:
    """Ours is ahead of Etsy's, or behind it: a draft that was made after our first try seems to be older."""
    world.etsy.ahead_s = -ahead_s
    event = world.event()
    world.arm(CREATE, "error-after")
    lost(world, event)

    assert world.publish(event).listing_id == str(world.listing().id)


def test_a_draft_that_was_made_unseen_is_adopted_after_the_clock_was_set_back(world: World) -> None:
    """By an hour, so that all that was noted before is an hour ahead."""
    event = world.event()
    world.arm(CREATE, "error-after")
    lost(world, event)
    set_back(world)

    assert world.publish(event).listing_id == str(world.listing().id)
    assert world.count(CREATE) == 1


def test_a_draft_that_was_not_made_is_made_though_the_clock_was_set_back(world: World) -> None:
    """The shop's time to show it begins anew; it would have been an hour longer, and all tries are over by then."""
    event = world.event()
    world.arm(CREATE, "error-before")
    lost(world, event)
    set_back(world)

    with pytest.raises(Retryable, match="the clock was set back"):
        world.handle(event)
    world.publish(event)

    assert len(world.etsy.listings) == 1


def set_back(world: World) -> None:
    """The database's clock, by an hour: as it looks from then on."""
    hour = timedelta(hours=1)
    moved = {"intent_at": listings.c.intent_at + hour, "tried_at": listings.c.tried_at + hour}
    with world.engine.begin() as connection:
        connection.execute(update(listings).values(**moved))


def test_drafts_of_the_seller_with_the_same_words_are_not_taken_for_ours(world: World) -> None:
    event = world.event()
    world.arm(CREATE, "error-after")
    lost(world, event)
    first = world.listing()
    hour_ago = first.created - 3600
    for changed, created in (({}, hour_ago), ({"price": 9.0}, first.created), ({"quantity": 1}, first.created)):
        other = world.etsy.number()
        world.etsy.listings[other] = type(first)(other, first.shop_id, {**first.fields, **changed}, created)

    assert world.publish(event).listing_id == str(first.id)


def test_a_draft_made_unseen_is_known_by_the_words_that_it_was_made_with(world: World) -> None:
    world.arm(CREATE, "error-after")
    lost(world, world.event())

    answer = world.publish(world.event(template=template(price=9.5, quantity=7, title="| New words"), generation=1))

    assert answer.listing_id == str(world.listing().id)
    assert world.count(CREATE) == 1
    assert answer.warnings[-4:] == (
        "an earlier try had begun this listing: it has the texts of that time",
        "Etsy shows the title 'UV 100 | UVDTF Cup Wrap'",
        "Etsy shows the price 4.00 USD",
        "Etsy shows a quantity of 100",
    )


def test_a_draft_of_the_seller_with_today_s_words_is_not_taken_for_one_made_with_others(world: World) -> None:
    world.arm(CREATE, "error-after")
    lost(world, world.event())
    first = world.listing()
    own = world.etsy.number()
    world.etsy.listings = {own: Listing(own, first.shop_id, {**first.fields, "price": 9.5}, first.created)}

    assert world.publish(world.event(template=template(price=9.5), generation=1)).listing_id != str(own)
    assert len(world.etsy.listings) == 2


def test_a_create_from_before_its_words_were_kept_is_known_by_today_s(world: World) -> None:
    world.arm(CREATE, "error-after")
    lost(world, world.event())
    with world.engine.begin() as connection:
        connection.execute(text("UPDATE publisher.listings SET words = NULL"))

    assert world.publish(world.event()).listing_id == str(world.listing().id)
    assert world.count(CREATE) == 1


def test_a_title_that_etsy_writes_as_html_is_known_again(world: World) -> None:
    event = world.event(template=template(title="| Mum's Cup"))
    world.arm(CREATE, "error-after")
    lost(world, event)
    world.listing().fields["title"] = "UV 100 | Mum&#39;s Cup"

    assert world.publish(event).listing_id == str(world.listing().id)
    assert len(world.etsy.listings) == 1


def test_a_listing_that_is_on_record_is_no_candidate(world: World, other_mockup: MockupsRendered) -> None:
    made = world.publish(other_mockup)
    event = world.event()
    world.arm(CREATE, "error-before")
    lost(world, event)

    answer = world.publish(event)

    assert answer.listing_id != made.listing_id
    assert {listing.fields["title"] for listing in world.etsy.listings.values()} == {"UV 100 | UVDTF Cup Wrap"}


def test_of_two_that_fit_a_person_chooses(world: World) -> None:
    event = world.event()
    world.arm(CREATE, "error-after")
    lost(world, event)
    first = world.listing()
    twin = world.etsy.number()
    world.etsy.listings[twin] = type(first)(twin, first.shop_id, dict(first.fields), first.created)

    answer = world.handle(event)

    assert isinstance(answer, ListingFailed)
    assert f"{world.target.app.api_url}/listing/{first.id}" in answer.reason
    del world.etsy.listings[twin]
    assert world.publish(event.model_copy(update={"generation": 1})).listing_id == str(first.id)


def test_of_two_with_the_same_words_that_are_both_in_doubt_each_takes_one(
    world: World, other_mockup: MockupsRendered
) -> None:
    event = world.event()
    world.arm(CREATE, "error-after", times=2)
    lost(world, event)
    with pytest.raises(OutcomeUnknown):
        world.handle(other_mockup)

    ids = {world.publish(each).listing_id for each in (event, other_mockup)}

    assert ids == {str(number) for number in world.etsy.listings}
    assert sorted(len(listing.pictures) for listing in world.etsy.listings.values()) == [1, 3]


def test_a_third_draft_with_the_words_of_two_in_doubt_may_be_the_sellers_own(
    world: World, other_mockup: MockupsRendered
) -> None:
    event = world.event()
    world.arm(CREATE, "error-after", times=2)
    lost(world, event)
    with pytest.raises(OutcomeUnknown):
        world.handle(other_mockup)
    first = next(iter(world.etsy.listings.values()))
    own = world.etsy.number()
    world.etsy.listings[own] = type(first)(own, first.shop_id, dict(first.fields), first.created)

    answer = world.handle(event)

    assert isinstance(answer, ListingFailed)
    assert "3 drafts that could be this one" in answer.reason


def test_in_doubt_with_other_words_leaves_no_room_for_a_draft_of_the_seller(
    world: World, other_mockup: MockupsRendered
) -> None:
    world.arm(CREATE, "error-after", times=2)
    event = world.event()
    lost(world, event)
    with pytest.raises(OutcomeUnknown):
        world.handle(other_mockup.model_copy(update={"template": template(price=9.5)}))
    first = next(iter(world.etsy.listings.values()))
    own = world.etsy.number()
    world.etsy.listings[own] = Listing(own, first.shop_id, dict(first.fields), first.created)

    answer = world.handle(event)

    assert isinstance(answer, ListingFailed)
    assert "2 drafts that could be this one" in answer.reason


def test_a_young_draft_that_lists_do_not_show_yet_is_waited_for(world: World) -> None:
    event = world.event()
    world.target = type(world.target)(**{**vars(world.target), "settles_after_s": 3600})
    world.arm(CREATE, "error-after")
    lost(world, event)
    world.listing().visible_from = world.etsy.now() + 60

    with pytest.raises(Retryable, match="looked up again"):
        world.handle(event)
    world.etsy.ahead_s = 61

    world.publish(event)
    assert len(world.etsy.listings) == 1


def test_an_etsy_that_can_not_be_reached_made_nothing_and_costs_no_attempt(world: World) -> None:
    event = world.event()
    app = world.target.app
    away = type(app)(**{**vars(app), "api_url": "http://127.0.0.1:1"})
    there, world.target = world.target, type(world.target)(**{**vars(world.target), "app": away})
    with pytest.raises(Unreachable, match="can't be reached"):
        world.handle(event)
    assert world.one("SELECT tried_at IS NULL FROM publisher.listings")

    world.target = there
    world.publish(event)
    assert world.count("getListingsByShop") == 0


def test_a_create_that_has_no_turn_in_time_is_not_sent_at_all_and_costs_no_attempt(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    event = world.event()
    with monkeypatch.context() as patch:
        patch.setattr(client, "SENT_WITHIN_S", -1.0)
        with pytest.raises(QuotaSpent, match="nothing was made"):
            world.handle(event)
    assert world.count(CREATE) == 0
    assert world.one("SELECT tried_at IS NULL FROM publisher.listings")

    world.publish(event)
    assert world.count("getListingsByShop") == 0
