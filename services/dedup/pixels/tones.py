"""Light and colour that a copy may have lost, as one picture's tones are brought to another's. Pure."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from services.dedup.pixels.aligning import AlignedPair
from services.dedup.pixels.picture import SIDE, SOLID
from services.dedup.pixels.planes import Pixels, Plane, channels

GAIN = (0.85, 1.18)  # least and most by which a copy's levels may have been multiplied
BIAS = 14.0  # most levels that may have been added to them
PALER = 0.2  # share by which a copy's colours may be stronger or weaker
THINNED = SIDE // 2  # side of what is looked at
LEAST = 64  # pixels that both must show opaque
NEAR = 30  # levels up to which a pixel tells of light, not of other art
CONTRAST = 100  # variance in levels, up to which a channel tells of no gain


@dataclass(frozen=True, eq=False)
class Tones:
    """`matrix` (channels, channels + 1): what a pixel's channels are multiplied by, and what is added; None: nothing.

    `shift`: levels by which that changes mid-grey (128), of the channel in which it does so most. `cast`: levels by
    which channels moved apart in a quarter of the picture.
    """

    matrix: NDArray[np.float32] | None = None
    shift: float = 0.0
    cast: float = 0.0

    def applied(self, pixels: Pixels) -> Pixels:
        return pixels if self.matrix is None else np.asarray(cv2.transform(pixels, self.matrix), np.uint8)


def tones_of(pair: AlignedPair) -> Tones:
    """What brings the other picture's tones to the first one's, as far as a copy's may be off."""
    one, other = _thinned(pair.one), _thinned(pair.other)
    step = len(pair.one) // THINNED
    known = pair.valid[::step, ::step]
    for alpha in one[3:] + other[3:]:
        known = known & (alpha > SOLID)
    where = np.flatnonzero(known)
    if where.size < LEAST:
        return Tones()
    count = len(one)
    matrix = np.zeros((count, count + 1), np.float32)
    matrix[count - 1, count - 1] = 1  # alpha stays
    shift = 0.0
    mine, theirs = (np.stack([plane.take(where) for plane in each[:3]]).astype(np.float32) for each in (one, other))
    for channel in range(3):
        gain, bias = _gain_and_bias(theirs[channel], mine[channel])
        matrix[channel, channel] = gain
        matrix[channel, 3] = bias if count == 3 else bias / 255  # times alpha: none where transparent
        shift = max(shift, abs(gain * 128 + bias - 128))
    return Tones(matrix, shift, _cast(mine, theirs))


def _cast(mine: Plane, theirs: Plane) -> float:
    """Levels by which channels (3, n) moved apart in a quarter of the picture, beyond what light and paling do.

    A pastel ground that is pink in one and yellow in the other: each channel by itself is off by no more than a copy's.
    """
    gain, bias = _gain_and_bias(theirs.ravel(), mine.ravel())
    off, chroma = mine - (gain * theirs + bias), theirs - theirs.mean(axis=0)
    paler = float((off * chroma).sum()) / max(float((chroma * chroma).sum()), 1.0)
    moved = np.ptp(off - min(max(paler, -PALER), PALER) * chroma, axis=0)
    place = moved.size * 3 // 4
    return float(np.partition(moved, place)[place])


def _thinned(planes: Pixels) -> list[Pixels]:
    """Some pixels of some rows, by channel."""
    few = cv2.resize(planes, (THINNED, THINNED), interpolation=cv2.INTER_NEAREST)
    return list(channels(few))


def _gain_and_bias(x: Plane, y: Plane) -> tuple[float, float]:
    """From x to y, fitted to all, and then to what is near so: a local change must not tint the rest."""
    gain, bias = _fitted(x, y)
    near = np.abs(gain * x + bias - y) < NEAR
    return _fitted(x[near], y[near]) if LEAST < near.sum() < near.size else (gain, bias)


def _fitted(x: Plane, y: Plane) -> tuple[float, float]:
    """By least squares, as far as a copy's may be off."""
    mx, my = float(x.mean()), float(y.mean())
    dx = x - mx
    spread = float(dx @ dx) / x.size
    gain = float(dx @ (y - my)) / x.size / spread if spread > CONTRAST else 1.0
    gain = min(max(gain, GAIN[0]), GAIN[1])
    bias = my - gain * mx
    if abs(bias) <= BIAS:
        return gain, bias
    # Of pale colours that differ little from each other a gain needs more bias than that, and without it misses all of
    # them: so the gain that is best with this bias, if that is less of one.
    bias = min(max(bias, -BIAS), BIAS)
    best = float(x @ (y - bias)) / max(float(x @ x), 1.0)
    return min(max(best, min(gain, 1.0)), max(gain, 1.0)), bias
