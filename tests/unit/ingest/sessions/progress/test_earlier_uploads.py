"""What is learnt from earlier uploads that were not alone."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest

from services.ingest.sessions.progress.earlier_uploads import learnt

DAY = datetime(2026, 1, 1, tzinfo=UTC)
USER = UUID(int=1)


def upload(begins: float, stored: float, asked: float, finished: float, designs: int = 10, listings: int = 10) -> Any:
    """The row of one with so much work that it is ten, by its moments in seconds."""
    moments = {"submitted_at": begins, "hashed_at": stored, "settled_at": stored, "asked_at": asked}
    moments |= {"rendered_at": finished, "finished_at": finished}
    told = {name: DAY + timedelta(seconds=at) for name, at in moments.items()}
    return SimpleNamespace(work=10.0, stored=designs, requested=listings, user_id=USER, **told)


def test_time_that_was_shared_with_others_counts_by_ones_turns() -> None:
    mine = upload(0, 60, 100, 110)
    assert learnt([mine], USER, 10.0).file_s[1] == pytest.approx(6.0)
    # Alone for 10 s, then one of two for 20 s and one of three for 30 s: 30 s of its own. The others: 460 s and 10 s.
    beside = [mine, upload(10, 500, 501, 502), upload(30, 60, 600, 601)]
    assert learnt(beside, USER, 10.0).file_s[1] == pytest.approx(3.0)


def test_listings_share_with_listings_and_with_nothing_else() -> None:
    together = [upload(0, 10, 10, 30), upload(1, 10, 10, 30)]
    assert learnt(together, USER, 10.0).listing_s[1] == pytest.approx(1.0)
    apart = [upload(0, 10, 10, 30), upload(11, 29, 40, 60)]
    assert learnt(apart, USER, 10.0).listing_s[1] == pytest.approx(2.0)


def test_an_upload_that_left_nothing_to_list_does_not_tell_that_its_seller_asks_for_no_listings() -> None:
    others = upload(0, 10, 10, 30)
    others.user_id = UUID(int=2)
    only_duplicates = upload(40, 50, 50, 60, designs=0, listings=0)
    after_it = learnt([others, only_duplicates], USER, 10.0)
    assert after_it.listed
    assert after_it.listing == learnt([others], USER, 10.0).listing
    only_stored = upload(40, 50, 50, 60, listings=0)
    assert not learnt([others, only_stored], USER, 10.0).listed


@pytest.mark.parametrize(
    "odd", [upload(3500, 100, 100, 200), upload(10, 20, 3500, 100), upload(0, 3500, 20, 100, listings=0)]
)
def test_an_upload_in_which_the_clock_was_set_back_tells_nothing(odd: Any) -> None:
    """Beside another that began before and ended after the hour, it left no turns to divide by."""
    usual = [upload(0, 3600, 3600, 3700), upload(4000, 4060, 4060, 4100)]
    assert learnt([odd, *usual], USER, 10.0) == learnt(usual, USER, 10.0)
