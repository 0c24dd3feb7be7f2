"""Differences between the books, and how many of each kind a round showed."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Kind = Literal["lost", "doubled", "gap", "wrong"]


@dataclass(frozen=True)
class Finding:
    """One difference between two books, in words."""

    kind: Kind
    words: str


@dataclass
class Counts:
    """What a round showed."""

    lost: int = 0
    doubled: int = 0
    gaps: int = 0
    wrong: int = 0

    def add(self, findings: Iterable[Finding]) -> None:
        found = Counter(finding.kind for finding in findings)
        self.lost += found["lost"]
        self.doubled += found["doubled"]
        self.gaps += found["gap"]
        self.wrong += found["wrong"]
