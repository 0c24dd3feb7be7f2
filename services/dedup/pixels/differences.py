"""What sets two aligned pictures apart, in a few figures. Pure."""

from dataclasses import dataclass
from itertools import chain
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from services.dedup.pixels.aligning import AlignedPair, Alignment
from services.dedup.pixels.background import Pixels
from services.dedup.pixels.picture import SIDE, Plane, channels, most
from services.dedup.pixels.tones import Tones

WINDOW = 9
APART = 12  # levels from which patterns are looked at once more
SEAM = np.ones((5, 5), np.uint8)
RIM = 2  # pixels along the edge, which half belong to what was cut off; close up, too: small words lie there
NOISE = 4 * 36.0  # variance, over all channels, that is not looked into
TEXTURE = 0.25  # share of a window's texture from which another may be compared with it
REACH = 32  # pixels of 256 around a window in which more of the same small text may lie
LEAST = 2.0  # levels by which any window may differ
DETAIL = 12.0  # levels by which the pattern of a copy's window may differ
SPREAD_OUT = 50.0  # and so many times more than one window in twenty is: what is everywhere is no other text
MOST_DETAIL = 80.0  # but no more than this
SAME_EDGES = 0.7  # from which only colours are others


@dataclass(frozen=True)
class Difference:
    """How the most different small windows differ, after tones were matched.

    `detail`: levels by which patterns differ where they are unlike; `everywhere`: the same of one window in twenty.
    `colour`: levels by which mean colours differ. `tone`: what was matched. `edges`: how well, where patterns
    differ, the edges of the one lie on the other's (1: they do, so only colours differ). `cast`: levels by which
    channels moved apart in a quarter of the picture. `alone`: how many times as much one window differs as any other
    of like texture that is not near it: saving again does the same to all of them, another digit only to its own.
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
        """Levels by which the pattern of a copy's window may differ."""
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


def difference(pair: AlignedPair, tones: Tones) -> Difference:
    known = cv2.erode(pair.valid.astype(np.uint8), SEAM)  # what lies beyond shines into its edge
    known[:RIM] = known[-RIM:] = known[:, :RIM] = known[:, -RIM:] = 0
    toned = tones.applied(pair.other)
    toned = np.asarray(cv2.copyTo(pair.one, 1 - known, toned), np.uint8)  # what can't be compared does not differ
    unlike, spread, apart = _windows(pair.one, toned)
    detail = np.sqrt(unlike)
    detail *= unlike
    detail /= spread
    place = int(detail.size * 0.95)
    everywhere = float(np.partition(detail, place, axis=None)[place])
    edges = _same_edges(pair.one, toned, detail > APART)
    return Difference(
        pair.coverage,
        pair.correlation,
        float(detail.max()),
        everywhere,
        float(apart.max()),
        tones.most,
        edges,
        tones.cast,
        _alone(unlike, spread),
    )


def _alone(unlike: Plane, spread: Plane) -> float:
    apart = np.asarray(unlike / cv2.sqrt(spread), np.float32)
    _, most_apart, _, (x, y) = cv2.minMaxLoc(apart)
    elsewhere = cv2.inRange(spread, TEXTURE * float(spread[y, x]), np.inf)
    reach = REACH * len(spread) // SIDE
    elsewhere[max(0, y - reach) : y + reach + 1, max(0, x - reach) : x + reach + 1] = 0
    return most_apart / (cv2.minMaxLoc(apart, elsewhere)[1] + LEAST)


def _same_edges(one: Pixels, other: Pixels, where: NDArray[np.bool_]) -> float:
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
    """For a small window around each pixel: how far patterns are apart, and how much there is of them, as variances
    that are never 0; and mean colours.
    """
    size = (WINDOW, WINDOW)
    mine, theirs = cv2.blur(one, size), cv2.blur(other, size)
    off = cv2.absdiff(mine, theirs)
    unlike = cv2.blur(_squares(cv2.absdiff(one, other)), size) - _squares(off)
    spread = cv2.blur(_squares(one, other), size) - _squares(mine, theirs)
    np.maximum(unlike, 0, out=unlike)
    np.maximum(spread, unlike / 2, out=spread)
    spread += NOISE
    return unlike, spread, most(off)


def _squares(*pictures: cv2.typing.MatLike) -> Plane:
    """Summed over the channels of all of them."""
    total = np.zeros(pictures[0].shape[:2], np.float32)
    for plane in chain.from_iterable(map(channels, pictures)):
        cv2.accumulateSquare(plane, total)
    return total
