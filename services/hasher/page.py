"""Small art on a large opaque page: where it lies, so that it can be looked at without its page."""

import math

import cv2
import numpy as np

from services.hasher.raster import Pixels

SMALL = 0.75  # of a side: art that fills less is looked at by itself
EVEN, EVEN_SHARE = 14, 0.9  # levels by which a page may vary (JPEG), and for how much of its edge that must hold
OUTSTANDING = 16  # levels from which a pixel is no page; dedup asks for more, so what it would see is never cut off
LEAST = 1 / 32  # of a side: what is smaller may be dust
MARGIN = 1 / 32  # of the art, so that it shows what it lies on


def art_on_page(picture: Pixels, small: Pixels) -> Pixels | None:
    """The art (H, W, 4) with a margin, as a view of `picture`; None where no small art lies on a page of one colour.

    `small` (S, S, 4) is the same picture. Of a chest print that fills a fifth of its page's width, 50 of the canonical
    picture's 256 pixels would show it: too few to tell it from another, or as a copy of its see-through original.
    """
    page = _page(small)
    if page is None:
        return None
    least, most = np.maximum(page - OUTSTANDING, 0), page + OUTSTANDING
    left, top, width, height = cv2.boundingRect(cv2.bitwise_not(cv2.inRange(small, least, most)))
    side = len(small)
    if not LEAST * side <= min(width, height) <= SMALL * side:
        return None
    rows, columns = picture.shape[:2]
    return picture[_span(top, height, side, rows), _span(left, width, side, columns)]


def _page(small: Pixels) -> Pixels | None:
    """The colour that the edge shows, if it shows one."""
    if small[..., 3].min() < 255:
        return None
    edge = np.concatenate([small[:2].reshape(-1, 4), small[-2:].reshape(-1, 4), small[:, 0], small[:, -1]])
    page = np.asarray(np.median(edge, axis=0))
    even = np.abs(edge - page).max(axis=1) <= EVEN
    return page if even.mean() >= EVEN_SHARE else None


def _span(first: int, length: int, side: int, of: int) -> slice:
    """The same part, and the margin, of a side of so many pixels."""
    margin = MARGIN * length
    start, end = ((first - margin) / side, (first + length + margin) / side)
    return slice(max(0, math.floor(start * of)), min(of, math.ceil(end * of)))
