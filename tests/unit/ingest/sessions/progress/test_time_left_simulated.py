"""The time left, told during simulated uploads, against what then came, and against elapsed / percent by counts."""

import random
from collections.abc import Callable, Sequence
from functools import cache
from statistics import mean, median

import pytest

from services.ingest.sessions.progress.workload import Costs
from tests.unit.ingest.sessions.progress.sellers import Seller, Together, asked, past_together
from tests.unit.ingest.sessions.progress.simulated import Judged, System, judged, past, run

MB = 10**6
SEEDS = range(5)


def mixed(count: int) -> list[int]:
    chance = random.Random(count)
    return [int(chance.lognormvariate(1, 1) * MB) for _ in range(count)]


UPLOADS: dict[str, tuple[System, Sequence[int]]] = {
    "usual": (System(), mixed(60)),
    "one": (System(), mixed(1)),
    "many-small": (System(hash_s=0.02e-6, paint_s=0.2), [100_000] * 400),
    "large-last": (System(), [MB] * 40 + [80 * MB] * 8),
    "slow-nas": (System(store_s=0.6e-6), mixed(80)),
    "slow-shop": (System(publish_s=4.0), mixed(60)),
    "no-mockups": (System(paint_s=0.02, publish_s=0.02), mixed(100)),
    "slower": (System(slower_after=20.0), mixed(80)),
}


@cache
def judge(name: str, *, known: bool) -> Judged:
    """On average of some such uploads; with earlier ones to learn from, or as the first of all."""
    system, sizes = UPLOADS[name]
    found = [
        judged(run(system, sizes, seed), past(system, sizes, 100 * seed + 7) if known else Costs()) for seed in SEEDS
    ]
    return Judged(*(mean(getattr(each, field) for each in found) for field in Judged.__dataclass_fields__))


STEADY = [name for name in UPLOADS if name not in ("one", "slower")]


@pytest.mark.parametrize("name", STEADY)
def test_after_other_uploads_the_time_left_is_right_and_better_than_elapsed_by_percent(name: str) -> None:
    found = judge(name, known=True)
    assert found.ours < 0.15
    assert found.ours < found.simple
    assert found.covered > 0.7
    assert found.bent < found.simply_bent


def test_of_a_single_file_it_is_wrong_by_less_than_a_second() -> None:
    system, sizes = UPLOADS["one"]
    found = judge("one", known=True)
    assert found.ours * run(system, sizes, 0).end < 1


def test_on_average_it_is_wrong_by_less_than_half_as_much() -> None:
    found = [judge(name, known=True) for name in (*STEADY, "slower")]
    assert mean(each.ours for each in found) < mean(each.simple for each in found) / 2
    assert mean(each.bent for each in found) < mean(each.simply_bent for each in found) / 2


def test_the_first_upload_of_all_is_guessed_no_worse() -> None:
    found = [judge(name, known=False) for name in (*STEADY, "slower")]
    assert mean(each.ours for each in found) < 1.1 * mean(each.simple for each in found)
    assert mean(each.covered for each in found) > 0.7


Learn = Callable[[System, Sequence[Seller], int], Costs]
NOBODY: tuple[System, Callable[[], list[Seller]]] = (System(), lambda: [Seller(mixed(30))])
BESIDE: dict[str, tuple[System, Callable[[], list[Seller]]]] = {
    "another": (System(), lambda: [Seller(mixed(30), 3.0), Seller(mixed(31))]),
    "a-huge-one": (System(), lambda: [Seller(mixed(30), 5.0), Seller(mixed(400))]),
    "four": (System(), lambda: [Seller(mixed(30), 2.0), *(Seller(mixed(30 + number)) for number in range(4))]),
    "a-small-one": (System(), lambda: [Seller(mixed(60), 3.0), Seller(mixed(10))]),
    "slow-shop": (System(publish_s=2.0), lambda: [Seller(mixed(30), 3.0), Seller(mixed(31))]),
    "one-that-lists": (System(paint_s=1.5), lambda: [Seller(mixed(30), 12.0), Seller(mixed(31))]),
}


def past_alone(system: System, sellers: Sequence[Seller], seed: int) -> Costs:
    return past(system, sellers[0].sizes, seed)


@cache
def ask_beside(name: str, learn: Learn) -> tuple[list[bool], dict[float, float]]:
    """Whether the truth was within each range; and by share of the upload how many times the truth was told."""
    covered: list[bool] = []
    times: dict[float, list[float]] = {0.0: [], 0.1: [], 0.25: [], 0.5: []}
    for seed in SEEDS:
        system, make = BESIDE.get(name, NOBODY)
        sellers = make()
        Together(system, sellers, seed).run()
        costs = learn(system, sellers, 100 * seed + 7)
        for share, left, truth in asked(sellers, costs):
            if left.low is not None and left.high is not None:
                covered.append(left.low <= truth <= left.high)
            if share in times:
                times[share].append(left.seconds / truth)
    return covered, {share: median(found) for share, found in times.items()}


@pytest.mark.parametrize("name", BESIDE)
def test_beside_other_sellers_the_time_left_is_right_from_the_first_moment_on(name: str) -> None:
    covered, times = ask_beside(name, past_alone)
    assert mean(covered) > 0.75
    assert all(0.65 < found < 1.6 for found in times.values()), times


def test_beside_other_sellers_nine_ranges_of_ten_have_the_truth_in_them() -> None:
    assert mean(covered for name in BESIDE for covered in ask_beside(name, past_alone)[0]) > 0.9


@pytest.mark.parametrize("name", ["nobody", *BESIDE])
def test_after_uploads_that_were_made_beside_others_it_is_right_as_well(name: str) -> None:
    """Others that were there then are not there now; or they are, and would count twice."""
    covered, times = ask_beside(name, past_together)
    assert mean(covered) > 0.75
    assert all(0.65 < found < 1.6 for found in times.values()), times
