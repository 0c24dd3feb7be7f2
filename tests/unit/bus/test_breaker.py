"""An outage: one message asks, the others wait; one line when it begins and one when it ends."""

import asyncio
import contextlib
import itertools

import pytest
from structlog.testing import capture_logs

from shared.bus import breaker as module
from shared.bus.breaker import Breaker, NoTurn, longer
from shared.errors import Busy, Permanent, Unavailable

DEADLINE_S = 10
LONG_S = 3600.0


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FIRST_PAUSE_S", 0.02)


class Dependency:
    """What every message needs, and when it was asked for it."""

    def __init__(self) -> None:
        self.away = True
        self.asked: list[float] = []
        self.askers: list[int] = []
        self.inside = self.most = 0
        self.moved = asyncio.Event()

    async def use(self, who: int) -> None:
        self.asked.append(asyncio.get_running_loop().time())
        self.askers.append(who)
        self.inside += 1
        self.most = max(self.most, self.inside)
        await asyncio.sleep(0)
        self.inside -= 1
        self.moved.set()
        if self.away:
            raise Unavailable("the NAS is away")


async def message(breaker: Breaker, dependency: Dependency, who: int, until_s: float = LONG_S) -> int:
    """Try until it works, as delivery does; return the number of tries."""
    until = asyncio.get_running_loop().time() + until_s
    for tries in itertools.count(1):
        with contextlib.suppress(Unavailable):
            async with breaker.turn(until, first=tries == 1):
                await dependency.use(who)
            return tries
    raise AssertionError


def run(scenario: object) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(DEADLINE_S):
            await scenario  # type: ignore[misc]

    asyncio.run(bounded())


async def asked(dependency: Dependency, times: int) -> None:
    while len(dependency.asked) < times:
        dependency.moved.clear()
        await dependency.moved.wait()


def test_eight_in_hand_ask_one_at_a_time_with_growing_pauses_and_all_go_on() -> None:
    async def scenario() -> None:
        breaker, dependency = Breaker(asyncio.Event()), Dependency()
        hand = [asyncio.create_task(message(breaker, dependency, who)) for who in range(8)]
        await asked(dependency, 8 + 4)
        times, dependency.most = dependency.asked[8:], 0
        pauses = [later - earlier for earlier, later in itertools.pairwise(times)]
        assert pauses == sorted(pauses)
        assert pauses[-1] >= 0.02 * 2**2
        assert len(set(dependency.askers[8:12])) == 4  # each in its turn
        dependency.away = False
        await asyncio.gather(*hand)

    with capture_logs() as lines:
        run(scenario())
    assert [line["event"] for line in lines] == ["outage: messages wait", "the outage is over: messages go on"]
    assert lines[0]["cause"] == "the NAS is away"


def test_only_one_asks_during_the_outage() -> None:
    async def scenario() -> None:
        breaker, dependency = Breaker(asyncio.Event()), Dependency()
        hand = [asyncio.create_task(message(breaker, dependency, who)) for who in range(8)]
        await asked(dependency, 8)
        dependency.most = 0
        await asked(dependency, 12)
        assert dependency.most == 1
        dependency.away = False
        await asyncio.gather(*hand)

    run(scenario())


def test_a_message_that_comes_during_an_outage_waits_in_line() -> None:
    async def scenario() -> None:
        breaker, dependency = Breaker(asyncio.Event()), Dependency()
        first = asyncio.create_task(message(breaker, dependency, 1))
        await asked(dependency, 1)
        second = asyncio.create_task(message(breaker, dependency, 2))
        await asked(dependency, 3)
        assert dependency.askers == [1, 1, 2]
        dependency.away = False
        await asyncio.gather(first, second)

    run(scenario())


def test_pauses_grow_from_half_a_second_to_five() -> None:
    module.FIRST_PAUSE_S = 0.5  # the fixture puts it back
    pauses = list(itertools.accumulate(range(7), lambda pause, _: longer(pause), initial=0.0))
    assert pauses[1:] == [0.5, 1, 2, 4, 5, 5, 5]


def test_who_has_waited_long_enough_in_line_gets_no_turn() -> None:
    async def scenario() -> None:
        breaker, dependency = Breaker(asyncio.Event()), Dependency()
        module.FIRST_PAUSE_S = LONG_S
        first = asyncio.create_task(message(breaker, dependency, 1))
        await asked(dependency, 1)
        with pytest.raises(NoTurn):
            await message(breaker, dependency, 2, until_s=0.05)
        assert dependency.askers == [1]
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)

    run(scenario())


def test_the_end_of_the_process_ends_the_waiting_of_all() -> None:
    async def scenario() -> None:
        stopping = asyncio.Event()
        breaker, dependency = Breaker(stopping), Dependency()
        module.FIRST_PAUSE_S = LONG_S
        hand = [asyncio.create_task(message(breaker, dependency, who)) for who in range(8)]
        await asked(dependency, 8)
        stopping.set()
        found = await asyncio.gather(*hand, return_exceptions=True)
        assert [type(error) for error in found] == [NoTurn] * 8

    run(scenario())


def test_a_message_whose_trouble_is_its_own_does_not_stop_the_others_again() -> None:
    async def scenario() -> None:
        breaker, dependency = Breaker(asyncio.Event()), Dependency()
        dependency.away = False
        for first in (True, False, False):
            with contextlib.suppress(Unavailable):
                async with breaker.turn(LONG_S, first=first):
                    raise Unavailable("this one blob can't be read")
            if first:
                assert await message(breaker, dependency, 1) == 1  # asked, and closed it
        assert breaker.pause_s == 0

    run(scenario())


@pytest.mark.parametrize("error", [Permanent("never"), Busy("another one holds the shop")])
def test_another_error_is_no_outage_and_ends_one(error: Exception) -> None:
    async def scenario() -> None:
        breaker = Breaker(asyncio.Event())
        for first_error, pause_s in ((error, 0), (Unavailable("no database"), module.FIRST_PAUSE_S), (error, 0)):
            with pytest.raises(type(first_error)):
                async with breaker.turn(LONG_S, first=True):
                    raise first_error
            assert breaker.pause_s == pause_s

    run(scenario())


def test_who_is_cancelled_while_asking_gives_its_turn_to_the_next() -> None:
    async def scenario() -> None:
        breaker, dependency = Breaker(asyncio.Event()), Dependency()
        module.FIRST_PAUSE_S = 0.2
        first = asyncio.create_task(message(breaker, dependency, 1))
        await asked(dependency, 1)
        second = asyncio.create_task(message(breaker, dependency, 2))
        await asyncio.sleep(0.05)  # `first` holds the line and pauses
        first.cancel()
        dependency.away = False
        assert await second == 1

    run(scenario())


def test_a_cause_that_changes_during_an_outage_is_said_and_another_file_is_no_change() -> None:
    causes = ["can't store 'a' on the NAS", "can't store 'b' on the NAS", *["another NAS is mounted"] * 2]
    causes += ["can't store 'c' on the NAS", "only 5 bytes are free", "only 4 bytes are free"]

    async def scenario() -> None:
        breaker = Breaker(asyncio.Event())
        for tries, cause in enumerate(causes):
            with contextlib.suppress(Unavailable):
                async with breaker.turn(LONG_S, first=not tries):
                    raise Unavailable(cause)

    with capture_logs() as lines:
        run(scenario())
    assert [line["cause"] for line in lines] == [causes[0], causes[2], causes[5]]
