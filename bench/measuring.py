"""Figures that another machine, or a busy hour of this one, does not change: ratios of what ran in turns."""

import time
from collections.abc import Callable, Mapping
from statistics import median
from typing import Any

Clock = Callable[[], float]


def timed(work: Callable[[], Any], clock: Clock = time.process_time) -> float:
    """Seconds of one call: of the processor, which other programs take nothing from; or of `clock`."""
    began = clock()
    work()
    return clock() - began


def in_turns(rounds: int, works: Mapping[str, Callable[[], Any]], clock: Clock = time.process_time) -> dict[str, float]:
    """The median seconds of each, after one call of each that isn't counted; they take turns, so all see the same."""
    for work in works.values():
        work()
    taken: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(rounds):
        for name, work in works.items():
            taken[name].append(timed(work, clock))
    return {name: median(seconds) for name, seconds in taken.items()}
