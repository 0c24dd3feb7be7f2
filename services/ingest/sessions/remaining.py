"""How long an upload still takes: by its own pace, and as long as that says little, by earlier uploads. Pure."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from services.ingest.sessions.course import STEADY, Course, Pace, Range
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
class Left:
    """Work that is left: the weight of files, and how many listings."""

    files: float = 0.0
    listings: float = 0.0


@dataclass(frozen=True)
class Ahead:
    """The work of others in the same lane: of the same user's earlier uploads, and of each other user.

    Users take turns, so nobody's work counts beyond one's own. The factors are how many times as long it takes as by
    itself.
    """

    earlier: Left = Left()
    others: Sequence[Left] = ()

    def of_files(self, left: float) -> float:
        return _factor(left, self.earlier.files, [theirs.files for theirs in self.others])

    def of_listings(self, left: Left, each: float) -> float:
        """Of others' listings count those that are made together with one's own: fewer files left begin sooner.

        `each` is how much work on files takes as long as a listing.
        """
        mine = self.earlier.files + left.files

        def together(theirs: Left) -> float:
            before, later = max(mine - theirs.files, 0.0) / each, max(theirs.files - mine, 0.0) / each
            return max(min(theirs.listings - before, left.listings - later), 0.0)

        return _factor(left.listings, self.earlier.listings, [together(theirs) for theirs in self.others])


ALONE = Ahead()


def _factor(left: float, earlier: float, others: Sequence[float]) -> float:
    mine = earlier + left
    return (mine + sum(min(theirs, mine) for theirs in others)) / left if left else 1.0


def time_left(totals: Totals, course: Course, at: float, *, waits: bool = False, ahead: Ahead = ALONE) -> TimeLeft:
    """How long it still takes at this moment (in seconds, like those of the paces).

    While it `waits` for something, or its designs for the order to list them, nobody can tell: `seconds` is what will
    be left to do then. Nor can anybody before something was measured: what a file costs goes by its print's size and by
    the machine, and a range that has both a mug on a server and a poster on a laptop in it says nothing.
    """
    files = _files(totals, course, at, ahead, waits=waits)
    listings = _listings(totals, course, at, ahead, waits=waits)
    low, middle, high = (a + b for a, b in zip(files, listings, strict=True))
    nobody_knows = middle and (waits or awaits_order(totals) or not _measured(totals, course))
    return TimeLeft(middle, None, None) if nobody_knows else TimeLeft(middle, low, high)


def _measured(totals: Totals, course: Course) -> bool:
    """Whether what is left has been measured. A listing that has only its pictures says nothing of the shop yet."""
    files = course.measured or not totals.in_progress
    known = course.costs.listing_uploads or totals.listings_settled >= STEADY
    return files and bool(known or _wanted(totals, course) <= totals.listings_settled)


def _files(totals: Totals, course: Course, at: float, ahead: Ahead, *, waits: bool) -> Range:
    if not totals.in_progress:
        return (0.0, 0.0, 0.0)
    known = _times(course.costs.file_s, ahead.of_files(course.left))
    work = Work(course.left, course.work, course.work / totals.received, known, _trust(course))
    return work.seconds(course.files, at, waits=waits)


def _listings(totals: Totals, course: Course, at: float, ahead: Ahead, *, waits: bool) -> Range:
    wanted = _wanted(totals, course)
    if wanted <= totals.listings_settled:
        return (0.0, 0.0, 0.0)
    left = wanted - made(totals, course)
    slower = _slowness(course)
    if course.costs.listing_uploads:  # a guess has a wide range already
        each = course.costs.listing_s[1] / course.costs.file_s[1]
        # Who slows the files down does so to listings, mostly: one of the two says how much.
        slower = max(slower, ahead.of_listings(Left(course.left, left), each))
    work = Work(left, wanted, 1.0, _times(course.costs.listing_s, slower), _trust(course))
    return work.seconds(course.listings if totals.requested else None, at, waits=waits)


def _wanted(totals: Totals, course: Course) -> int:
    """How many listings; of a user who usually asks for them, those of all designs that may still be stored, before."""
    asked = totals.requested or not course.costs.listed
    return totals.requested if asked else totals.stored + totals.in_progress


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
