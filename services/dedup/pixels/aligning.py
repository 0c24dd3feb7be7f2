"""Lays one canonical picture on another (image registration), as well as an affine warp can. Pure.

The warp is the one of the greatest correlation that ECC finds (Evangelidis and Psarakis, 2008: `cv2.findTransformECC`).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from services.dedup.pixels.background import OUTSTANDING, Box, grounds_behind
from services.dedup.pixels.picture import Picture, View, softened
from services.dedup.pixels.planes import Pixels, Plane, channels

COARSE_STEPS, FINE_STEPS, CLOSE_STEPS = 15, 8, 2  # of ECC: at 64 pixels a side, at 128, and close up at 256
SURE = 0.98  # correlation from which no other views are tried, if it lacks no more than a copy may
STRANGE = 0.5  # correlation at 64 pixels below which they have nothing in common
SPARED = 0.06  # share of a side that a copy may lack, as it was cropped
GAINED = 0.01  # correlation that a move by more than that must be worth: along a gradient any is as good as none

Warp = NDArray[np.float32]
"""(2, 3): from a pixel of the first picture to where it lies in the second, as `cv2.WARP_INVERSE_MAP` wants it."""


class Alignment(NamedTuple):
    """How two pictures lie on each other: which views of them, and how the second is moved to lie on the first."""

    mine: View
    theirs: View
    warp: Warp

    def inverse(self) -> "Alignment":
        return Alignment(self.theirs, self.mine, _inverted(self.warp))

    def at_size_of(self, one: Picture, other: Picture) -> "Alignment":
        """How the same two pictures lie at the size that they have here."""
        mine, theirs = one.seen_like(self.mine), other.seen_like(self.theirs)
        return Alignment(mine, theirs, _scaled(self.warp, len(mine.pixels) / len(self.mine.pixels)))

    def cut_wider(self, one: Picture, other: Picture) -> "Alignment | None":
        """With all that stands out from both pages, lying as it does here; None if that is no more, or they part."""
        if self.mine.box is None or self.theirs.box is None:
            return None
        mine, theirs = one.cut_once(self.mine), other.cut_once(self.theirs)
        if not (mine.shows_more_than(self.mine) or theirs.shows_more_than(self.theirs)):
            return None
        # from a pixel of the wider cut to that of the whole picture, to that of this cut; in the other one back again
        side = len(self.mine.pixels)
        to_this = _cutting(self.mine.box, side) @ np.linalg.inv(_cutting(mine.box, side))
        from_this = _cutting(theirs.box, side) @ np.linalg.inv(_cutting(self.theirs.box, side))
        warp = np.asarray(from_this[:2] @ _homogeneous(self.warp) @ to_this, np.float32)
        return None if _uncovered(warp, side) > SPARED else Alignment(mine, theirs, warp)


@dataclass(frozen=True, eq=False)
class AlignedPair:
    """Two pictures on common ground, the second laid on the first: (side, side, 3 or 4). `valid` is where both are."""

    one: Pixels
    other: Pixels
    valid: NDArray[np.bool_]
    coverage: float
    correlation: float
    alignment: Alignment


def align(one: Picture, other: Picture) -> AlignedPair | None:
    """By the pair of views that fit best; None when they have nothing in common.

    Coarse first: there a step goes further, and finds what is far away.
    """
    side = len(one.rgba)
    best: tuple[bool, float, Alignment] | None = None
    for mine, theirs in on_common_ground(one, other):
        warp, correlation = _refined(mine.coarse, theirs.coarse, np.eye(2, 3, dtype=np.float32), COARSE_STEPS, side)
        beyond = max(0.0, _uncovered(warp, side) - SPARED)
        fit = correlation - beyond
        if best is None or (not beyond, fit) > best[:2]:
            best = not beyond, fit, Alignment(mine, theirs, warp)
        if fit >= SURE and not beyond:
            break
    if best is None or best[1] < STRANGE:
        return None
    alignment, correlation = _moved(best[2], FINE_STEPS)
    return _laid(alignment, correlation, _coverage(alignment))


def align_again(alignment: Alignment, coverage: float) -> AlignedPair:
    """Laid by an alignment that is known, and moved by the little that could not be told at a smaller size."""
    return _laid(*_moved(alignment, CLOSE_STEPS), coverage)


def on_common_ground(one: Picture, other: Picture) -> Iterator[tuple[View, View]]:
    """Both with alpha, or both laid on the ground of the one that has no alpha."""
    if one.transparent and other.transparent:
        yield one.whole, other.whole
    elif not one.transparent and not other.transparent:
        yield from product(one.views, other.views)
    else:
        opaque, clear = (other, one) if one.transparent else (one, other)
        for ground in grounds_behind(clear.rgba[..., 3], opaque.rgb):
            mine, theirs = one.standing_out_from(ground), other.standing_out_from(ground)
            yield mine, theirs
            if mine.box is not None or theirs.box is not None:
                yield one.laid_on(ground), other.laid_on(ground)


def _moved(alignment: Alignment, steps: int) -> tuple[Alignment, float]:
    """To where they lie best; and the correlation there."""
    mine, theirs, warp = alignment
    moved, correlation = _refined(mine.fine, theirs.fine, warp, steps, len(mine.pixels))
    return Alignment(mine, theirs, moved), correlation


def _refined(mine: Plane, theirs: Plane, warp: Warp, steps: int, full: int) -> tuple[Warp, float]:
    """Moved to where they correlate best; but as they lay where that is as good, and the best is far away."""
    side = len(mine)
    criteria = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, steps, 1e-5)
    small = _scaled(warp, side / full)
    start, everywhere = small.copy(), np.full((side, side), 255, np.uint8)
    try:
        correlation, found = cv2.findTransformECC(mine, theirs, start, cv2.MOTION_AFFINE, criteria, everywhere, 3)
    except cv2.error:  # they have nothing in common, or nothing that tells where to go
        return warp, _correlation(mine, theirs, small)
    moved = _scaled(np.asarray(found, np.float32), full / side)
    if _uncovered(moved, full) > SPARED >= _uncovered(warp, full):
        unmoved = _correlation(mine, theirs, small)
        if unmoved > correlation - GAINED:
            return warp, unmoved
    return moved, float(correlation)


def _correlation(mine: Plane, theirs: Plane, warp: Warp) -> float:
    """As findTransformECC tells it; 0 where one of them is plain."""
    size = (len(mine), len(mine))
    laid = cv2.warpAffine(theirs, warp, size, flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
    known = cv2.warpAffine(np.full(size, 255, np.uint8), warp, size, flags=cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP)
    found = cv2.computeECC(mine, laid, known)
    return found if found > 0 else 0.0


def _scaled(warp: Warp, factor: float) -> Warp:
    """The warp for pictures so many times as large: pixels are counted from their centres."""
    shift = factor * warp[:, 2] + (factor - 1) / 2 * (1 - warp[:, :2].sum(axis=1))
    return np.column_stack([warp[:, :2], shift]).astype(np.float32)


def _laid(alignment: Alignment, correlation: float, coverage: float) -> AlignedPair:
    one, other, warp = alignment
    side = len(one.pixels)
    size, back = (side, side), cv2.WARP_INVERSE_MAP
    laid = cv2.warpAffine(other.pixels, warp, size, flags=cv2.INTER_CUBIC | back, borderMode=cv2.BORDER_REPLICATE)
    return AlignedPair(one.soft, softened(laid), _inside(warp, side), coverage, correlation, alignment)


def _coverage(alignment: Alignment) -> float:
    """The share of a side that both have. What one lacks of the other's ground it does not lack."""
    one, other, warp = alignment
    side = len(one.pixels)
    uncovered = _uncovered(warp, side)
    if (
        uncovered > SPARED
        and _bare(one.pixels, ~_inside(warp, side))
        and _bare(other.pixels, ~_inside(_inverted(warp), side))
    ):
        uncovered = SPARED
    return 1 - uncovered


def _inverted(warp: Warp) -> Warp:
    return np.asarray(cv2.invertAffineTransform(warp), np.float32)


def _cutting(box: Box | None, side: int) -> NDArray[np.float64]:
    """From a pixel of a picture to that of what is cut out of it (`background.cut`), (3, 3)."""
    if box is None:
        return np.eye(3)
    across, down = side / box.width, side / box.height
    return np.array([[across, 0, (0.5 - box.left) * across - 0.5], [0, down, (0.5 - box.top) * down - 0.5], [0, 0, 1]])


def _homogeneous(warp: Warp) -> NDArray[np.float64]:
    return np.vstack([warp, (0, 0, 1)])


def _inside(warp: cv2.typing.MatLike, side: int) -> NDArray[np.bool_]:
    """Where a picture comes to lie."""
    full = np.full((side, side), 255, np.uint8)
    return cv2.warpAffine(full, warp, (side, side), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP) > 250


def _bare(planes: Pixels, where: NDArray[np.bool_]) -> bool:
    """Nothing but ground: there one had more of it than the other."""
    spans = (cv2.minMaxLoc(plane, where.astype(np.uint8))[:2] for plane in channels(planes))
    return all(highest - lowest <= 2 * OUTSTANDING for lowest, highest in spans)


def _uncovered(warp: Warp, side: int) -> float:
    """The widest strip along an edge of either picture where the other has nothing, as a share of the side."""
    return max(_beyond(warp, side), _beyond(_inverted(warp), side))


def _beyond(warp: Warp, side: int) -> float:
    last = side - 1
    corners = np.array([(0, 0, 1), (last, 0, 1), (0, last, 1), (last, last, 1)], np.float32)
    x, y = (corners @ warp.T).T
    edges = (x[0] + x[2], y[0] + y[1], 2 * last - x[1] - x[3], 2 * last - y[2] - y[3])
    return max(0.0, float(max(edges)) / 2) / side
