"""What sets two aligned pictures apart, in a few figures. Pure.

A small window around each pixel is compared as SSIM does it (Wang et al., 2004): its mean colours, and its pattern,
which is what is left of it without them.
"""

from dataclasses import dataclass
from itertools import chain
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from services.dedup.pixels.aligning import AlignedPair, Alignment
from services.dedup.pixels.picture import SIDE
from services.dedup.pixels.planes import Pixels, Plane, channels, most
from services.dedup.pixels.tones import Tones

WINDOW = 9  # pixels a side
EVERYWHERE = 0.95  # quantile: one window in twenty exceeds it
APART = 12  # levels of `detail` from which a window's edges count in `edges`
SEAM = np.ones((5, 5), np.uint8)  # what lies so near to where a picture ends is not compared
RIM = 2  # pixels along the edge, which half belong to what was cut off; close up, too: small words lie there
NOISE = 4 * 36.0  # variance, summed over the channels, that is not looked into: SSIM's C2
TEXTURE = 0.25  # share of a window's texture that another must have to be compared with it
REACH = 32  # pixels of 256 around a window in which more of the same small text may lie
LEAST = 2.0  # levels by which any window may differ: added to what `alone` divides by
DETAIL = 12.0  # levels of `detail` that a copy may have,
SPREAD_OUT = 50.0  # and so many times its `everywhere` more: what is everywhere is no other text;
MOST_DETAIL = 80.0  # but no more than this
SAME_EDGES = 0.7  # `edges` above which only colours are others


@dataclass(frozen=True)
class Difference:
    """How the most different small windows differ, after tones were matched.

    `coverage`: the least share of a side that both have. `correlation`: of the two as they lie, 1 at most.
    `detail`: levels by which patterns differ, the less the more alike they are. `everywhere`: what one window in
    twenty exceeds of that.
    `colour`: levels by which mean colours differ, of the channel that differs most.
    `tone`: levels by which matching changed mid-grey (`Tones.shift`). `cast`: levels by which channels moved apart in a
    quarter of the picture (`Tones.cast`).
    `edges`: how well, where patterns differ, the edges of the one lie on the other's (correlation; 1: they do, so only
    colours differ).
    `alone`: how many times as much one window, or a few, differ as any other of like texture that is not near them:
    saving again does the same to all of them, another digit only to its own.
    """

    coverage: float
    correlation: float
    detail: float
    everywhere: float
    colour: float
    tone: float
    edges: float = 1.0
    cast: float = 0.0
    alone: float = 0.0

    @property
    def most_detail(self) -> float:
        """The `detail` that a copy may have which differs so much everywhere."""
        return min(MOST_DETAIL, DETAIL + SPREAD_OUT * self.everywhere)

    @property
    def same_lines(self) -> bool:
        """What differs does so in colour only."""
        return self.edges > SAME_EDGES


class Comparison(NamedTuple):
    """How two pictures lie on each other, what brings the second to the first's tones, and what is left apart."""

    alignment: Alignment
    tones: Tones
    apart: Difference


def difference(pair: AlignedPair, tones: Tones, places: int = 1) -> Difference:
    """`places`: in how many a change may have been made that is to stand out in `alone`."""
    known = cv2.erode(pair.valid.astype(np.uint8), SEAM)  # what lies beyond shines into its edge
    known[:RIM] = known[-RIM:] = known[:, :RIM] = known[:, -RIM:] = 0
    toned = tones.applied(pair.other)
    toned = np.asarray(cv2.copyTo(pair.one, 1 - known, toned), np.uint8)  # what can't be compared does not differ
    unlike, texture, colour = _windows(pair.one, toned)
    detail = np.sqrt(unlike)  # in levels; and weighed by unlike / texture, which is 1 less SSIM's structure term
    detail *= unlike
    detail /= texture
    place = int(detail.size * EVERYWHERE)
    return Difference(
        coverage=pair.coverage,
        correlation=pair.correlation,
        detail=float(detail.max()),
        everywhere=float(np.partition(detail, place, axis=None)[place]),
        colour=float(colour.max()),
        tone=tones.shift,
        edges=_same_edges(pair.one, toned, detail > APART),
        cast=tones.cast,
        alone=_alone(unlike, texture, places),
    )


def _alone(unlike: Plane, texture: Plane, places: int) -> float:
    """The greatest of all windows beside the greatest that has like texture and is not near it; or if it is not alone,
    and the change was made in other places, too, the next greatest beside what is left without them.
    """
    apart = np.asarray(unlike / cv2.sqrt(texture), np.float32)  # levels, in proportion to what the window's texture has
    reach = REACH * len(texture) // SIDE
    elsewhere, alone = np.ones(texture.shape, np.uint8), 0.0
    for _ in range(places):
        _, most_apart, _, (x, y) = cv2.minMaxLoc(apart, elsewhere)
        elsewhere[max(0, y - reach) : y + reach + 1, max(0, x - reach) : x + reach + 1] = 0
        alike = cv2.bitwise_and(cv2.inRange(texture, TEXTURE * float(texture[y, x]), np.inf), elsewhere)
        alone = max(alone, most_apart / (cv2.minMaxLoc(apart, alike)[1] + LEAST))
    return alone


def _same_edges(one: Pixels, other: Pixels, where: NDArray[np.bool_]) -> float:
    """The correlation of their edges there; 1 where next to nothing is, 0 where one of them has none."""
    if where.sum() < WINDOW:
        return 1.0
    mine, theirs = (_edges(each)[where] for each in (one, other))
    if mine.std() < 1 or theirs.std() < 1:
        return 0.0
    return float(np.corrcoef(mine, theirs)[0, 1])


def _edges(planes: Pixels) -> NDArray[np.uint8]:
    steps = cv2.morphologyEx(planes, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8))
    return most(steps)


def _windows(one: Pixels, other: Pixels) -> tuple[Plane, Plane, Pixels]:
    """For a window around each pixel: how unlike patterns are, how much texture both have, and how far colours are off.

    `unlike` is the variance of the difference, `texture` the sum of both variances and NOISE, over all channels.
    """
    size = (WINDOW, WINDOW)
    mine, theirs = cv2.blur(one, size), cv2.blur(other, size)
    off = cv2.absdiff(mine, theirs)
    unlike = cv2.blur(_squares(cv2.absdiff(one, other)), size) - _squares(off)
    texture = cv2.blur(_squares(one, other), size) - _squares(mine, theirs)
    np.maximum(unlike, 0, out=unlike)
    np.maximum(texture, unlike / 2, out=texture)  # as it is, but for the rounding of `mine` and `theirs`
    texture += NOISE
    return unlike, texture, most(off)


def _squares(*pictures: cv2.typing.MatLike) -> Plane:
    """Summed over the channels of all of them."""
    total = np.zeros(pictures[0].shape[:2], np.float32)
    for plane in chain.from_iterable(map(channels, pictures)):
        cv2.accumulateSquare(plane, total)
    return total
