"""The keys in memory: whatever is within the radius is found, and nothing else."""

import numpy as np
import pytest

from services.dedup.candidates import hamming_index
from services.dedup.candidates.hamming_index import FARTHEST, RECENT, HammingIndex

DICE = np.random.default_rng(7)


@pytest.mark.parametrize("many", [hamming_index.MANY, RECENT])
def test_every_key_within_the_radius_is_found_and_no_other(monkeypatch: pytest.MonkeyPatch, many: int) -> None:
    monkeypatch.setattr(hamming_index, "MANY", many)
    keys = DICE.integers(0, 2**64, RECENT + 5_000, dtype=np.uint64)
    centre = int(keys[17])
    for place, bits in enumerate(range(FARTHEST + 4)):  # and some at every distance
        flips = DICE.choice(64, bits, replace=False)
        keys[100 + place] = centre ^ sum(1 << int(bit) for bit in flips)
    found = HammingIndex()
    found.add(keys[:200], np.arange(200))
    found.add(keys[200:-7], np.arange(200, len(keys) - 7))
    found.add(keys[-7:], np.arange(len(keys) - 7, len(keys)))
    assert (found.ordered, len(found)) == (len(keys) - 7, len(keys))
    for radius in (0, 5, 9, FARTHEST):
        apart = np.bitwise_count(keys ^ np.uint64(centre))
        expected = {int(place): int(apart[place]) for place in np.flatnonzero(apart <= radius)}
        assert found.within([centre], radius) == expected
    asked = [centre, int(keys[23]), centre ^ 0b11011]
    apart = np.min([np.bitwise_count(keys ^ np.uint64(each)) for each in asked], axis=0)
    assert found.within(asked, 9) == {int(place): int(apart[place]) for place in np.flatnonzero(apart <= 9)}


def test_an_owner_of_several_keys_is_as_near_as_its_nearest() -> None:
    found = HammingIndex()
    found.add(np.array([0b111, 0b1], np.uint64), np.array([4, 4]))
    assert found.within([0], FARTHEST) == {4: 1}
    assert found.within([0b1111, 0], FARTHEST) == {4: 1}
    assert found.within([], FARTHEST) == {}


def test_what_comes_later_is_put_in_order_by_itself_as_long_as_it_is_little() -> None:
    keys = DICE.integers(0, 2**64, 14 * RECENT, dtype=np.uint64)
    found = HammingIndex()
    found.add(keys[: 10 * RECENT], np.arange(10 * RECENT))
    for start in range(10 * RECENT, len(keys), RECENT // 2):
        end = min(start + RECENT // 2, len(keys))
        found.add(keys[start:end], np.arange(start, end))
        assert len(found.parts) <= 2
    for owner in (3, 10 * RECENT + 3, len(keys) - 3):
        assert found.within([int(keys[owner])], 0) == {owner: 0}


def test_a_radius_at_which_some_would_be_missed_is_refused() -> None:
    with pytest.raises(ValueError, match="up to"):
        HammingIndex().within([0], FARTHEST + 1)
