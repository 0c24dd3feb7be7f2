"""The second look: what comparing the pixels of two candidates costs beside hashing alone."""

import itertools
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from statistics import median

import cv2
import numpy as np

from bench import corpus
from bench.figures import Figure
from bench.hasher import SPEC
from bench.measuring import timed
from services.dedup.candidates.keys import keys_of
from services.dedup.pixels.likeness import COPIES, likeness
from services.dedup.pixels.picture import Picture, picture_of
from services.hasher import png
from services.hasher.decoding import open_picture
from services.hasher.limits import Limits
from services.hasher.preparing import prepare
from services.hasher.raster import Pixels

CROPPED = 0.02
DARKER = 0.97


def figures(home: Path, rounds: int) -> Iterator[Figure]:
    """Each design with a copy that its hash may not find (cropped and darker), and with the next design."""
    cv2.setNumThreads(1)
    designs = [path.read_bytes() for path in corpus.designs(home)]
    canonical = [_canonical(data) for data in designs]
    copies = [_canonical(_copy(open_picture(data, Limits()).pixels)) for data in designs]
    pairs = [*zip(canonical, copies, strict=True), *itertools.pairwise(canonical)]
    taken = tuple(1000 * _least(rounds, one, other) for one, other in pairs)
    found = sum(likeness(compared(one), compared(other)) in COPIES for one, other in pairs)
    keys = [1000 * timed(partial(keys_of, compared(one))) for one in canonical]
    close = [1000 * _least(rounds, one, one) for one in canonical]  # nothing differs, so all of them are
    beside = {
        "pairs taken for copies": found,
        "pairs": len(pairs),
        "what seems unchanged, looked at close up as well, ms": median(close),
        "keys to find candidates by, ms": median(keys),
    }
    yield Figure("second look at a candidate pair, its other picture read first", "ms", taken, 5, "at most", beside)


def _least(rounds: int, one: bytes, other: bytes) -> float:
    """Seconds of the processor; the picture that is decided about is in hand already."""
    mine = compared(one)
    return min(timed(lambda: likeness(mine, compared(other))) for _ in range(rounds))


def compared(canonical: bytes) -> Picture:
    """A canonical picture as dedup compares it."""
    if (picture := picture_of(canonical)) is None:
        raise ValueError("the hasher's canonical picture can't be compared")
    return picture


def _canonical(data: bytes) -> bytes:
    return prepare(data, SPEC, Limits()).canonical


def _copy(pixels: Pixels) -> bytes:
    height, width = pixels.shape[:2]
    top, left = round(height * CROPPED), round(width * CROPPED)
    inner = np.ascontiguousarray(pixels[top : height - top, left : width - left])
    inner[..., :3] = (inner[..., :3] * DARKER).round()
    return png.encode(inner)
