"""Art on an opaque page: where it lies, so that it can be looked at, and measured, without its page."""

import math
from dataclasses import dataclass

import cv2
import numpy as np

from services.hasher.raster import Pixels

SMALL = 0.75  # of a side: art that fills less is looked at by itself
EVEN, EVEN_SHARE = 14, 0.9  # levels by which a page may vary (JPEG), and for how much of its edge that must hold
OUTSTANDING = 16  # levels from which a pixel is no page; dedup asks for more, so what it would see is never cut off
LEAST = 1 / 32  # of a side: what is smaller may be dust
DARK = 64  # brightest channel of a page in which black parts of art can't be seen any more
LEAST_ON_DARK = 1 / 8  # of a side, on such a page: what is smaller may be a thin rest of art whose black parts are lost
MARGIN = 1 / 32  # of the art, so that it shows what it lies on


@dataclass(frozen=True)
class Art:
    """Where it lies on its page: (start, end) as shares of the page's width and height."""

    across: tuple[float, float]
    down: tuple[float, float]

    @property
    def small(self) -> bool:
        """Whether too little of the canonical picture would show it.

        Of a chest print that fills a fifth of its page's width 50 of 256 pixels would: too few to tell it from
        another, or as a copy of its see-through original.
        """
        return min(end - start for start, end in (self.across, self.down)) <= SMALL

    def size(self, width: int, height: int) -> tuple[int, int]:
        """Its width and height in pixels, on a page of that many."""
        spans = ((self.across, width), (self.down, height))
        wide, high = (round((end - start) * side) for (start, end), side in spans)
        return wide, high

    def cut(self, picture: Pixels) -> Pixels:
        """The art with a margin, as a view of the whole picture (H, W, 4)."""
        return picture[_part(self.down, picture.shape[0]), _part(self.across, picture.shape[1])]


def art_on_page(small: Pixels) -> Art | None:
    """What lies on the page of one colour that a picture (S, S, 4) is; None where it is no such page."""
    page = _page(small)
    if page is None:
        return None
    least, most = np.maximum(page - OUTSTANDING, 0), page + OUTSTANDING
    left, top, width, height = cv2.boundingRect(cv2.bitwise_not(cv2.inRange(small, least, most)))
    side = len(small)
    if min(width, height) < (LEAST_ON_DARK if page[:3].max() < DARK else LEAST) * side:
        return None
    return Art((left / side, (left + width) / side), (top / side, (top + height) / side))


def _page(small: Pixels) -> Pixels | None:
    """The colour that the edge shows, if it shows one."""
    if small[..., 3].min() < 255:
        return None
    edge = np.concatenate([small[:2].reshape(-1, 4), small[-2:].reshape(-1, 4), small[:, 0], small[:, -1]])
    page = np.asarray(np.median(edge, axis=0))
    even = np.abs(edge - page).max(axis=1) <= EVEN
    return page if even.mean() >= EVEN_SHARE else None


def _part(span: tuple[float, float], of: int) -> slice:
    start, end = span
    margin = MARGIN * (end - start)
    return slice(max(0, math.floor((start - margin) * of)), min(of, math.ceil((end + margin) * of)))
