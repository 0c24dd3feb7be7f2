"""Which keys lie within a radius of another: exact, in memory, quick among ten million. Pure.

A key is cut into bands. Keys that differ in at most 9 of 64 bits, say, differ in at most 2, 2, 1 and 1 bits in one of
the four bands of 16: seven bits more than that would be ten. So every band is kept in its order, and what has one of
the few values near the asked one is read from it. The more keys there are, the wider the bands, and the fewer to read.
(Known as multi-index hashing: Norouzi, Punjani and Fleet, 2012.)
"""

from collections.abc import Sequence
from functools import cache
from itertools import combinations
from math import comb

import numpy as np
from numpy.typing import NDArray

FARTHEST = 11
"""The greatest radius that may be asked about."""
NARROW = (16, 16, 16, 16)
WIDE = (21, 21, 22)  # 33 MB for where each value begins
MANY = 1_000_000  # keys from which that is little beside them
RECENT = 20_000  # keys that are looked through one by one before they are put in order
SHARE = 8  # of all keys, one of so many is in an order of its own before it is put with the others

Words = NDArray[np.uint64]
Owners = NDArray[np.int64]
Places = NDArray[np.uint32]
Near = tuple[Owners, NDArray[np.uint8]]
"""Who is near, and how many bits away."""


class HammingIndex:
    """Keys and who they belong to. A key is never taken out: who asks knows which owners still count."""

    def __init__(self) -> None:
        self.keys: Words = np.empty(0, np.uint64)  # the latest
        self.owners: Owners = np.empty(0, np.int64)
        self.parts: list[_Part] = []  # most of them, then the later ones

    def __len__(self) -> int:
        return self.ordered + len(self.keys)

    @property
    def ordered(self) -> int:
        return sum(len(part.keys) for part in self.parts)

    def add(self, keys: Words, owners: Owners) -> None:
        self.keys = np.concatenate([self.keys, keys])
        self.owners = np.concatenate([self.owners, owners])
        if len(self.keys) > RECENT:
            self._put_in_order()

    def within(self, keys: Sequence[int], radius: int) -> dict[int, int]:
        """The owners of the keys at most that far from one of these, with the least distance of each."""
        if radius > FARTHEST:
            raise ValueError(f"keys are found up to {FARTHEST} bits away, not {radius}")
        asked = np.array(keys, np.uint64)
        apart = np.bitwise_count(self.keys ^ asked[:, None])
        _, places = hits = np.nonzero(apart <= radius)
        found = [(self.owners[places], apart[hits])]
        for part in self.parts:
            found += part.near(asked, radius)
        return _least(found)

    def _put_in_order(self) -> None:
        later = self.parts[1:]
        most = sum(len(part.keys) for part in later) + len(self.keys)
        if not self.parts or most * SHARE > len(self.parts[0].keys):
            later = self.parts
        keys = np.concatenate([*(part.keys for part in later), self.keys])
        owners = np.concatenate([*(part.owners for part in later), self.owners])
        self.keys, self.owners = np.empty(0, np.uint64), np.empty(0, np.int64)
        self.parts = [part for part in self.parts if part not in later]
        self.parts.append(_Part(keys, owners))


class _Part:
    """Keys that are kept in the order of each of their bands."""

    def __init__(self, keys: Words, owners: Owners) -> None:
        self.keys = keys
        self.owners = owners
        self.widths = WIDE if len(keys) > MANY else NARROW
        self.bands = [_Band(keys, shift, width) for shift, width in _cuts(self.widths)]

    def near(self, asked: Words, radius: int) -> list[Near]:
        """An owner may be found more than once."""
        found = []
        for band, reach in zip(self.bands, _reaches(self.widths, radius), strict=True):
            if reach >= 0:
                places, apart = band.near(asked, reach, radius)
                found.append((self.owners[places], apart))
        return found


class _Band:
    """The keys in the order of some of their bits, and where each value of these begins."""

    def __init__(self, keys: Words, shift: int, width: int) -> None:
        self.shift, self.width = np.uint64(shift), width
        values = self._values(keys).astype(np.uint32)
        self.order = _order(values)
        self.keys = keys[self.order]
        self.starts: Places = np.zeros((1 << width) + 1, np.uint32)
        self.starts[1:] = np.cumsum(np.bincount(values, minlength=1 << width))

    def near(self, asked: Words, reach: int, radius: int) -> tuple[Places, NDArray[np.uint8]]:
        values = (self._values(asked)[:, None] ^ _masks(self.width, reach)).astype(np.int64)
        starts = self.starts[values]
        lengths = self.starts[values + 1].astype(np.int64) - starts
        places = _spans(starts.ravel(), lengths.ravel())
        apart = np.bitwise_count(self.keys[places] ^ np.repeat(asked, lengths.sum(axis=1)))
        hits = np.flatnonzero(apart <= radius)
        return self.order[places[hits]], apart[hits]

    def _values(self, keys: Words) -> Words:
        return np.asarray((keys >> self.shift) & np.uint64((1 << self.width) - 1))


def _cuts(widths: tuple[int, ...]) -> list[tuple[int, int]]:
    """Where each band begins, and its width."""
    return [(sum(widths[:number]), width) for number, width in enumerate(widths)]


@cache
def _reaches(widths: tuple[int, ...], radius: int) -> tuple[int, ...]:
    """How many bits to allow in each band (-1: it need not be looked at) so that nothing is missed, for least work.

    With reaches r, s, t, ... what is missed differs in r + 1, s + 1, t + 1, ... bits at least: more than the radius.
    """
    allowed = [0] * len(widths)
    for _ in range(radius + 1):
        cheapest = min(range(len(widths)), key=lambda band: comb(widths[band], allowed[band]) / (1 << widths[band]))
        allowed[cheapest] += 1
    return tuple(bits - 1 for bits in allowed)


@cache
def _masks(width: int, reach: int) -> Words:
    """All values with at most so many bits."""
    bits = (chosen for count in range(reach + 1) for chosen in combinations(range(width), count))
    return np.array([sum(1 << bit for bit in chosen) for chosen in bits], np.uint64)


def _order(values: Places) -> Places:
    """By value; numpy sorts 16 bits at a time without comparing."""
    order = np.argsort(values.astype(np.uint16), kind="stable").astype(np.uint32)
    high = (values >> np.uint32(16)).astype(np.uint16)
    return order[np.argsort(high[order], kind="stable")] if high.any() else order


def _spans(starts: Places, lengths: NDArray[np.int64]) -> NDArray[np.int64]:
    """All places from each start on, so many of each, one after the other."""
    before = np.cumsum(lengths) - lengths
    return np.repeat(starts - before, lengths) + np.arange(int(lengths.sum()))


def _least(found: list[Near]) -> dict[int, int]:
    least: dict[int, int] = {}
    for owners, apart in found:
        for owner, bits in zip(owners.tolist(), apart.tolist(), strict=True):
            least[owner] = min(bits, least.get(owner, FARTHEST))
    return least
