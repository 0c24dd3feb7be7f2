"""How long an upload still takes: by its own pace, and as long as that says little, by earlier uploads. Pure."""

import math
from dataclasses import dataclass

from services.ingest.sessions.progress.slowdown import ALONE, Left, Load
from services.ingest.sessions.progress.totals import Totals, awaits_order, made
from services.ingest.sessions.progress.workload import STEADY, Pace, Range, Workload

TRUSTED, GUESSED, LEAST = 4.0, 2.0, 0.5
"""Earlier uploads count as much as so many files (or listings) of its own, a guess less; towards the end hardly."""
UNDER_WAY = 0.8
"""Most of a file that the time since the last one can have been spent on."""
SPREAD = 0.9
"""How far off the pace of one file may be, as a logarithm: 2.5 times; of n files it is 1 / sqrt(1 + n) of that. With
half of it, 69 % of simulated truths lie in the range instead of over 75 %; with twice as much the range says little."""
LEAST_SPREAD = 0.2
"""And of ever so many: the files that are left may be other files, so the range never closes."""


@dataclass(frozen=True)
class TimeLeft:
    """Seconds that are left, and between what they probably are. Low and high are None when nobody can tell."""

    seconds: float
    low: float | None
    high: float | None

    def as_json(self) -> dict[str, float | None]:
        return {"seconds": _rounded(self.seconds), "low": _rounded(self.low), "high": _rounded(self.high)}


NOTHING_LEFT = TimeLeft(0.0, 0.0, 0.0)


def time_left(totals: Totals, workload: Workload, at: float, *, waits: bool = False, load: Load = ALONE) -> TimeLeft:
    """How long it still takes at this moment (in seconds, like those of the paces).

    While it `waits` for something, or its designs are not asked to be listed yet, there is no range: `seconds` is what
    will be left to do after that. Nor is there one before anything was measured: what a file takes depends on the size
    of its print and on the machine, and a range from a mug on a server to a poster on a laptop says nothing.
    """
    files = _files(totals, workload, at, load, waits=waits)
    listings = _listings(totals, workload, at, load, waits=waits)
    low, middle, high = (a + b for a, b in zip(files, listings, strict=True))
    nobody_knows = middle and (waits or awaits_order(totals) or not _measured(totals, workload))
    return TimeLeft(middle, None, None) if nobody_knows else TimeLeft(middle, low, high)


def _measured(totals: Totals, workload: Workload) -> bool:
    """Whether what is left has been measured. A listing that has only its pictures says nothing of the shop yet."""
    files = workload.measured or not totals.in_progress
    known = workload.costs.listing_uploads or totals.listings_settled >= STEADY
    return files and bool(known or _wanted(totals, workload) <= totals.listings_settled)


def _files(totals: Totals, workload: Workload, at: float, load: Load, *, waits: bool) -> Range:
    if not totals.in_progress:
        return (0.0, 0.0, 0.0)
    known = _times(workload.costs.file_s, load.file_slowdown(workload.left))
    work = Work(workload.left, workload.work, workload.work / totals.received, known, _trust(workload.costs.uploads))
    return work.seconds(workload.files, at, waits=waits)


def _listings(totals: Totals, workload: Workload, at: float, load: Load, *, waits: bool) -> Range:
    wanted = _wanted(totals, workload)
    if wanted <= totals.listings_settled:
        return (0.0, 0.0, 0.0)
    left = wanted - made(totals, workload)
    slowdown = _slowdown_so_far(workload)
    if workload.costs.listing_uploads:  # a guess has a wide range already
        each = workload.costs.listing_s[1] / workload.costs.file_s[1]
        # Whoever slowed its files down is mostly who slows its listings down: the two are not multiplied.
        slowdown = max(slowdown, load.listing_slowdown(Left(workload.left, left), each))
    work = Work(left, wanted, 1.0, _times(workload.costs.listing_s, slowdown), _trust(workload.costs.listing_uploads))
    return work.seconds(workload.listings if totals.requested else None, at, waits=waits)


def _wanted(totals: Totals, workload: Workload) -> int:
    """How many listings: those asked for; before, of a user who usually asks, one for each design that may come."""
    asked = totals.requested or not workload.costs.listed
    return totals.requested if asked else totals.stored + totals.in_progress


def _trust(uploads: int) -> float:
    """What is known of so many earlier uploads, as so many files or listings of its own."""
    return TRUSTED if uploads else GUESSED


def _slowdown_so_far(workload: Workload) -> float:
    """How many times as long as usual the listings may take: the square root of the files' factor.

    Listings share a part of what slowed the files down: the machine, say, but not the shop.
    """
    pace, known = workload.files, workload.costs.file_s[1]
    if pace is None or not pace.done:
        return 1.0
    trusted = _trust(workload.costs.uploads) * pace.done / pace.count
    return math.sqrt((pace.seconds + trusted * known) / (pace.done + trusted) / known)


@dataclass(frozen=True)
class Work:
    """Work that is `left` of the `whole`, in one unit: weight, or listings.

    `one`: an average file, or a listing. `known`: seconds for a unit, by earlier uploads; trusted as much as if `trust`
    files or listings of its own had shown it.
    """

    left: float
    whole: float
    one: float
    known: Range
    trust: float

    def seconds(self, pace: Pace | None, at: float, *, waits: bool) -> Range:
        """How long it takes: by the mean of what is known and of the pace, each by its weight.

        Time since the last news went into what is under way; what is more than usual of it slows the pace.
        """
        pace = pace or Pace.from_now(at)
        low, middle, high = self.known
        trusted = self.one * max(self.trust * self.left / self.whole, LEAST)
        silence = 0.0 if waits else pace.passed(at)
        late = max(silence - (pace.usual or self.one * middle), 0.0)
        each = (pace.seconds + trusted * middle) / (pace.done + trusted) + late / (pace.done + TRUSTED * self.one)
        left = max(self.left - min(silence / each, UNDER_WAY * self.one), (1 - UNDER_WAY) * min(self.left, self.one))
        by_known = trusted / (pace.done + trusted)
        own_spread = max(SPREAD / math.sqrt(1 + pace.count), LEAST_SPREAD)
        below = by_known * math.log(middle / low) + (1 - by_known) * own_spread
        above = by_known * math.log(high / middle) + (1 - by_known) * own_spread
        return (left * each * math.exp(-below), left * each, left * each * math.exp(above))


def _times(known: Range, factor: float) -> Range:
    return (known[0] * factor, known[1] * factor, known[2] * factor)


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 1)
