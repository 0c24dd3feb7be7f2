"""One rate for a key: shared by processes, steered by Etsy's answers; a spent day is waited for, not tried at."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import text, update

from services.publisher.etsy import client
from services.publisher.etsy.limiter import Limiter, Quota
from services.publisher.etsy.tables import keys
from services.publisher.shop import QuotaSpent
from shared.errors import Unavailable
from tests.integration.publisher.etsy.conftest import World

PER_SECOND = 40.0


@pytest.fixture
def limiter(world: World) -> Callable[..., Limiter]:
    """A process's own."""

    def make(key: str = "another key", reserve: int = 0) -> Limiter:
        made = Limiter(world.engine, key, per_second=PER_SECOND, reserve=reserve)
        made.heard({"x-limit-per-second": "1000"})
        return made

    return make


def test_processes_share_one_rate(limiter: Callable[..., Limiter]) -> None:
    processes = [limiter() for _ in range(4)]
    started = time.monotonic()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda mine: [mine.wait() for _ in range(5)], processes))

    assert time.monotonic() - started >= 19 / PER_SECOND


def test_until_etsy_has_said_it_is_slow_and_never_faster_than_configured(world: World) -> None:
    unknown = Limiter(world.engine, "new key", per_second=1000, reserve=0)
    started = time.monotonic()
    unknown.wait()
    unknown.wait()
    assert time.monotonic() - started >= 1 / 4

    unknown.heard({"x-limit-per-second": "10", "x-remaining-this-secon": "5", "x-limit-per-day": "10000"})
    assert unknown.quota() == Quota(10, 10_000, None)


@pytest.mark.parametrize("answered", [False, True])
def test_a_pause_that_etsy_asked_for_is_not_an_hour_longer_when_the_clock_is_set_back(
    world: World, limiter: Callable[..., Limiter], answered: bool
) -> None:
    """Be a call under way just then, whose answer is noted after that, or not."""
    mine = limiter()
    mine.stop(30)
    with world.engine.begin() as connection:
        hour = timedelta(hours=1)
        moved = {"seen_at": keys.c.seen_at + hour, "stopped_until": keys.c.stopped_until + hour}
        connection.execute(update(keys).values(next_at=keys.c.next_at + hour, **moved))
    if answered:
        mine.heard({"x-limit-per-second": "1000"})

    mine.wait()

    mine.heard({"x-limit-per-second": "1000"})
    mine.wait()
    mine.stop(30)
    with pytest.raises(QuotaSpent, match="another 30 s"):
        mine.wait()


@pytest.mark.parametrize("spent", [False, True])
def test_a_clock_that_is_set_back_holds_up_nothing(world: World, limiter: Callable[..., Limiter], spent: bool) -> None:
    """All that was noted is of the future then: listings waited for as long as the clock had been ahead."""
    mine = limiter()
    mine.wait()
    if spent:
        mine.heard({"x-remaining-today": "0"})
    with world.engine.begin() as connection:
        connection.execute(text("UPDATE publisher.etsy_keys SET next_at = next_at + interval '1 hour'"))
        connection.execute(text("UPDATE publisher.etsy_keys SET seen_at = seen_at + interval '1 hour'"))
    mine.wait()
    mine.heard({"x-remaining-today": "5000"})
    mine.wait()


def test_a_429_is_waited_for_as_long_as_it_says_and_creates_nothing(world: World) -> None:
    world.arm("createDraftListing", "too-many", seconds=0)
    started = time.monotonic()

    world.publish(world.event())

    assert time.monotonic() - started >= 1
    assert len(world.etsy.listings) == 1


def test_an_etsy_that_only_says_wait_gets_its_shop_s_lock_back(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "MOST_STOPS", 1)
    world.arm("createDraftListing", "too-many", times=9, seconds=0)

    with pytest.raises(QuotaSpent, match="asks to wait 1 s"):
        world.handle(world.event())

    assert world.count("createDraftListing") == 2


def test_a_long_retry_after_is_for_all_and_costs_no_call_and_no_attempt(world: World) -> None:
    world.arm("uploadListingImage", "too-many", seconds=600)
    event = world.event()
    with pytest.raises(QuotaSpent, match="Etsy asks to wait 60"):
        world.handle(event)
    calls = len(world.etsy.log)

    with pytest.raises(QuotaSpent, match="takes no calls for another 10 min"):
        world.handle(event)
    assert len(world.etsy.log) == calls
    assert issubclass(QuotaSpent, Unavailable)

    with world.engine.begin() as connection:
        connection.execute(text("UPDATE publisher.etsy_keys SET stopped_until = now()"))
    world.publish(event)
    assert len(world.etsy.listings) == 1


def test_the_last_calls_of_a_day_are_left_for_people(world: World, limiter: Callable[..., Limiter]) -> None:
    mine = limiter(reserve=200)
    mine.heard({"x-limit-per-day": "10000", "x-remaining-today": "201"})
    mine.wait()

    with pytest.raises(QuotaSpent, match="10 min"):
        mine.wait()
    mine.wait(urgent=True)


def test_a_spent_day_is_probed_now_and_then_by_one(world: World, limiter: Callable[..., Limiter]) -> None:
    mine, other = limiter(reserve=10), limiter(reserve=10)
    mine.heard({"x-remaining-today": "3"})
    with world.engine.begin() as connection:
        connection.execute(text("UPDATE publisher.etsy_keys SET seen_at = now() - interval '11 min'"))

    mine.wait()
    with pytest.raises(QuotaSpent):
        other.wait()
    mine.heard({"x-remaining-today": "9000"})
    other.wait()


def test_a_turn_too_far_away_is_left_for_others(world: World, limiter: Callable[..., Limiter]) -> None:
    mine = limiter()
    mine.heard({"x-remaining-today": "100"})
    with world.engine.begin() as connection:
        connection.execute(text("UPDATE publisher.etsy_keys SET next_at = now() + interval '60 s'"))
    before = world.one("SELECT next_at FROM publisher.etsy_keys WHERE remaining_today = 100")

    for _ in range(3):
        with pytest.raises(QuotaSpent, match=r"another (60|5\d) s"):
            mine.wait()

    assert world.one("SELECT next_at FROM publisher.etsy_keys WHERE remaining_today = 100") == before


def test_a_day_that_is_spent_parks_the_listings_of_everybody(world: World) -> None:
    world.arm("uploadListingImage", "quota", skip=1)
    with pytest.raises(QuotaSpent):
        world.handle(world.event())
    calls = len(world.etsy.log)

    with pytest.raises(QuotaSpent):
        world.handle(world.event(b"another", mockup_id=world.event().item_id))
    assert len(world.etsy.log) == calls

    world.etsy.ahead_s = 90_000
    with world.engine.begin() as connection:
        connection.execute(
            text("UPDATE publisher.etsy_keys SET stopped_until = now(), seen_at = now() - interval '1 h'")
        )
    world.publish(world.event())
    assert world.images() == [b"first", b"second", b"third"]
