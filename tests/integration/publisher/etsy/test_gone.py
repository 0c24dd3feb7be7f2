"""A listing that somebody deleted at Etsy while a new one was made in its place: the ledger keeps the new one."""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from sqlalchemy import Engine, event, text

from services.publisher.etsy import activating
from services.publisher.shop import OutcomeUnknown
from services.publisher.store import Ledger
from shared.contracts import ListingFailed, ListingPublished
from tests.integration.publisher.etsy.conftest import World
from tests.unit.publisher.events import TENANT


def test_who_publishes_the_old_draft_late_does_not_make_the_ledger_forget_the_new_one(world: World) -> None:
    ledger = Ledger(world.engine)
    old = world.publish(world.event())
    wanted = activating.drafts(ledger, world.target.of(TENANT), TENANT)  # somebody begins to publish many drafts
    del world.etsy.listings[int(old.listing_id)]
    assert activating.deleted(ledger, world.target, TENANT, [old.listing_id]) == [old.listing_id]
    new = world.publish(world.event(generation=1))

    (ended,) = activating.activate(ledger, world.target, TENANT, wanted, cap_usd=1, why_not=lambda _: None)

    assert (ended.gone, ended.draft.listing_id) == (True, old.listing_id)
    assert world.publish(world.event(generation=2)).listing_id == new.listing_id
    assert world.count("createDraftListing") == 2


def test_who_asks_late_whether_the_old_one_is_gone_does_not_either(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger = Ledger(world.engine)
    old = world.publish(world.event())
    del world.etsy.listings[int(old.listing_id)]
    read, new = activating._on_record, []

    def overtaken(*given: object) -> list[activating.Draft]:
        """Another process notes that it is gone and lists it anew, between this one's look and its turn at the shop."""
        found = read(*given)  # type: ignore[arg-type]
        monkeypatch.setattr(activating, "_on_record", read)
        activating.deleted(ledger, world.target, TENANT, [old.listing_id])
        new.append(world.publish(world.event(generation=1)).listing_id)
        return found

    monkeypatch.setattr(activating, "_on_record", overtaken)

    assert activating.deleted(ledger, world.target, TENANT, [old.listing_id]) == [old.listing_id]
    assert [world.publish(world.event(generation=2)).listing_id] == new
    assert world.count("createDraftListing") == 2


def test_that_a_listing_is_gone_is_noted_whole_or_not_at_all(world: World) -> None:
    """Whichever commit it dies at: half noted, its old answer would stand for ever, and nobody could list it anew."""
    ledger = Ledger(world.engine)
    for commits in range(100):
        old = world.publish(world.event(generation=commits))
        del world.etsy.listings[int(old.listing_id)]
        with dying_after(world.engine, commits) as died:
            told = activating.deleted(ledger, world.target, TENANT, [old.listing_id])
        if not died:
            assert told == [old.listing_id]
            assert commits > 4, "it has never died between what it wrote down"
            return

        assert activating.deleted(ledger, world.target, TENANT, [old.listing_id]) == [old.listing_id]
        assert world.publish(world.event(generation=commits + 1)).listing_id != old.listing_id
    pytest.fail("it never came to its end")


def noted_as_deleted(world: World, old: ListingPublished) -> None:
    del world.etsy.listings[int(old.listing_id)]
    assert activating.deleted(Ledger(world.engine), world.target, TENANT, [old.listing_id]) == [old.listing_id]


def met_by_the_next_try(world: World, old: ListingPublished) -> None:
    """Its draft was deleted before all pictures were there."""
    with world.engine.begin() as connection:
        connection.execute(text("UPDATE publisher.listings SET status = 'draft_created', answer = NULL"))
        connection.execute(text("DELETE FROM publisher.listing_media"))
    del world.etsy.listings[int(old.listing_id)]
    assert isinstance(world.handle(world.event(generation=1)), ListingFailed)


@pytest.mark.parametrize("gone", [noted_as_deleted, met_by_the_next_try])
def test_a_copy_that_the_seller_made_before_it_was_gone_is_not_taken_for_the_new_one(
    world: World, gone: Callable[[World, ListingPublished], None]
) -> None:
    old = world.publish(world.event())
    first = world.listing()
    copy = replace(first, id=world.etsy.number(), created=first.created - 1800, pictures=[])
    world.etsy.listings[copy.id] = copy
    with world.engine.begin() as connection:
        connection.execute(text("UPDATE publisher.listings SET intent_at = intent_at - interval '1 hour'"))
    gone(world, old)
    world.arm("createDraftListing", "error-before")
    with pytest.raises(OutcomeUnknown):
        world.handle(world.event(generation=2))

    assert world.publish(world.event(generation=2)).listing_id not in (old.listing_id, str(copy.id))


class Died(Exception):  # noqa: N818 - reads as what happened
    """The process."""


@contextlib.contextmanager
def dying_after(engine: Engine, commits: int) -> Iterator[list[bool]]:
    """Let so many transactions commit, and none after these."""
    died, left = list[bool](), [commits]

    def count(_: object) -> None:
        left[0] -= 1
        if left[0] < 0:
            died.append(True)
            raise Died

    event.listen(engine, "commit", count)
    try:
        with contextlib.suppress(Died):
            yield died
    finally:
        event.remove(engine, "commit", count)
