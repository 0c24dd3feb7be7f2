"""Short hashes that find what the second look should see: they bear cropping, which the 256 bits do not. Pure.

The 64 lowest frequencies of a canonical picture. One that is see-through has two keys, as laid on white and on black,
so that its flattened copies are found as well.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from services.dedup.picture import SIDE, Colour, Picture, Pixels, boxed

KEY_BITS = 64
FREQUENCIES = 8  # a side
SMALL = 32
MIN_CONTRAST = 12  # levels; below it the bits are noise
GROUNDS = (np.full(3, 255, np.uint8), np.zeros(3, np.uint8))
ZOOMS = (0.94, 1.06)  # cropped, or with more around it
CLEARLY = 0.25  # of the mean

Laid = tuple[Pixels, Colour | None]


@dataclass(frozen=True)
class Keys:
    """What a picture is found by, what else its copies may be found by, and its inverted and mirrored twins."""

    plain: tuple[int, ...]
    zoomed: tuple[int, ...]
    inverted: tuple[int, ...]
    mirrored: tuple[int, ...]


def keys_of(picture: Picture) -> Keys:
    laid = list(_laid(picture))
    plain = tuple(dict.fromkeys(_keys(laid)))
    zoomed = tuple(key for factor in ZOOMS for key in _keys(_zoomed(*each, factor) for each in laid))
    inverted = tuple(dict.fromkeys(_keys((np.asarray(255 - rgb, np.uint8), None) for rgb, _ in laid)))
    return Keys(plain, zoomed, inverted, tuple(dict.fromkeys(_keys(_laid(picture.mirrored())))))


def _keys(laid: Iterable[Laid]) -> Iterator[int]:
    for rgb, _ in laid:
        grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY).astype(np.float32)
        small = np.asarray(cv2.resize(grey, (SMALL, SMALL), interpolation=cv2.INTER_AREA), np.float32)
        if float(np.ptp(small)) >= MIN_CONTRAST:
            yield _key(small)


def _laid(picture: Picture) -> Iterator[Laid]:
    """As it is, and filling its frame, which art as light as its ground does not; with the ground it was laid on."""
    grounds = GROUNDS if picture.transparent else (None,)
    for ground in grounds:
        rgb = picture.rgb if ground is None else picture.on(ground)
        yield rgb, ground
        full = boxed(rgb, ground)
        if full is not rgb:
            yield full, ground


def _zoomed(rgb: Pixels, ground: Colour | None, factor: float) -> Laid:
    """Larger or smaller about its middle, in the same frame."""
    move = SIDE / 2 * (1 - factor)
    warp = np.array([[factor, 0, move], [0, factor, move]], np.float32)
    beyond = cv2.BORDER_REPLICATE if ground is None else cv2.BORDER_CONSTANT
    colour = (0, 0, 0) if ground is None else tuple(ground.tolist())
    moved = cv2.warpAffine(rgb, warp, (SIDE, SIDE), borderMode=beyond, borderValue=colour)
    return np.asarray(moved, np.uint8), ground


def _key(small: NDArray[np.float32]) -> int:
    """A bit for each frequency: whether it is clearly above the median. The mean light is left out.

    Clearly, as half the frequencies of symmetrical art are about nought, and would give bits by chance.
    """
    waves = cv2.dct(small)
    low = np.append(waves[:FREQUENCIES, :FREQUENCIES].ravel()[1:], waves[0, FREQUENCIES])
    above = low - np.median(low)
    bits = above > CLEARLY * np.abs(above).mean()
    return int.from_bytes(np.packbits(bits).tobytes(), "big")
