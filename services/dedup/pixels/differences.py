"""What sets two aligned pictures apart, in a few figures. Pure."""

from dataclasses import dataclass
from itertools import chain

import cv2
import numpy as np
from numpy.typing import NDArray

from services.dedup.pixels.aligning import Pair
from services.dedup.pixels.background import Pixels
from services.dedup.pixels.picture import SIDE, Plane, channels, most

WINDOW = 9
APART = 12  # levels from which patterns are looked at once more
UNCUT = 0.995
SEAM = np.ones((5, 5), np.uint8)
RIM = 2  # pixels along the edge, which half belong to what was cut off; close up, too: small words lie there
NOISE = 4 * 36.0  # variance, over all channels, that is not looked into
TEXTURE = 0.25  # share of a window's texture from which another may be compared with it
REACH = 32  # pixels of 256 around a window in which more of the same small text may lie
LEAST = 2.0  # levels by which any window may differ
GAIN = (0.85, 1.18)
BIAS = 14.0
PALER = 0.2  # share by which a copy's colours may be stronger or weaker


@dataclass(frozen=True)
class Difference:
    """How the most different small windows differ, after tones were matched.

    `detail`: levels by which patterns differ where they are unlike; `everywhere`: the same of one window in twenty.
    `colour`: levels by which mean colours differ. `tone`: what was matched. `edges`: how well, where patterns
    differ, the edges of the one lie on the other's (1: they do, so only colours differ). `cast`: levels by which
    channels moved apart in a quarter of the picture. `alone`: how many times as much one window differs as any other
    of like texture that is not near it: saving again does the same to all of them, another digit only to its own.
    """

    coverage: float
    correlation: float
    detail: float
    everywhere: float
    colour: float
    tone: float
    edges: float = 1.0
    cast: float = 0.0
    alone: float = 0.0


def difference(pair: Pair) -> Difference:
    known = cv2.erode(pair.valid.astype(np.uint8), SEAM)  # what lies beyond shines into its edge
    known[:RIM] = known[-RIM:] = known[:, :RIM] = known[:, -RIM:] = 0
    toned, tone, cast = _toned(pair)
    toned = np.asarray(cv2.copyTo(pair.one, 1 - known, toned), np.uint8)  # what can't be compared does not differ
    unlike, spread, apart = _windows(pair.one, toned)
    detail = np.sqrt(unlike)
    detail *= unlike
    detail /= spread
    place = int(detail.size * 0.95)
    everywhere = float(np.partition(detail, place, axis=None)[place])
    edges = _same_edges(pair.one, toned, detail > APART)
    return Difference(
        pair.coverage,
        pair.correlation,
        float(detail.max()),
        everywhere,
        float(apart.max()),
        tone,
        edges,
        cast,
        _alone(unlike, spread),
    )


def _alone(unlike: Plane, spread: Plane) -> float:
    apart = np.asarray(unlike / cv2.sqrt(spread), np.float32)
    _, most_apart, _, (x, y) = cv2.minMaxLoc(apart)
    elsewhere = cv2.inRange(spread, TEXTURE * float(spread[y, x]), np.inf)
    reach = REACH * len(spread) // SIDE
    elsewhere[max(0, y - reach) : y + reach + 1, max(0, x - reach) : x + reach + 1] = 0
    return most_apart / (cv2.minMaxLoc(apart, elsewhere)[1] + LEAST)


def _same_edges(one: Pixels, other: Pixels, where: NDArray[np.bool_]) -> float:
    if where.sum() < WINDOW:
        return 1.0
    mine, theirs = (_edges(each)[where] for each in (one, other))
    if mine.std() < 1 or theirs.std() < 1:
        return 0.0
    return float(np.corrcoef(mine, theirs)[0, 1])


def _edges(planes: Pixels) -> NDArray[np.uint8]:
    steps = cv2.morphologyEx(planes, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8))
    return most(steps)


def _toned(pair: Pair) -> tuple[Pixels, float, float]:
    """The other picture with its tones brought to the first one's, as far as a copy's may be off; by how much; cast."""
    one, other = _halved(pair.one), _halved(pair.other)
    sure = pair.valid[::2, ::2]
    for alpha in one[3:] + other[3:]:
        sure = sure & (alpha > 250)
    where = np.flatnonzero(sure)
    if where.size < 64:
        return pair.other, 0.0, 0.0
    count = len(one)
    lines = np.zeros((count, count + 1), np.float32)
    lines[count - 1, count - 1] = 1  # alpha stays
    most = 0.0
    mine, theirs = (np.stack([plane.take(where) for plane in each[:3]]).astype(np.float32) for each in (one, other))
    for channel in range(3):
        gain, bias = _line(theirs[channel], mine[channel])
        lines[channel, channel] = gain
        lines[channel, 3] = bias if count == 3 else bias / 255  # none where transparent
        most = max(most, abs(gain * 128 + bias - 128))
    return np.asarray(cv2.transform(pair.other, lines), dtype=np.uint8), most, _cast(mine, theirs)


def _cast(mine: Plane, theirs: Plane) -> float:
    """Levels by which channels (3, n) moved apart in a quarter of the picture, beyond what light and paling do.

    A pastel ground that is pink in one and yellow in the other: each channel by itself is off by no more than a copy's.
    """
    gain, bias = _line(theirs.ravel(), mine.ravel())
    off, chroma = mine - (gain * theirs + bias), theirs - theirs.mean(axis=0)
    paler = float((off * chroma).sum()) / max(float((chroma * chroma).sum()), 1.0)
    moved = np.ptp(off - min(max(paler, -PALER), PALER) * chroma, axis=0)
    place = moved.size * 3 // 4
    return float(np.partition(moved, place)[place])


def _halved(planes: Pixels) -> list[Pixels]:
    """Every other pixel of every other row, by channel."""
    half = cv2.resize(planes, (len(planes) // 2, len(planes) // 2), interpolation=cv2.INTER_NEAREST)
    return list(channels(half))


def _line(x: Plane, y: Plane) -> tuple[float, float]:
    """Gain and bias from what is near already: a local change must not tint the rest."""
    gain, bias = _fitted(x, y)
    near = np.abs(gain * x + bias - y) < 30
    return _fitted(x[near], y[near]) if 64 < near.sum() < near.size else (gain, bias)


def _fitted(x: Plane, y: Plane) -> tuple[float, float]:
    mx, my = float(x.mean()), float(y.mean())
    dx = x - mx
    spread = float(dx @ dx) / x.size
    gain = float(dx @ (y - my)) / x.size / spread if spread > 100 else 1.0
    gain = min(max(gain, GAIN[0]), GAIN[1])
    return gain, min(max(my - gain * mx, -BIAS), BIAS)


def _windows(one: Pixels, other: Pixels) -> tuple[Plane, Plane, Pixels]:
    """For a small window around each pixel: how far patterns are apart, and how much there is of them, as variances
    that are never 0; and mean colours.
    """
    size = (WINDOW, WINDOW)
    mine, theirs = cv2.blur(one, size), cv2.blur(other, size)
    off = cv2.absdiff(mine, theirs)
    unlike = cv2.blur(_squares(cv2.absdiff(one, other)), size) - _squares(off)
    spread = cv2.blur(_squares(one, other), size) - _squares(mine, theirs)
    np.maximum(unlike, 0, out=unlike)
    np.maximum(spread, unlike / 2, out=spread)
    spread += NOISE
    return unlike, spread, most(off)


def _squares(*pictures: cv2.typing.MatLike) -> Plane:
    """Summed over the channels of all of them."""
    total = np.zeros(pictures[0].shape[:2], np.float32)
    for plane in chain.from_iterable(map(channels, pictures)):
        cv2.accumulateSquare(plane, total)
    return total
