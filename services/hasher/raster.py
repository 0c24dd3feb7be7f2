"""Operations on 8-bit RGBA arrays of shape (H, W, 4): crop, premultiply, resize."""

import cv2
import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]


def crop_to_alpha(rgba: Pixels, at_least: int = 1) -> Pixels | None:
    """The part within the bounding box of alpha >= `at_least`, as a view; None when there is no such pixel."""
    _, covered = cv2.threshold(cv2.extractChannel(rgba, 3), at_least - 1, 255, cv2.THRESH_BINARY)
    left, top, width, height = cv2.boundingRect(covered)
    if width == 0:
        return None
    return rgba[top : top + height, left : left + width]


def premultiplied(rgba: Pixels) -> Pixels:
    """Colours times alpha, so that what lies under transparent pixels has no weight when pixels are averaged."""
    return np.asarray(cv2.cvtColor(rgba, cv2.COLOR_RGBA2mRGBA), dtype=np.uint8)


def straight(rgba: Pixels) -> Pixels:
    """Premultiplied colours divided by alpha again; saturates where cubic resampling overshot."""
    return np.asarray(cv2.cvtColor(rgba, cv2.COLOR_mRGBA2RGBA), dtype=np.uint8)


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
