"""Where all choices of a simulated life come from: hypothesis, which finds the shortest life that goes wrong."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from hypothesis import strategies as st

T = TypeVar("T")


class Draw(Protocol):
    """What hypothesis's `data()` can do."""

    def draw(self, strategy: st.SearchStrategy[int], label: str | None = None) -> int:
        """One choice."""


@dataclass
class Dice:
    """Small choices; the first of each is the plainest, which a shrunk example has left."""

    data: Draw

    def upto(self, most: int) -> int:
        """0 to `most`."""
        return self.data.draw(st.integers(0, most)) if most > 0 else 0

    def chance(self, percent: int) -> bool:
        """True so often."""
        return percent > 0 and self.data.draw(st.integers(0, 99)) >= 100 - percent

    def pick(self, choices: Sequence[T]) -> T:
        """One of these."""
        return choices[self.upto(len(choices) - 1)]
