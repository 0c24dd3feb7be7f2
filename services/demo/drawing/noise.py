"""Seeded noise: clouds for watercolour and paper, and worn prints."""

import cv2
import numpy as np
from numpy.typing import NDArray

from services.demo.drawing.canvas import Pixels

Field = NDArray[np.float32]


def clouds(rng: np.random.Generator, width: int, height: int, *, cells: int, octaves: int = 4) -> Field:
    """Fractal noise, mean 0, about -1 to 1, `cells` across the width in its coarsest octave."""
    total: Field = np.zeros((height, width), np.float32)
    for octave in range(octaves):
        across = cells * 2**octave
        grid = rng.uniform(-1, 1, (max(round(across * height / width), 2), across)).astype(np.float32)
        total += cv2.resize(grid, (width, height), interpolation=cv2.INTER_CUBIC) * np.float32(0.55**octave)
    return total


def worn(rng: np.random.Generator, width: int, height: int, *, share: float) -> Pixels:
    """A mask (255 = ink gone) with the speckles and scratches of an old print; about `share` of the area."""
    field = clouds(rng, width // 2, height // 2, cells=70, octaves=3)
    field += 0.5 * clouds(rng, width // 2, height // 2, cells=5, octaves=2)
    level = float(np.quantile(field[::8, ::8], 1 - share))
    gone = np.clip((field - level) * 12 + 0.5, 0, 1) * 255
    mask: Pixels = cv2.resize(gone.astype(np.uint8), (width, height), interpolation=cv2.INTER_LINEAR).astype(np.uint8)
    return mask
