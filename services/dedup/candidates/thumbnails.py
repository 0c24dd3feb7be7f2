"""How like two pictures are at a glance, for choosing whom to look at among hundreds of one family. Pure.

Names on one template have next to the same hashes, whose bits tell of the template. As 32 x 32 pixels in grey they
differ where the name is, and what a copy has lost or gained it has lost or gained beside each of them. How often the
original of a copy is among those that are looked at then: `python -m tests.accuracy.families`.
"""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from services.dedup.candidates.keys import SMALL, ZOOMS, Grey, at_zoom, laid
from services.dedup.pixels.picture import Picture

EXPLAINED = 0.02  # of what sets it apart from the nearest: with less left unexplained, it is drawn anew
ROUNDING = 2.0  # levels squared and summed, by which `_apart` may be off of near ones
MIDDLE = 128  # levels

Thumbnails = NDArray[np.uint8]
"""(n, 1024): the n ways in which a picture is seen for its keys (`keys.laid`), each 32 x 32 in grey."""
WAYS = 1 + len(ZOOMS)
"""Of a zoomed picture's thumbnails, the first of so many parts are as it is."""


def thumbnails_of(picture: Picture, *, zoomed: bool = False) -> Thumbnails:
    """If `zoomed`, then also as its original may have been before it was cropped, and the other way round (`WAYS`)."""
    seen = list(laid(picture))
    ways = [grey for grey, _ in seen] + [at_zoom(*each, zoom) for zoom in (ZOOMS if zoomed else ()) for each in seen]
    return np.stack([cv2.resize(way, (SMALL, SMALL), interpolation=cv2.INTER_AREA).ravel() for way in ways])


def most_alike(one: Thumbnails, others: Sequence[Thumbnails], few: int, most: int) -> list[int]:
    """The places of those that are most like it, which is zoomed: `most` of them, or a `few` if it is drawn anew."""
    ends = np.cumsum([len(other) for other in others])
    apart = _apart(one, theirs := np.concatenate(others))
    plain = zip(one, apart[: len(one) // WAYS], strict=False)
    nearest = np.minimum.reduceat(apart.min(axis=0), [0, *ends[:-1]])
    drawn_anew = any(_is_drawn_anew(way, theirs, far, most) for way, far in plain)
    return [int(place) for place in np.argsort(nearest, kind="stable")[: few if drawn_anew else most]]


def _apart(one: Thumbnails, theirs: Thumbnails) -> NDArray[np.float32]:
    """Of each way to see it with each of theirs, the sum of squares, in levels.

    Of what is near, off by ROUNDING at most: float32 has all whole numbers up to 2**24, which is the largest sum of one
    of them (hence MIDDLE); both together may be twice as much.

    Without BLAS, whose threads wait for more work at full speed: a tenth of a second of the processor for two
    milliseconds of work.
    """
    mine, all_theirs = one.astype(np.float32) - MIDDLE, theirs.astype(np.float32) - MIDDLE
    squares = np.square(mine).sum(axis=1)[:, None] + np.square(all_theirs).sum(axis=1)
    return np.asarray(squares - 2 * np.einsum("ik,jk->ij", mine, all_theirs), np.float32)


def _is_drawn_anew(way: Grey, theirs: Thumbnails, far: NDArray[np.float32], most: int) -> bool:
    """Whether there is next to nothing in it that none of those shows which are nearest; and it is none of them.

    So it is with another name, as some name has each of its letters in that place. A copy was cropped or saved again
    all over, and none of them was. (Of 1,680 copies 3 count as drawn anew, and of 100 names that are new to a family
    90; `python -m tests.accuracy.families`.)
    """
    alike = theirs[np.argsort(far, kind="stable")[:most]].astype(np.float32)
    unexplained = float(np.square(alike - way).min(axis=0).sum())
    return unexplained + ROUNDING <= EXPLAINED * float(far.min())
