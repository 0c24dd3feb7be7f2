"""The time left, told during simulated uploads, against what then came, and against elapsed / percent by counts."""

import random
from collections.abc import Sequence
from functools import cache
from statistics import mean

import pytest

from services.ingest.sessions.course import Costs
from tests.unit.ingest.sessions.simulated import Judged, System, judged, past, run

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
