"""What a picture is found by that is the same all over: a seamless pattern, a page of even print. Pure.

Its lowest frequencies hold next to nothing, and that tells where it was cut. Its power spectrum is the same wherever it
is cut, and summed up in bins of frequency and direction (log-polar) nearly so when it was scaled a little.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

SIDE = 64  # pixels
LOW, MOST_LOW = 4, 0.33  # waves a side, and the share that frequencies up to it may have of the power
LOWEST, HIGHEST = 3.0, 30.0  # waves a side: between them lie the bins
RINGS, SECTORS = 8, 8  # bins of frequency, and of direction in half a turn
MIN_CONTRAST = 12  # levels; below it there is nothing but noise

Levels = NDArray[np.float32]


def texture(grey: NDArray[np.uint8]) -> Levels | None:
    """The amplitude in each bin of frequency and direction (64); None where the lowest frequencies tell enough."""
    small = np.asarray(cv2.resize(grey.astype(np.float32), (SIDE, SIDE), interpolation=cv2.INTER_AREA), np.float32)
    if float(np.ptp(small)) < MIN_CONTRAST:
        return None
    windowed = (small - float((small * HANN).sum() / HANN.sum())) * HANN
    power = np.square(np.abs(np.fft.rfft2(windowed))).astype(np.float32)
    if float(power[IS_LOW].sum()) > MOST_LOW * float(power.sum()):
        return None
    return np.asarray(np.sqrt(np.einsum("ijk,jk->i", BINS, power)), np.float32)  # without BLAS, as in thumbnails


def _hann() -> Levels:
    """A window that fades towards the edge, where a pattern breaks off."""
    return np.outer(np.hanning(SIDE), np.hanning(SIDE)).astype(np.float32)


def _frequencies() -> tuple[Levels, Levels]:
    """Waves a side, and their direction from 0 to 1 (half a turn), of all that `rfft2` tells of."""
    down, across = np.meshgrid(np.fft.fftfreq(SIDE, 1 / SIDE), np.fft.rfftfreq(SIDE, 1 / SIDE), indexing="ij")
    return np.hypot(down, across).astype(np.float32), (np.arctan2(down, across) / np.pi % 1).astype(np.float32)


def _bins() -> Levels:
    """(64, SIDE, SIDE / 2 + 1): each wave counts in the four that are next to it, the more the nearer."""
    frequency, direction = _frequencies()
    ring = np.log(np.maximum(frequency, 0.1) / LOWEST) / np.log(HIGHEST / LOWEST) * RINGS - 0.5
    sector = direction * SECTORS
    bins = []
    for number in range(RINGS * SECTORS):
        turned = np.abs(sector - number % SECTORS)
        turned = np.minimum(turned, SECTORS - turned)
        bins.append(np.maximum(1 - np.abs(ring - number // SECTORS), 0) * np.maximum(1 - turned, 0))
    return np.asarray(bins, np.float32)


HANN = _hann()
IS_LOW = _frequencies()[0] <= LOW
BINS = _bins()
