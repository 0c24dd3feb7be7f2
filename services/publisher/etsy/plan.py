"""What a batch will cost in calls, time and money, before it begins. Pure."""

import math
from dataclasses import dataclass

from services.plurals import counted
from services.publisher.limits import LISTING_FEE_USD

CREATE, FINISH = 1, 2  # calls: the draft; the order of its pictures, and reading it back
DOWNLOAD = 2  # calls: which files are there, and the file


@dataclass(frozen=True)
class Plan:
    """A batch against a key's limits. `remaining` is what is left of the day; None: not known yet."""

    designs: int
    calls: int
    per_day: int | None
    remaining: int | None
    per_second: float
    reserve: int

    @property
    def usable(self) -> int | None:
        """Calls that listings may still use today."""
        return None if self.remaining is None else max(0, self.remaining - self.reserve)

    @property
    def days(self) -> int:
        """How many days the batch takes; the first is today."""
        if self.usable is None or self.per_day is None or self.calls <= self.usable:
            return 1
        return 1 + math.ceil((self.calls - self.usable) / max(1, self.per_day - self.reserve))

    @property
    def fee_usd(self) -> float:
        """What publishing all of them would cost."""
        return round(self.designs * LISTING_FEE_USD, 2)

    @property
    def words(self) -> str:
        """In one sentence."""
        what = f"{counted(self.designs, 'design')}: {self.calls:,} calls"
        left = "" if self.remaining is None else f" of {self.remaining:,} left today"
        return f"{what}{left}, {self._time()}, drafts free, {self.fee_usd:g} USD when activated"

    def _time(self) -> str:
        if self.days > 1:
            return f"{self.days} days, as the key's calls of a day are used up before: it waits and goes on"
        minutes = max(1, math.floor(self.calls / self.per_second / 60))
        return f"at least {counted(minutes, 'minute')}"


def calls_of(pictures: int, *, digital: bool, skus: bool = False) -> int:
    """Calls that one listing takes when nothing goes wrong."""
    return CREATE + pictures + (FINISH if pictures else 0) + (DOWNLOAD if digital else 0) + int(skus)
