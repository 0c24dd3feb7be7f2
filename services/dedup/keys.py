"""Short hashes that find what the second look should see: they bear cropping, which the 256 bits do not. Pure.

The 64 lowest frequencies of a canonical picture. One that is see-through has two keys, as laid on white and on black,
so that its flattened copies are found as well, and by the keys' complements what is inverted.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from services.dedup.picture import Picture, Pixels, boxed

KEY_BITS = 64
FREQUENCIES = 8  # a side
SMALL = 32
MIN_CONTRAST = 12  # levels; below it the bits are noise
GROUNDS = (np.full(3, 255, np.uint8), np.zeros(3, np.uint8))
ZOOMS = (0.94, 1.06)  # cropped, or with more around it
ALL = (1 << KEY_BITS) - 1


@dataclass(frozen=True)
class Keys:
    """What a picture is found by, what else its copies may be found by, and its inverted and mirrored twins."""

    plain: tuple[int, ...]
    zoomed: tuple[int, ...]
    inverted: tuple[int, ...]
    mirrored: tuple[int, ...]


def keys_of(picture: Picture) -> Keys:
    plain = tuple(_keys(picture))
    zoomed = tuple(key for factor in ZOOMS for key in _keys(picture.zoomed(factor)))
    return Keys(plain, zoomed, tuple(key ^ ALL for key in plain), tuple(_keys(picture.mirrored())))


def _keys(picture: Picture) -> Iterator[int]:
    for rgb in _laid(picture):
        grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY).astype(np.float32)
        small = np.asarray(cv2.resize(grey, (SMALL, SMALL), interpolation=cv2.INTER_AREA), np.float32)
        if float(np.ptp(small)) >= MIN_CONTRAST:
            yield _key(small)


def _laid(picture: Picture) -> Iterator[Pixels]:
    if picture.transparent:
        yield from (boxed(picture.on(ground), ground) for ground in GROUNDS)
    else:
        yield boxed(picture.rgb)


def _key(small: NDArray[np.float32]) -> int:
    """A bit for each frequency: whether it is above the median. The mean light is left out."""
    waves = cv2.dct(small)
    low = np.append(waves[:FREQUENCIES, :FREQUENCIES].ravel()[1:], waves[0, FREQUENCIES])
    bits = low > np.median(low)
    return int.from_bytes(np.packbits(bits).tobytes(), "big")
