"""Which keys lie within a radius of another: exact, in memory, quick among ten million. Pure.

Two keys that differ in at most 11 of 64 bits differ in at most 2 in one of their four bands of 16. So every band is
kept in its order, and the 137 values within 2 bits of the asked one are read from it.
"""

from itertools import combinations

import numpy as np
from numpy.typing import NDArray

BANDS = 4
BAND_BITS = 16
REACH = 2  # bits in a band
RADIUS = BANDS * (REACH + 1) - 1
"""The greatest radius at which nothing is missed."""
VALUES = 1 << BAND_BITS
NEAR_VALUES = np.array(
    [sum(1 << bit for bit in bits) for count in range(REACH + 1) for bits in combinations(range(BAND_BITS), count)],
    np.uint64,
)
RECENT = 20_000  # keys that are looked through one by one before they are put in order

Keys = NDArray[np.uint64]
Owners = NDArray[np.int64]


class Nearby:
    """Keys and who they belong to. A key is never taken out: who asks knows which owners still count."""

    def __init__(self) -> None:
        self.keys: Keys = np.empty(0, np.uint64)
        self.owners: Owners = np.empty(0, np.int64)
        self.bands: list[tuple[NDArray[np.int64], Keys, Owners]] = []
        self.ordered = 0

    def __len__(self) -> int:
        return len(self.keys)

    def add(self, keys: Keys, owners: Owners) -> None:
        self.keys = np.concatenate([self.keys, keys])
        self.owners = np.concatenate([self.owners, owners])
        if len(self.keys) - self.ordered > max(RECENT, self.ordered // 16):
            self._put_in_order()

    def within(self, key: int, radius: int) -> dict[int, int]:
        """The owners of the keys at most that far away, with the least distance of each."""
        if radius > RADIUS:
            raise ValueError(f"keys are found up to {RADIUS} bits away, not {radius}")
        asked = np.uint64(key)
        found = [_near(asked, self.keys[self.ordered :], self.owners[self.ordered :], radius)]
        for number, (starts, keys, owners) in enumerate(self.bands):
            values = (_band(asked, number) ^ NEAR_VALUES).astype(np.int64)
            places = _spans(starts[values], starts[values + 1])
            found.append(_near(asked, keys[places], owners, radius, places))
        return _least(found)

    def _put_in_order(self) -> None:
        self.bands = []
        for number in range(BANDS):
            values = _band(self.keys, number)
            order = np.argsort(values, kind="stable")
            starts = np.zeros(VALUES + 1, np.int64)
            np.cumsum(np.bincount(values.astype(np.int64), minlength=VALUES), out=starts[1:])
            self.bands.append((starts, self.keys[order], self.owners[order]))
        self.ordered = len(self.keys)


def _band(keys: Keys | np.uint64, number: int) -> Keys:
    return np.asarray((keys >> np.uint64(number * BAND_BITS)) & np.uint64(VALUES - 1))


def _spans(starts: NDArray[np.int64], ends: NDArray[np.int64]) -> NDArray[np.int64]:
    """All places from each start to its end, one after the other."""
    lengths = ends - starts
    before = np.cumsum(lengths) - lengths
    return np.repeat(starts - before, lengths) + np.arange(int(lengths.sum()))


def _near(
    asked: np.uint64, keys: Keys, owners: Owners, radius: int, places: NDArray[np.int64] | None = None
) -> tuple[Owners, NDArray[np.uint8]]:
    apart = np.bitwise_count(keys ^ asked)
    hits = np.flatnonzero(apart <= radius)
    return owners[hits if places is None else places[hits]], apart[hits]


def _least(found: list[tuple[Owners, NDArray[np.uint8]]]) -> dict[int, int]:
    least: dict[int, int] = {}
    for owners, apart in found:
        for owner, bits in zip(owners.tolist(), apart.tolist(), strict=True):
            least[owner] = min(bits, least.get(owner, RADIUS))
    return least
