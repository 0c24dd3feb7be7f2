"""How long an upload still takes: by its own pace, and as long as that says little, by earlier uploads. Pure."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from services.ingest.sessions.course import Course, Pace, Range
from services.ingest.sessions.progress import Totals, made

TRUSTED = 0.15
"""Earlier uploads count as much as this share of the whole, done at their pace."""
TRUSTED_S = 10.0
"""But no more than so many seconds of it."""
SPREAD = 0.9
LEAST_SPREAD = 0.2


@dataclass(frozen=True)
class TimeLeft:
    """Seconds that are left, and between what they probably are. Low and high are None when nobody can tell."""

    seconds: float
    low: float | None
    high: float | None

    def as_json(self) -> dict[str, float | None]:
        return {"seconds": _rounded(self.seconds), "low": _rounded(self.low), "high": _rounded(self.high)}


NOTHING_LEFT = TimeLeft(0.0, 0.0, 0.0)


@dataclass(frozen=True)
class Ahead:
    """The work of others in the same lane: of the same user's earlier uploads, and of each other user."""

    earlier: float = 0.0
    others: Sequence[float] = ()

    def factor(self, left: float) -> float:
        """How many times as long it takes as by itself: users take turns, so nobody's work counts beyond one's own."""
        mine = self.earlier + left
        return (mine + sum(min(theirs, mine) for theirs in self.others)) / left if left else 1.0


ALONE = Ahead()


def time_left(totals: Totals, course: Course, at: float, *, waits: bool = False, ahead: Ahead = ALONE) -> TimeLeft:
    """How long it still takes at this moment (in seconds, like those of the paces).

    While it `waits` for something nobody can tell: `seconds` is what will be left to do then.
    """
    files = _files(totals, course, at, ahead, waits=waits)
    listings = _listings(totals, course, at, waits=waits)
    low, middle, high = (a + b for a, b in zip(files, listings, strict=True))
    return TimeLeft(middle, None, None) if waits else TimeLeft(middle, low, high)


def _files(totals: Totals, course: Course, at: float, ahead: Ahead, *, waits: bool) -> Range:
    if not totals.in_progress:
        return (0.0, 0.0, 0.0)
    factor = ahead.factor(course.left)
    costs = course.costs.file_s
    known = (costs[0] * factor, costs[1] * factor, costs[2] * factor)
    return _range(course.left, course.work, course.files, known, at, waits=waits)


def _listings(totals: Totals, course: Course, at: float, *, waits: bool) -> Range:
    """Of a user who usually asks for listings, those of all designs that may still be stored are counted before."""
    asked = totals.requested or not course.costs.listed
    wanted = totals.requested if asked else totals.stored + totals.in_progress
    if wanted <= totals.listings_settled:
        return (0.0, 0.0, 0.0)
    pace = course.listings if totals.requested else None
    return _range(wanted - made(totals), wanted, pace, course.costs.listing_s, at, waits=waits)


def _range(left: float, whole: float, pace: Pace | None, known: Range, at: float, *, waits: bool) -> Range:
    """The seconds for what is left of the whole, when a unit takes as long as is `known`, and as the pace shows."""
    pace = pace or Pace.from_now(at)
    trusted = min(TRUSTED * whole, TRUSTED_S / known[1])
    seconds = pace.seconds + (0.0 if waits else pace.passed(at))
    each = (seconds + trusted * known[1]) / (pace.done + trusted)
    faith = trusted / (pace.done + trusted)
    own = max(SPREAD / math.sqrt(1 + pace.count), LEAST_SPREAD)
    below = faith * math.log(known[1] / known[0]) + (1 - faith) * own
    above = faith * math.log(known[2] / known[1]) + (1 - faith) * own
    middle = left * each
    return (middle * math.exp(-below), middle, middle * math.exp(above))


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 1)
