"""How long an upload still takes, and between what that probably is."""

from dataclasses import replace

import pytest

from services.ingest.sessions.progress.slowdown import Left, Load
from services.ingest.sessions.progress.time_left import time_left
from services.ingest.sessions.progress.totals import Totals
from services.ingest.sessions.progress.workload import Costs, Pace, Workload

COSTS = Costs(file_s=(0.5, 1.0, 2.0), listing_s=(1.0, 2.0, 4.0), listed=False, uploads=9, listing_uploads=9)
NEW = Workload(work=100.0, costs=COSTS, files=Pace.from_now(0.0))
TEN = Totals(received=10)


def moved(workload: Workload, files: int, every_s: float) -> Workload:
    """After so many files of weight 10 were stored, one after the other."""
    for number in range(1, files + 1):
        workload = workload.changed(10, {"stored": 1}, number * every_s)
    return workload


def test_at_the_start_it_is_what_earlier_uploads_took() -> None:
    left = time_left(TEN, NEW, 0.0)
    assert (left.seconds, left.low, left.high) == pytest.approx((100.0, 50.0, 200.0))


def test_later_it_is_what_its_own_pace_says() -> None:
    left = time_left(replace(TEN, stored=8), moved(NEW, 8, 3.0), 24.0)
    assert 5.0 < left.seconds < 10.0  # twenty are left; ten took three seconds, and before it ten
    assert left.low is not None
    assert left.high is not None
    assert left.low < left.seconds < left.high < 4 * left.low


def test_the_range_narrows_while_it_goes_on() -> None:
    def width(files: int) -> float:
        left = time_left(replace(TEN, stored=files), moved(NEW, files, 10.0), files * 10.0)
        assert left.low is not None
        assert left.high is not None
        return left.high / left.low

    assert width(9) < width(4) < width(0)


def test_silence_makes_it_longer() -> None:
    workload = moved(NEW, 5, 10.0)
    totals = replace(TEN, stored=5)
    assert time_left(totals, workload, 110.0).seconds > 1.2 * time_left(totals, workload, 50.0).seconds


def test_while_work_waits_nobody_tells_when_it_ends() -> None:
    workload = moved(NEW, 5, 10.0)
    waits = time_left(replace(TEN, stored=5), workload, 5000.0, waits=True)
    assert (waits.low, waits.high) == (None, None)
    assert waits.seconds == time_left(replace(TEN, stored=5), workload, 50.0).seconds


def test_nobody_tells_a_range_before_anything_was_measured() -> None:
    first = replace(NEW, costs=replace(COSTS, uploads=0))
    assert time_left(TEN, first, 0.0).low is None
    left = time_left(replace(TEN, stored=2), moved(first, 2, 10.0), 20.0)
    assert (left.low, left.high, left.seconds > 0) == (None, None, True), "the client wants a number all the same"
    left = time_left(replace(TEN, stored=3), moved(first, 3, 10.0), 30.0)
    assert left.low is not None
    assert left.high is not None
    assert left.low < 70.0 < left.high
    assert time_left(TEN, NEW, 0.0).low is not None
    assert time_left(Totals(received=1, duplicate=1), replace(first, done=100.0), 5.0).low == 0.0, "it is over"


def test_nobody_tells_a_range_of_listings_before_some_were_made() -> None:
    """Those that have their pictures say nothing of the shop."""
    lists = replace(NEW, costs=replace(COSTS, listed=True, listing_uploads=0))
    assert time_left(TEN, lists, 0.0).low is None
    asked = replace(TEN, stored=10, requested=10)
    stored = replace(lists, done=100.0)
    assert time_left(replace(asked, rendered=10), stored, 100.0).low is None
    assert time_left(replace(asked, rendered=7, listed=3), stored, 110.0).low is not None
    assert time_left(TEN, NEW, 0.0).low is not None, "this user asks for none"


def test_work_of_others_counts_but_of_another_user_only_as_much_as_its_own() -> None:
    alone = time_left(TEN, NEW, 0.0).seconds
    assert time_left(TEN, NEW, 0.0, load=Load(earlier=Left(50.0))).seconds == pytest.approx(1.5 * alone)
    two = Load(others=[Left(10.0), Left(1e9)])
    assert time_left(TEN, NEW, 0.0, load=two).seconds == pytest.approx(2.1 * alone)


def test_others_count_as_long_as_they_are_there_and_not_only_before_it_has_a_pace() -> None:
    """Its own pace is that beside them; what it is known to take by itself is not."""
    totals, workload = replace(TEN, stored=3), moved(NEW, 3, 20.0)
    beside = time_left(totals, workload, 60.0, load=Load(others=[Left(1e9)]))
    assert beside.low is not None
    assert beside.high is not None
    assert beside.seconds == pytest.approx(140.0, rel=0.02)
    assert time_left(totals, workload, 60.0).seconds < 125.0


def test_of_others_listings_count_those_that_are_made_together_with_its_own() -> None:
    lists = replace(NEW, costs=replace(COSTS, listed=True))
    alone = time_left(TEN, lists, 0.0).seconds

    def more(*others: Left) -> float:
        return time_left(TEN, lists, 0.0, load=Load(others=others)).seconds - alone

    assert more(Left(100.0, 10.0)) == pytest.approx(120.0), "as many files and as many listings"
    assert more(Left(0.0, 10.0)) == pytest.approx(0.0), "made before these files are done"
    assert more(Left(0.0, 55.0)) == pytest.approx(10.0), "and so all but five"
    assert more(Left(1e9, 1e9)) == pytest.approx(100.0), "it has files to do for much longer"
    assert more(Left(104.0, 1e9)) == pytest.approx(100.0 + 16.0), "it begins later by as long as two listings take"


def test_listings_that_will_be_asked_for_are_counted_before() -> None:
    lists = replace(NEW, costs=replace(COSTS, listed=True))
    assert time_left(TEN, lists, 0.0).seconds == pytest.approx(120.0)
    assert time_left(Totals(received=10, stored=4, duplicate=6), lists, 100.0).seconds == pytest.approx(8.0)
    asked = Totals(received=10, stored=4, duplicate=6, requested=4, listed=3, rendered=1)
    assert 0 < time_left(asked, lists, 100.0).seconds < 2.0


def test_nobody_tells_when_listings_are_asked_for() -> None:
    lists = replace(NEW, costs=replace(COSTS, listed=True), done=100.0)
    left = time_left(replace(TEN, stored=10), lists, 100.0)
    assert (left.seconds, left.low, left.high) == (pytest.approx(20.0), None, None)
    assert time_left(replace(TEN, stored=10, requested=10), lists, 100.0).low is not None


def test_nothing_is_left_at_the_end() -> None:
    done = Totals(received=2, stored=2, requested=2, listed=2)
    assert time_left(done, replace(NEW, done=100.0), 9.0).seconds == 0.0
