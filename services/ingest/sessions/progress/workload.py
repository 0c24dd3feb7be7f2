"""How much work an upload is, how much of it is done, and how fast it goes. Pure.

A file weighs its bytes plus what every file costs, however small: its print has one size. How much of a file's way
each stage is, and how much of an upload's its listings are, was measured on earlier uploads of the lane. It stays as it
was when the upload was submitted: what was counted by it once must be counted by it to the end.
"""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from services.ingest.sessions.states import ENDS

FILE_BYTES = 8_000_000
"""What each file costs whatever its size, as so many bytes."""

DECIDED = 0.25  # of the way from its hash to its end

QUICK_S, SLOW_S = 5.0, 120.0
"""A pace is that of the last half of the run, but of no less and no more than this."""
STEADY = 3
"""After so many of its own files, or listings, an upload's pace is known."""
STILL_S = 60.0
STILL = 4.0
"""A silence of more than a minute, and of more than four times as long as usual, is an outage: no sign of the pace."""

Range = tuple[float, float, float]
"""A guess at a number: its low end, its middle and its high end."""


def weight(size: int) -> int:
    """What a file of so many bytes weighs."""
    return size + FILE_BYTES


@dataclass(frozen=True)
class Costs:
    """What work costs in a lane, as far as earlier uploads have shown it; else a guess with a wide range.

    `file_s` are seconds for each unit of weight, `listing_s` for each listing, of a whole upload by itself.
    """

    hashed: float = 0.6
    """How much of a file's way is behind it when it is hashed."""
    listing: float = 0.4
    """How much of an upload's time goes into its listings."""
    rendered: float = 0.7
    """How much of a listing's way is behind it when it has its pictures."""
    file_s: Range = (0.015e-6, 0.05e-6, 0.2e-6)
    listing_s: Range = (0.1, 0.4, 2.0)
    listed: bool = True
    """Whether the user asks for listings, as far as is known."""
    uploads: int = 0
    """How many earlier uploads `file_s` was learnt from; 0: it is a guess."""
    listing_uploads: int = 0
    """How many earlier uploads `listing_s` was learnt from; 0: it is a guess."""

    def share(self, state: str) -> float:
        """How much of its way is behind a file that is in this state."""
        if state in ENDS:
            return 1.0
        decided = self.hashed + DECIDED * (1 - self.hashed)
        return {"hashed": self.hashed, "accepted": decided}.get(state, 0.0)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def of(cls, kept: Mapping[str, Any] | None) -> "Costs":
        """The costs as they were kept with the upload; for an upload from before they were kept, the guess."""
        if not kept:
            return cls()
        ranges = {name: tuple(kept[name]) for name in ("file_s", "listing_s")}
        return cls(**{**kept, **ranges})


@dataclass(frozen=True)
class Pace:
    """How much was done lately, and in which time: what is long past counts ever less. Moments in seconds."""

    began: float
    at: float
    done: float = 0.0
    seconds: float = 0.0
    count: float = 0.0
    ever: float = 0.0
    """How many files or listings since the work began, however long ago."""

    @classmethod
    def from_now(cls, at: float) -> "Pace":
        """The pace of work that begins at this moment."""
        return cls(at, at)

    def advanced(self, done: float, count: float, at: float) -> "Pace":
        """The pace after so much more was done, and so many files or listings, at this moment."""
        passed = self.passed(at)
        lasts = min(max((at - self.began) / 2, QUICK_S), SLOW_S)
        kept = math.exp(-passed / lasts)
        return replace(
            self,
            at=max(at, self.at),
            done=self.done * kept + done,
            seconds=self.seconds * kept + passed,
            count=self.count * kept + count,
            ever=self.ever + count,
        )

    def passed(self, at: float) -> float:
        """The time since it was last advanced, as far as it tells anything of the pace."""
        return min(max(at - self.at, 0.0), max(STILL_S, STILL * self.usual))

    @property
    def usual(self) -> float:
        """Seconds from one file, or listing, to the next."""
        return self.seconds / self.count if self.count else 0.0


@dataclass(frozen=True)
class Workload:
    """The work of one upload. `work` is 0 of one that an older release submitted: then nobody knows."""

    work: float = 0.0
    done: float = 0.0
    costs: Costs = field(default_factory=Costs)
    files: Pace | None = None
    listings: Pace | None = None

    @property
    def left(self) -> float:
        return max(self.work - self.done, 0.0)

    @property
    def measured(self) -> bool:
        """Whether what files take is more than a guess: earlier uploads have shown it, or some files of its own."""
        return bool(self.costs.uploads) or (self.files is not None and self.files.ever >= STEADY)

    def changed(self, weighs: float, changes: Mapping[str, int], at: float) -> "Workload":
        """The workload after a file (or listing) of this weight came from one state to another."""
        if "received" in changes:
            return replace(self, work=self.work + weighs)
        listed = self._listed(changes)
        if listed and self.listings:
            return replace(self, listings=self.listings.advanced(max(listed, 0.0), max(listed, 0.0), at))
        way = sum(self.costs.share(state) * change for state, change in changes.items())
        if not way:
            return self
        pace = self.files.advanced(max(way, 0.0) * weighs, max(way, 0.0), at) if self.files else None
        return replace(self, done=self.done + way * weighs, files=pace)

    def begun(self, at: float, *, files: bool, listings: bool) -> "Workload":
        """The workload with a new pace for files, or listings, if there was nothing to do of them until now."""
        return replace(
            self,
            files=Pace.from_now(at) if files else self.files,
            listings=Pace.from_now(at) if listings else self.listings,
        )

    def as_row(self) -> dict[str, Any]:
        """The columns of a session in which this workload is kept."""
        paces = {"files": self.files, "listings": self.listings}
        return {
            "work": self.work,
            "work_done": self.done,
            "pace": {name: asdict(pace) for name, pace in paces.items() if pace},
        }

    def _listed(self, changes: Mapping[str, int]) -> float:
        """How many listings this made, in parts of one."""
        ended = changes.get("listed", 0) + changes.get("listing_failed", 0)
        return ended + self.costs.rendered * changes.get("rendered", 0)
