"""Where all choices of a simulated life come from: its seed, so that a life that goes wrong can be lived again."""

from collections.abc import Sequence
from random import Random
from typing import TypeVar

T = TypeVar("T")


class Dice:
    """Small choices."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)

    def upto(self, most: int) -> int:
        """0 to `most`."""
        return self.random.randint(0, most) if most > 0 else 0

    def chance(self, percent: int) -> bool:
        """True so often."""
        return self.random.randrange(100) < percent

    def pick(self, choices: Sequence[T]) -> T:
        """One of these."""
        return choices[self.upto(len(choices) - 1)]
