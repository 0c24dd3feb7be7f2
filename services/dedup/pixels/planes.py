"""The planes of a picture: one of light for each colour, and of alpha if it has one. Pure."""

from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
"""(side, side, 3 or 4), or one plane of it."""
Plane = NDArray[np.float32]


def channels(planes: cv2.typing.MatLike) -> Iterator[Pixels]:
    """One after the other: `cv2.split` takes memory for all at once, which costs as much as what is done with it."""
    for number in range(planes.shape[2]):
        yield np.asarray(cv2.extractChannel(planes, number), np.uint8)


def most(planes: cv2.typing.MatLike) -> Pixels:
    """The greatest of the channels, for each pixel."""
    first, *others = channels(planes)
    for each in others:
        cv2.max(first, each, first)
    return first
