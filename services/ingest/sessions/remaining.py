"""How long an upload still takes: by its own pace, and as long as that says little, by earlier uploads. Pure."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from services.ingest.sessions.course import Course, Pace, Range
from services.ingest.sessions.progress import Totals, awaits_order, made

TRUSTED, GUESSED, LEAST = 4.0, 2.0, 0.5
"""Earlier uploads count as much as so many files (or listings) of its own, a guess less; towards the end hardly."""
UNDER_WAY = 0.8
"""Most of a file that the time since the last one can have been spent on."""
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

    While it `waits` for something, or its designs for the order to list them, nobody can tell: `seconds` is what will
    be left to do then. Nor can anybody before something was measured: what a file costs goes by its print's size and by
    the machine, and a range that has both a mug on a server and a poster on a laptop in it says nothing.
    """
    files = _files(totals, course, at, ahead, waits=waits)
    listings = _listings(totals, course, at, waits=waits)
    low, middle, high = (a + b for a, b in zip(files, listings, strict=True))
    nobody_knows = middle and (waits or awaits_order(totals) or not course.measured)
    return TimeLeft(middle, None, None) if nobody_knows else TimeLeft(middle, low, high)


def _files(totals: Totals, course: Course, at: float, ahead: Ahead, *, waits: bool) -> Range:
    if not totals.in_progress:
        return (0.0, 0.0, 0.0)
    known = _times(course.costs.file_s, ahead.factor(course.left))
    work = Work(course.left, course.work, course.work / totals.received, known, _trust(course))
    return work.seconds(course.files, at, waits=waits)


def _listings(totals: Totals, course: Course, at: float, *, waits: bool) -> Range:
    """Of a user who usually asks for listings, those of all designs that may still be stored are counted before."""
    asked = totals.requested or not course.costs.listed
    wanted = totals.requested if asked else totals.stored + totals.in_progress
    if wanted <= totals.listings_settled:
        return (0.0, 0.0, 0.0)
    known = _times(course.costs.listing_s, _slowness(course))
    work = Work(wanted - made(totals, course), wanted, 1.0, known, _trust(course))
    return work.seconds(course.listings if totals.requested else None, at, waits=waits)


def _trust(course: Course) -> float:
    return TRUSTED if course.costs.uploads else GUESSED


def _slowness(course: Course) -> float:
    """How many times as long as usual listings will take: as the files did, as far as one machine does both."""
    pace, known = course.files, course.costs.file_s[1]
    if pace is None or not pace.done:
        return 1.0
    trusted = _trust(course) * pace.done / pace.count
    return math.sqrt((pace.seconds + trusted * known) / (pace.done + trusted) / known)


@dataclass(frozen=True)
class Work:
    """What is left of a whole, what `one` file or listing is, what that is known to take, and how far it is trusted."""

    left: float
    whole: float
    one: float
    known: Range
    trust: float

    def seconds(self, pace: Pace | None, at: float, *, waits: bool) -> Range:
        """How long it takes, by what is known and by the pace. Time without news went into what is under way."""
        pace = pace or Pace.from_now(at)
        low, middle, high = self.known
        trusted = self.one * max(self.trust * self.left / self.whole, LEAST)
        silence = 0.0 if waits else pace.passed(at)
        late = max(silence - (pace.usual or self.one * middle), 0.0)
        each = (pace.seconds + trusted * middle) / (pace.done + trusted) + late / (pace.done + TRUSTED * self.one)
        left = max(self.left - min(silence / each, UNDER_WAY * self.one), (1 - UNDER_WAY) * min(self.left, self.one))
        faith = trusted / (pace.done + trusted)
        own = max(SPREAD / math.sqrt(1 + pace.count), LEAST_SPREAD)
        below = faith * math.log(middle / low) + (1 - faith) * own
        above = faith * math.log(high / middle) + (1 - faith) * own
        return (left * each * math.exp(-below), left * each, left * each * math.exp(above))


def _times(known: Range, factor: float) -> Range:
    return (known[0] * factor, known[1] * factor, known[2] * factor)


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 1)
