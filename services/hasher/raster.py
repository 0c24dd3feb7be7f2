"""Operations on 8-bit RGBA arrays of shape (H, W, 4): crop, premultiply, resize.

A print-size picture has 50 MB, so what can be told from a few of its rows is, and a whole new picture is made only
where it must be: memory that is touched for the first time costs as much as most of what is done with it.
"""

from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

Pixels = NDArray[np.uint8]

STRIP_ROWS = 64  # of a print about 1 MB: what is done to it in turn finds it in the core's cache
STRIP_PIXELS = 64_000
WORD = np.dtype("<u4")  # a pixel as one number, in which alpha is the highest byte: compared four times as fast
ALPHA_SHIFT = 24
OPAQUE = 255 << ALPHA_SHIFT


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
    if all(_opaque(strip) for strip in strips(rgba)):
        return rgba
    return np.asarray(cv2.cvtColor(rgba, cv2.COLOR_RGBA2mRGBA), dtype=np.uint8)


def make_straight(rgba: Pixels) -> Pixels:
    """Divide premultiplied colours by alpha again, in place; saturates where cubic resampling overshot.

    Most pixels of a design are clear or opaque and stay as they are; finding the others costs less than dividing all.
    """
    every = np.reshape(rgba.view(WORD), -1, copy=False)
    for first in range(0, len(every), STRIP_PIXELS):
        words = every[first : first + STRIP_PIXELS]
        between = np.flatnonzero(words - 1 < OPAQUE - 1)  # 0 - 1 is the highest number: neither clear nor opaque
        if len(between) > len(words) // 4:
            words[:] = _divided(words)
        elif len(between):
            words[between] = _divided(words[between])
    return rgba


def _divided(words: NDArray[np.uint32]) -> NDArray[np.uint32]:
    pixels = words.view(np.uint8).reshape(1, -1, 4)  # one row: OpenCV goes row by row
    return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_mRGBA2RGBA), np.uint8).view(WORD).reshape(-1)


def resized(picture: Pixels, width: int, height: int) -> Pixels:
    """Resize premultiplied pixels: each axis by area where it shrinks, by cubic interpolation where it grows.

    OpenCV's area filter turns into a linear one as soon as either axis grows, and would alias the other axis.
    """
    smaller = min(width, picture.shape[1]), min(height, picture.shape[0])
    if smaller != picture.shape[1::-1]:
        picture = np.asarray(cv2.resize(picture, smaller, interpolation=cv2.INTER_AREA), dtype=np.uint8)
    if (width, height) != smaller:
        picture = np.asarray(cv2.resize(picture, (width, height), interpolation=cv2.INTER_CUBIC), dtype=np.uint8)
    return picture


def strips(pixels: Pixels) -> Iterator[Pixels]:
    """Its rows, some at a time, as views."""
    return (pixels[top : top + STRIP_ROWS] for top in range(0, len(pixels), STRIP_ROWS))


def _words(rgba: Pixels) -> NDArray[np.uint32]:
    return rgba.view(WORD)[..., 0]


def _opaque(rgba: Pixels) -> bool:
    return bool(_words(rgba).min() >= OPAQUE)


def _first_row(words: NDArray[np.uint32], limit: int) -> int | None:
    for top in range(0, len(words), STRIP_ROWS):
        reached = (words[top : top + STRIP_ROWS] >= limit).any(axis=1)
        if reached.any():
            return top + int(reached.argmax())
    return None
