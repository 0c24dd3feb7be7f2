"""A listing that somebody deleted at Etsy while a new one was made in its place: the ledger keeps the new one."""

import contextlib
from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, event

from services.publisher.etsy import activating
from services.publisher.store import Ledger
from tests.integration.publisher.etsy.conftest import World
from tests.unit.publisher.events import TENANT


def test_who_publishes_the_old_draft_late_does_not_make_the_ledger_forget_the_new_one(world: World) -> None:
    ledger = Ledger(world.engine)
    old = world.publish(world.event())
    wanted = activating.drafts(ledger, world.target.of(TENANT), TENANT)  # somebody begins to publish many drafts
    del world.etsy.listings[int(old.listing_id)]
    assert activating.deleted(ledger, world.target, TENANT, [old.listing_id]) == [old.listing_id]
    new = world.publish(world.event(generation=1))

    (ended,) = activating.activate(ledger, world.target, TENANT, wanted, cap_usd=1)

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
