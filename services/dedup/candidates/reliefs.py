"""How like two pictures are at a glance, for choosing whom to look at among hundreds of one family. Pure.

Names on one template have next to the same hashes, whose bits tell of the template. As 32 x 32 pixels in grey they
differ where the name is, and what a copy has lost or gained it has lost or gained beside each of them. How often the
original of a copy is among those that are looked at then: `python -m tests.accuracy.families`.
"""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from services.dedup.candidates.keys import SMALL, at_zoom, laid
from services.dedup.pixels.picture import Picture

Relief = NDArray[np.uint8]
"""(ways to see it, 1024): each as it may have been laid on a ground, as for the keys."""


def relief_of(picture: Picture, zooms: Sequence[float] = ()) -> Relief:
    """With `zooms`, also as its original may have been before it was cropped, and the other way round."""
    ways = [way for grey, ground in laid(picture) for way in (grey, *(at_zoom(grey, ground, zoom) for zoom in zooms))]
    return np.stack([cv2.resize(way, (SMALL, SMALL), interpolation=cv2.INTER_AREA).ravel() for way in ways])


def differences(one: Relief, others: Sequence[Relief]) -> NDArray[np.float32]:
    """Of each of the others (n,), the least of all ways to see both: the sum of squares, in levels."""
    mine, theirs = (each.astype(np.float32) for each in (one, np.concatenate(others)))
    squares = (mine * mine).sum(axis=1)[:, None] + (theirs * theirs).sum(axis=1) - 2 * mine @ theirs.T
    starts = np.cumsum([0, *(len(other) for other in others[:-1])])
    return np.asarray(np.minimum.reduceat(squares.min(axis=0), starts), np.float32)
