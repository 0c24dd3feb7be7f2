"""The keys in memory: whatever is within the radius is found, and nothing else."""

import numpy as np
import pytest

from services.dedup.nearby import RADIUS, RECENT, Nearby

DICE = np.random.default_rng(7)


def test_every_key_within_the_radius_is_found_and_no_other() -> None:
    keys = DICE.integers(0, 2**64, RECENT + 5_000, dtype=np.uint64)
    centre = int(keys[17])
    for place, bits in enumerate(range(RADIUS + 4)):  # and some at every distance
        flips = DICE.choice(64, bits, replace=False)
        keys[100 + place] = centre ^ sum(1 << int(bit) for bit in flips)
    nearby = Nearby()
    nearby.add(keys[:200], np.arange(200))
    nearby.add(keys[200:-7], np.arange(200, len(keys) - 7))
    nearby.add(keys[-7:], np.arange(len(keys) - 7, len(keys)))
    assert nearby.ordered
    assert nearby.ordered < len(nearby)
    for radius in (0, 5, RADIUS):
        apart = np.bitwise_count(keys ^ np.uint64(centre))
        expected = {int(place): int(apart[place]) for place in np.flatnonzero(apart <= radius)}
        assert nearby.within(centre, radius) == expected


def test_an_owner_of_several_keys_is_as_near_as_its_nearest() -> None:
    nearby = Nearby()
    nearby.add(np.array([0b111, 0b1], np.uint64), np.array([4, 4]))
    assert nearby.within(0, RADIUS) == {4: 1}


def test_a_radius_at_which_some_would_be_missed_is_refused() -> None:
    with pytest.raises(ValueError, match="up to"):
        Nearby().within(0, RADIUS + 1)
