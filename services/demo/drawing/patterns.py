"""All-over patterns: opaque, without alpha, as cut-and-sew printers want them."""

import cv2
import numpy as np
from numpy.typing import NDArray

from services.demo.drawing.canvas import Canvas, Pixels, ellipse, placed, smooth


def plaid(_: np.random.Generator) -> Pixels:
    """Lumberjack check with a twill weave; RGB."""
    check, pairs = 300, 6
    bands = np.arange(2 * check) // check
    both = bands[:, None] + bands[None, :]
    repeat = np.array([(178, 34, 42), (104, 20, 26), (24, 16, 18)], np.uint8)[both]
    x = np.arange(2 * check)
    repeat[((x[:, None] + x[None, :]) // 8 % 2 == 0) & (both == 1)] = (140, 26, 33)
    return np.tile(repeat, (pairs, pairs, 1))


def tiles(rng: np.random.Generator) -> Pixels:
    """Hand-painted tiles; RGB."""
    canvas = Canvas(3600, 3600)
    canvas.rectangle(-5, -5, 1005, 1005, "#f4efe3")
    for row in range(5):
        for column in range(5):
            x, y, odd = 100 + column * 200, 100 + row * 200, (row + column) % 2
            blue, warm = ("#1f4e79", "#d98c3f") if odd else ("#2e7d8c", "#b5483a")
            for turn in range(0, 360, 90):
                blade = smooth([(0, 0), (46, -42), (34, -88), (0, -96), (-34, -88), (-46, -42)])
                canvas.polygon(placed(blade, x, y, turn=turn + 45 * odd), blue)
                canvas.polygon(placed(blade, x, y, scale=0.55, turn=turn + 45 * odd), "#f4efe3")
                canvas.polygon(placed(ellipse(0, -88, 18, 9), x, y, turn=turn + 45 - 45 * odd), warm)
            canvas.circle(x, y, 22, warm)
            canvas.circle(x, y, 10, "#f4efe3")
            wobble = float(rng.uniform(-1.5, 1.5))
            canvas.line([(x - 100, y - 100 + wobble), (x + 100, y - 100), (x + 100, y + 100)], 5, "#9c8f78")
    return np.ascontiguousarray(canvas.pixels[..., :3])


def leopard(rng: np.random.Generator) -> Pixels:
    """Rosettes on a jittered grid; RGB."""
    canvas = Canvas(3200, 3200)
    canvas.rectangle(-5, -5, 1005, 1005, "#e3b577")
    for row in range(-1, 16):
        for column in range(-1, 14):
            x = column * 80 + (row % 2) * 40 + float(rng.uniform(-12, 12))
            y = row * 72 + float(rng.uniform(-12, 12))
            ring = _blob(rng, 36)
            canvas.polygon(placed(ring, x, y), "#2e1f15")
            canvas.polygon(placed(ring, x, y, scale=0.56), "#b5793a")
            for turn in rng.uniform(0, 360, int(rng.integers(1, 4))):
                canvas.polygon(placed([(0, 12), (-7, -48), (9, -48)], x, y, turn=float(turn)), "#e3b577")
            canvas.polygon(placed(ring, x, y, scale=0.5), "#b5793a")
            canvas.polygon(placed(_blob(rng, 8), x + 40, y + 6), "#2e1f15")
    return np.ascontiguousarray(canvas.pixels[..., :3])


def terrazzo(rng: np.random.Generator) -> Pixels:
    """Stone chips in eight flat inks: palette indexes, not colours (`TERRAZZO` holds those)."""
    floor: Pixels = np.zeros((3300, 3300), np.uint8)
    for _ in range(520):
        corners = int(rng.integers(4, 8))
        angle = np.sort(rng.uniform(0, 2 * np.pi, corners))
        reach = rng.uniform(0.6, 1, corners) * rng.choice((40, 75, 120), p=(0.5, 0.35, 0.15))
        chip = np.stack([reach * np.cos(angle), reach * np.sin(angle)], axis=1) + rng.uniform(0, 3300, 2)
        cv2.fillPoly(floor, [np.rint(chip).astype(np.int32)], (int(rng.integers(1, 8)),))
    return floor


TERRAZZO = ("#f5efe6", "#d9694f", "#2f4858", "#86a697", "#e6b655", "#c99383", "#5b5f4e", "#a9b4c2")


def _blob(rng: np.random.Generator, radius: float) -> NDArray[np.float64]:
    angle = np.linspace(0, 2 * np.pi, 9)[:-1]
    reach = radius * rng.uniform(0.75, 1.15, 8)
    return smooth(np.stack([reach * np.cos(angle), reach * np.sin(angle)], axis=1))
