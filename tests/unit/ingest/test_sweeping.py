"""What is due by the clock is done, whatever becomes of the rest of it."""

import asyncio
import itertools

from services.ingest.sweeping import Duty, sweep
from shared.errors import Unavailable


def swept(turns: int, *duties: Duty) -> None:
    """Sweep for so many turns that came to their end."""
    asyncio.run(_swept(turns, *duties))


async def _swept(turns: int, *duties: Duty) -> None:
    over, loop, ended = asyncio.Event(), asyncio.get_running_loop(), itertools.count(1)

    def end() -> None:
        if next(ended) == turns:
            loop.call_soon_threadsafe(over.set)

    sweeping = asyncio.create_task(sweep([*duties, Duty("the end of the turn", 1, end)], every_s=0.001))
    await asyncio.wait_for(over.wait(), 10)
    sweeping.cancel()
    await asyncio.gather(sweeping, return_exceptions=True)


def test_a_duty_that_breaks_keeps_no_other_from_its_turn() -> None:
    done: list[str] = []

    def breaks() -> None:
        raise ZeroDivisionError

    swept(4, Duty("broken", 1, breaks), Duty("whole", 1, lambda: done.append("whole")))
    assert len(done) >= 4


def test_an_outage_ends_a_turn_and_no_more_than_that() -> None:
    asked: list[str] = []

    def away() -> None:
        asked.append("first")
        if asked.count("first") == 1:
            raise Unavailable("the database is away")

    swept(4, Duty("first", 1, away), Duty("second", 1, lambda: asked.append("second")))
    assert asked[:3] == ["first", "first", "second"]


def test_a_duty_comes_each_so_many_turns_from_the_first_on() -> None:
    done: list[str] = []
    swept(6, Duty("rare", 5, lambda: done.append("rare")))
    assert len(done) == 2
