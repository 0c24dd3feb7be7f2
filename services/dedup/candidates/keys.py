"""Short hashes that find what the second look should see: they bear cropping, which the 256 bits do not. Pure.

A key has a bit for each of the 64 lowest frequencies (DCT) of a canonical picture: a pHash of 64 bits, so to say. One
that is see-through has two keys, as laid on white and on black, so that its flattened copies are found as well. One
that is the same all over has a key of its texture, too. The keys that `tables` makes of the 256 bits are no such keys.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice

import cv2
import numpy as np
from numpy.typing import NDArray

from services.dedup.candidates.texture import texture
from services.dedup.pixels.background import BLACK, WHITE, box_of, boxes, cut, on_white
from services.dedup.pixels.picture import Picture
from services.dedup.pixels.planes import Pixels

FREQUENCIES = 8  # a side
SMALL = 32  # side of what the DCT is taken of, as for any pHash of 8 x 8 bits; in pixels
MIN_CONTRAST = 12  # levels; below it the bits are noise
ZOOMS = (0.94, 1.06)  # cropped, or with more around it
CORNERS = tuple((factor, (x, y)) for factor in (0.97, 1.03) for x in (0, 1) for y in (0, 1))
"""The same, at the two sides only that do not meet in that corner: from the middle it has moved, too."""
CENTRE = (0.5, 0.5)
COARSE = 2 * SMALL  # side at which that is made, as these are many; in pixels
CLEARLY = 0.25  # of the mean distance to the median, above which a frequency's bit is set
TURNED = np.array([1, -1] * (FREQUENCIES // 2) + [1], np.float32)  # the signs of waves in a mirror

Grey = NDArray[np.uint8]
Laid = tuple[Grey, int | None]
"""In grey, with the grey of the ground that it was laid on."""
Waves = NDArray[np.float32]
"""The lowest coefficients of the DCT (8, 9)."""


@dataclass(frozen=True)
class Keys:
    """What a picture is found by (`plain`, the only ones in the table), and what is asked for to find others.

    A copy may be what has a plain key near one of `plain` or `zoomed`; an inverted or mirrored twin, near one of those.
    """

    plain: tuple[int, ...]
    zoomed: tuple[int, ...]
    inverted: tuple[int, ...]
    mirrored: tuple[int, ...]


NO_KEYS = Keys((), (), (), ())


def keys_of(picture: Picture) -> Keys:
    """Twins need no pixels of their own: inverting turns the sign of every wave, mirroring that of every odd one."""
    seen = list(laid(picture))
    waves = _waves(grey for grey, _ in seen)
    zoomed = _waves(at_zoom(*each, factor) for each in seen for factor in ZOOMS) + _waves(_at_corners(seen))
    several = (waves, zoomed, [-each for each in waves], [each * TURNED for each in waves])
    keys = iter(_keys(list(chain(*several))))
    plain, of_zoomed, inverted, mirrored = (tuple(islice(keys, len(each))) for each in several)
    textures = [] if picture.transparent else _bits([each for grey, _ in seen if (each := texture(grey)) is not None])
    return Keys(_distinct([*plain, *textures]), of_zoomed, _distinct(inverted), _distinct(mirrored))


def _distinct(keys: Iterable[int]) -> tuple[int, ...]:
    return tuple(dict.fromkeys(keys))


def _waves(pictures: Iterable[Grey]) -> list[Waves]:
    """The lowest frequencies of each that is not next to plain: of the first row one more, for the mean left out."""
    waves = []
    for grey in pictures:
        fine = grey.astype(np.float32)
        small = np.asarray(cv2.resize(fine, (SMALL, SMALL), interpolation=cv2.INTER_AREA), np.float32)
        if float(np.ptp(small)) >= MIN_CONTRAST:
            waves.append(np.asarray(cv2.dct(small)[:FREQUENCIES, : FREQUENCIES + 1], np.float32))
    return waves


def laid(picture: Picture) -> Iterator[Laid]:
    """The ways to see a picture, in grey: as it is, and cut so that the art fills the frame (`background.box_of`).

    Each has the shade that a see-through picture was laid on. Art on a coloured ground is also seen on white, as its
    see-through original is laid on white and black only.
    """
    grounds = (WHITE, BLACK) if picture.transparent else (None,)
    for ground in grounds:
        rgb = picture.rgb if ground is None else picture.on(ground)
        shade = None if ground is None else int(ground[0])  # black and white are grey
        yield _grey(rgb), shade
        for box in boxes(rgb) if ground is None else [box_of(rgb, ground)]:
            if box is not None:
                yield _grey(cut(rgb, box)), shade
        for full in on_white(rgb) if ground is None else ():
            yield _grey(full), 255


def _grey(rgb: Pixels) -> Grey:
    return np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), np.uint8)


def _at_corners(seen: Iterable[Laid]) -> Iterator[Grey]:
    for grey, ground in seen:
        small = np.asarray(cv2.resize(grey, (COARSE, COARSE), interpolation=cv2.INTER_AREA), np.uint8)
        for factor, corner in CORNERS:
            yield at_zoom(small, ground, factor, corner)


def at_zoom(grey: Grey, ground: int | None, factor: float, about: tuple[float, float] = CENTRE) -> Grey:
    """Larger or smaller about a point of it (from 0 to 1), in the same frame."""
    side = len(grey)
    across, down = (side * place * (1 - factor) for place in about)
    warp = np.array([[factor, 0, across], [0, factor, down]], np.float32)
    beyond = cv2.BORDER_REPLICATE if ground is None else cv2.BORDER_CONSTANT
    return np.asarray(cv2.warpAffine(grey, warp, (side, side), borderMode=beyond, borderValue=ground or 0), np.uint8)


def _keys(waves: Sequence[Waves]) -> list[int]:
    """Of each a bit for each frequency. The mean light is left out."""
    if not waves:
        return []
    every = np.stack(waves)
    square = every[:, :, :FREQUENCIES].reshape(len(every), -1)
    return _bits(np.concatenate([square[:, 1:], every[:, :1, FREQUENCIES]], axis=1))


def _bits(levels: Waves | Sequence[Waves]) -> list[int]:
    """Of each 64 levels a bit for each: whether it is clearly above the median.

    Clearly, as half the frequencies of symmetrical art are about nought, and would give bits by chance.
    """
    if not len(levels):
        return []
    above = levels - np.median(levels, axis=1, keepdims=True)
    bits = above > CLEARLY * np.abs(above).mean(axis=1, keepdims=True)
    return [int.from_bytes(key.tobytes(), "big") for key in np.packbits(bits, axis=1)]
