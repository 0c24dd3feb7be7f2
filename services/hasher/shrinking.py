"""Pictures made smaller by area: each new pixel is the mean of what it covers, the shares of cut pixels counted.

OpenCV's own area filter (`INTER_AREA`) makes the same within one level or two, in twice the time: it turns each pixel
into a float and back. Here a new row is a sum of rows with weights in 256ths; for the other axis, a strip of rows is
turned on its side. It is small enough to stay in the core's cache through all of that.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
Places = NDArray[np.int64]
Weights = NDArray[np.uint16]

STRIP_ROWS = 32  # 16 and 64 are as fast; 8 and 128 take a quarter longer
HALVED_FROM = 4  # times what is asked for: at least twice as much is left to be weighed


def shrunk(picture: Pixels, width: int, height: int, into: Pixels | None = None) -> Pixels:
    """The premultiplied picture (H, W, 4), of which no axis is the shorter one, as (height, width, 4).

    `into` is the place of the result, if it has one. The weights of a pixel add up to 256 and are the same for each
    channel: what is opaque stays so, and no colour becomes stronger than its alpha.
    """
    picture = _halved(picture, width, height)
    made = np.empty((height, width, 4), np.uint8) if into is None else into
    if picture.shape == made.shape:
        made[:] = picture
        return made
    rows, row_weights = _covered(picture.shape[0], height)
    columns, column_weights = _covered(picture.shape[1], width)
    for top in range(0, height, STRIP_ROWS):
        strip = slice(top, top + STRIP_ROWS)
        low = _means(picture, rows[:, strip], row_weights[:, strip])
        on_its_side = np.asarray(cv2.transpose(low), np.uint8)
        cv2.transpose(_means(on_its_side, columns, column_weights), made[strip])
    return made


def _halved(picture: Pixels, width: int, height: int) -> Pixels:
    """An axis that is much too long is halved first: OpenCV averages 2 x 2 pixels ten times as fast as any other area.

    A last odd row or column is left out: less than half a pixel of the result.
    """
    while True:
        tall, wide = picture.shape[:2]
        rows = 2 if tall == 2 * height or tall >= HALVED_FROM * height else 1
        columns = 2 if wide == 2 * width or wide >= HALVED_FROM * width else 1
        if rows == columns == 1:
            return picture
        size = wide // columns, tall // rows
        even = picture[: size[1] * rows, : size[0] * columns]
        picture = np.asarray(cv2.resize(even, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)


def _covered(given: int, wanted: int) -> tuple[Places, Weights]:
    """What each of `wanted` new pixels covers of `given` ones: their places and weights, (the most of them, wanted).

    In whole numbers: old pixels are `wanted` long, and new ones `given`.
    """
    new = np.arange(wanted)
    places = new * given // wanted + np.arange(-(-given // wanted) + 1)[:, None]
    start, end = np.maximum(places * wanted, new * given), np.minimum((places + 1) * wanted, (new + 1) * given)
    so_far = np.cumsum(np.maximum(end - start, 0), axis=0)
    weights = np.diff((512 * so_far + given) // (2 * given), axis=0, prepend=0)  # rounded so that they add up
    return np.minimum(places, given - 1), weights.astype(np.uint16)


def _means(rows: Pixels, places: Places, weights: Weights) -> Pixels:
    """New rows of these old ones (H, W, 4). Sums stay below 2**16."""
    total = np.full((places.shape[1], *rows.shape[1:]), 128, np.uint16)
    for place, weight in zip(places, weights, strict=True):
        total += rows[place] * weight[:, None, None]
    total >>= 8
    return total.astype(np.uint8)
