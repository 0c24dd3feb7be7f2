"""Operations on 8-bit RGBA arrays of shape (H, W, 4): crop, premultiply, resize.

A print-size picture has 50 MB, so what can be told from a few of its rows is, and a whole new picture is made only
where it must be: memory that is touched for the first time costs as much as most of what is done with it.
"""

from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from services.hasher.shrinking import shrunk

Pixels = NDArray[np.uint8]

STRIP_ROWS = 64  # of a print about 1 MB: what is done to it in turn finds it in the core's cache
FEW_ROWS = 32  # enough to spare calls, few enough that a column is rarely in question
WORD = np.dtype("<u4")  # a pixel as one number, in which alpha is the highest byte: compared four times as fast
ALPHA_SHIFT = 24
OPAQUE = 255 << ALPHA_SHIFT
SIGNED_WORD = np.dtype("<i4")  # as a signed one, opaque pixels and a clear one are the numbers from -2**24 to 0
SIGNED_OPAQUE = -(1 << ALPHA_SHIFT)


def crop_to_alpha(rgba: Pixels, at_least: int = 1) -> Pixels | None:
    """The part within the bounding box of alpha >= `at_least`, as a view; None when there is no such pixel."""
    if at_least == 1 and rgba.flags.c_contiguous:  # the fastest way, and for no other alpha
        box = Image.fromarray(rgba).getbbox()
        return None if box is None else rgba[box[1] : box[3], box[0] : box[2]]
    words, limit = _words(rgba), at_least << ALPHA_SHIFT
    top = _first_row(words, limit)
    if top is None:
        return None
    bottom = len(words) - (_first_row(words[::-1], limit) or 0)
    columns = words[top:bottom].T
    left, right = _first_row(columns, limit) or 0, len(columns) - (_first_row(columns[::-1], limit) or 0)
    return rgba[top:bottom, left:right]


def strongest_alpha(rgba: Pixels, enough: int) -> int:
    """The highest alpha, or one that is `enough`."""
    strongest = 0
    for strip in strips(rgba):
        strongest = max(strongest, int(_words(strip).max()) >> ALPHA_SHIFT)
        if strongest >= enough:
            break
    return strongest


def premultiplied(rgba: Pixels) -> Pixels:
    """Colours times alpha, so that what lies under transparent pixels has no weight when pixels are averaged.

    An opaque picture is its own.
    """
    return rgba if _is_opaque(rgba) else np.asarray(cv2.cvtColor(rgba, cv2.COLOR_RGBA2mRGBA), dtype=np.uint8)


def make_straight(rgba: Pixels) -> Pixels:
    """Divide premultiplied colours by alpha again, in place; saturates where cubic resampling overshot.

    Most pixels of a design are clear or opaque and stay as they are. A few rows at a time, those columns are divided
    in which it is not so: to find them takes two passes that write next to nothing.
    """
    for top in range(0, len(rgba), FEW_ROWS):
        rows = rgba[top : top + FEW_ROWS]
        words = rows.view(SIGNED_WORD)[..., 0]
        columns = np.flatnonzero((words.max(axis=0) > 0) | (words.min(axis=0) < SIGNED_OPAQUE))
        if len(columns) > words.shape[1] // 4:
            rows[:] = cv2.cvtColor(rows, cv2.COLOR_mRGBA2RGBA)
        elif len(columns):
            words[:, columns] = _divided(words.take(columns, axis=1))  # quicker than an index, and in order
    return rgba


def _divided(words: NDArray[np.int32]) -> NDArray[np.int32]:
    pixels = words.view(np.uint8).reshape(1, -1, 4)  # one row: OpenCV goes row by row
    return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_mRGBA2RGBA), np.uint8).view(SIGNED_WORD).reshape(words.shape)


def resized(picture: Pixels, width: int, height: int, into: Pixels | None = None) -> Pixels:
    """Resize premultiplied pixels: each axis by area where it shrinks, by cubic interpolation where it grows.

    `into` is where they go, if they have a place (height, width, 4): a part of a larger picture may be one.
    """
    smaller, asked = (min(width, picture.shape[1]), min(height, picture.shape[0])), (width, height)
    if smaller != picture.shape[1::-1]:
        picture = shrunk(picture, *smaller, into=into if smaller == asked else None)
    if asked != smaller:
        picture = np.asarray(cv2.resize(picture, asked, into, interpolation=cv2.INTER_CUBIC), dtype=np.uint8)
    return picture


def strips(pixels: Pixels) -> Iterator[Pixels]:
    """Its rows, some at a time, as views."""
    return (pixels[top : top + STRIP_ROWS] for top in range(0, len(pixels), STRIP_ROWS))


def _words(rgba: Pixels) -> NDArray[np.uint32]:
    return rgba.view(WORD)[..., 0]


def _is_opaque(rgba: Pixels) -> bool:
    return all(_words(strip).min() >= OPAQUE for strip in strips(rgba))


def _first_row(words: NDArray[np.uint32], limit: int) -> int | None:
    for top in range(0, len(words), STRIP_ROWS):
        reached = (words[top : top + STRIP_ROWS] >= limit).any(axis=1)
        if reached.any():
            return top + int(reached.argmax())
    return None
