"""What a picture is found by that is the same all over: a seamless pattern, a page of even print. Pure.

Its lowest frequencies hold next to nothing, and that tells where it was cut. How much light swings how fast, and in
which direction, is the same wherever it is cut, and in small steps of speed whoever scales it a little.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

SIDE = 64
LOW, MOST_LOW = 4, 0.33  # waves a side, and the share that all slower ones may have of what swings
SLOWEST, FASTEST = 3.0, 30.0  # waves a side
RINGS, SECTORS = 8, 8
MIN_CONTRAST = 12  # levels; below it there is nothing but noise

Levels = NDArray[np.float32]


def texture(grey: NDArray[np.uint8]) -> Levels | None:
    """Of each speed and direction how strongly light swings (64); None where the lowest frequencies tell enough."""
    small = np.asarray(cv2.resize(grey.astype(np.float32), (SIDE, SIDE), interpolation=cv2.INTER_AREA), np.float32)
    if float(np.ptp(small)) < MIN_CONTRAST:
        return None
    swings = (small - float((small * FADING).sum() / FADING.sum())) * FADING
    power = np.square(np.abs(np.fft.rfft2(swings))).astype(np.float32)
    if float(power[SLOW].sum()) > MOST_LOW * float(power.sum()):
        return None
    return np.asarray(np.sqrt(np.einsum("ijk,jk->i", BINS, power)), np.float32)  # without BLAS, as in reliefs


def _fading() -> Levels:
    """Towards the edge, where a pattern breaks off."""
    return np.outer(np.hanning(SIDE), np.hanning(SIDE)).astype(np.float32)


def _speeds() -> tuple[Levels, Levels]:
    """Waves a side, and their direction from 0 to 1, of all that `rfft2` tells of."""
    down, across = np.meshgrid(np.fft.fftfreq(SIDE, 1 / SIDE), np.fft.rfftfreq(SIDE, 1 / SIDE), indexing="ij")
    return np.hypot(down, across).astype(np.float32), (np.arctan2(down, across) / np.pi % 1).astype(np.float32)


def _bins() -> Levels:
    """(64, SIDE, SIDE / 2 + 1): each wave counts in the four that are next to it, the more the nearer."""
    speed, direction = _speeds()
    ring = np.log(np.maximum(speed, 0.1) / SLOWEST) / np.log(FASTEST / SLOWEST) * RINGS - 0.5
    sector = direction * SECTORS
    bins = []
    for number in range(RINGS * SECTORS):
        turned = np.abs(sector - number % SECTORS)
        turned = np.minimum(turned, SECTORS - turned)
        bins.append(np.maximum(1 - np.abs(ring - number // SECTORS), 0) * np.maximum(1 - turned, 0))
    return np.asarray(bins, np.float32)


FADING = _fading()
SLOW = _speeds()[0] <= LOW
BINS = _bins()
