"""What a measurement gives: a figure for each thing that was measured, and what is asked of their median."""

from dataclasses import dataclass, field
from statistics import median
from typing import Literal


@dataclass(frozen=True)
class Figure:
    """`values` are one for each design, photograph or round. `beside` are other numbers that explain them."""

    name: str
    unit: str
    values: tuple[float, ...]
    target: float
    better: Literal["at least", "at most"] = "at least"
    beside: dict[str, float] = field(default_factory=dict)

    @property
    def middle(self) -> float:
        return median(self.values)

    @property
    def met(self) -> bool:
        return self.middle >= self.target if self.better == "at least" else self.middle <= self.target
