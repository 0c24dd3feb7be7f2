"""What the tests of templates share: areas, a pinhole camera that looks at a mug, an oracle, pictures to draw."""

import math
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from services.mockup.areas import PrintArea, print_area
from services.mockup.light import linear_premultiplied, linear_rgb, srgb
from services.mockup.mesh import Sheet
from services.mockup.relief import relieved
from services.mockup.shapes import Points
from services.mockup.template import Area
from services.mockup.warping import placement

Pixels = npt.NDArray[np.uint8]
SIZE = (320, 260)
QUAD = ((20.3, 15.6), (210.7, 28.2), (205.4, 240.9), (12.8, 225.5))
HALF = math.radians(58)  # half of what the print reaches round the mug


def seen(point: Points) -> Points:
    """Where a pinhole camera, above and to the left of it, sees points of the scene (..., 3)."""
    eye, target = np.array([-1.1, 3.35, 12.5]), np.array([0.02, 1.1, 0.0])
    forward = (target - eye) / np.linalg.norm(target - eye)
    right = np.cross(forward, (0, 1, 0)) / np.linalg.norm(np.cross(forward, (0, 1, 0)))
    x, y, z = np.moveaxis((point - eye) @ np.array([right, np.cross(forward, right), forward]).T, -1, 0)
    return np.stack([x / z, y / z], axis=-1) * 1700 + np.array(SIZE) / 2


def on_mug(unit: Points) -> Points:
    """Where the camera sees points of the unit square, rolled round a mug that is turned a little."""
    angle = 0.06 + (unit[..., 0] * 2 - 1) * HALF
    return seen(np.stack([np.sin(angle), 1.85 - unit[..., 1] * 1.3, np.cos(angle)], axis=-1))


def mug(**facts: Any) -> Area:
    """A print area round the mug, from the six points that its owner would click."""
    points = on_mug(np.array([(0, 0), (1, 0), (1, 1), (0, 1), (0.5, 0), (0.5, 1)], float))
    *corners, top, bottom = [tuple(point) for point in points]
    shape = {"kind": "cylinder", "corners": corners, "top": top, "bottom": bottom, "angle": math.degrees(2 * HALF)}
    return Area.model_validate({"shape": shape} | facts)


def quad(**facts: Any) -> Area:
    """A flat print area in perspective."""
    return Area.model_validate({"shape": {"kind": "quad", "corners": QUAD}} | facts)


def flag(**facts: Any) -> Area:
    """A print on waving cloth: a mesh of 5 x 6 points."""
    v, u = np.mgrid[0:1:5j, 0:1:6j]
    x = 20 + 190 * u + 8 * np.sin(5 * v)
    y = 30 + 190 * v + 14 * np.sin(5 * u + v)
    return Area.model_validate({"shape": {"kind": "mesh", "rows": np.stack([x, y], axis=-1).tolist()}} | facts)


def box(left: float, top: float, right: float, bottom: float, **facts: Any) -> Area:
    """An upright print area."""
    return Area.model_validate({"shape": {"kind": "rectangle", "box": (left, top, right, bottom)}} | facts)


def flat_photo(grey: int = 190, size: tuple[int, int] = SIZE) -> Pixels:
    return np.full((size[1], size[0], 3), grey, np.uint8)


def laid(facts: Area, photo: Pixels | None = None) -> PrintArea:
    """An area as `prepare` lays it, on a photograph that is not scaled."""
    picture = flat_photo() if photo is None else photo
    return relieved(print_area(facts, (1, 1), (picture.shape[1], picture.shape[0])), facts, picture)


def oracle(design: Pixels, area: PrintArea) -> npt.NDArray[np.float64]:
    """Look up each of 8 x 8 points per pixel in the full-size design, in linear light; 4 x 4 on a mesh (slow)."""
    samples = 4 if isinstance(area.surface, Sheet) else 8
    height, width = design.shape[:2]
    left, top, right, bottom = placement(area, width, height)
    w, h = area.box.size
    x = area.box.left + (np.arange(w * samples) + 0.5) / samples
    y = area.box.top + (np.arange(h * samples) + 0.5) / samples
    unit = area.surface.unit(np.stack(np.meshgrid(x, y), axis=-1))
    where = (unit - (left, top)) / (right - left, bottom - top) * (width, height) - 0.5
    index = where.astype(np.float32)
    light = linear_premultiplied(design)
    found = cv2.remap(light, index[..., 0], index[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
    return np.asarray(found).reshape(h, samples, w, samples, 4).mean(axis=(1, 3), dtype=np.float64)


def line_art(width: int, height: int) -> Pixels:
    rng = np.random.default_rng(3)
    picture = np.zeros((height, width, 4), np.uint8)
    for _ in range(60):
        start, end = ([int(value) for value in rng.integers(0, [width, height])] for _ in range(2))
        colour = (*(int(value) for value in rng.integers(0, 256, 3)), 255)
        cv2.line(picture, start, end, colour, int(rng.integers(1, 8)), cv2.LINE_AA)
        cv2.circle(picture, start, int(rng.integers(5, width // 8)), colour, int(rng.integers(1, 6)), cv2.LINE_AA)
    return picture


def on_paper(covering: npt.NDArray[np.floating], area: PrintArea) -> Pixels:
    covering = covering * area.coverage[..., None]
    paper = linear_rgb(np.full((*covering.shape[:2], 3), (230, 225, 215), np.uint8))
    return srgb((paper * (1 - covering[..., 3:]) + covering[..., :3]).astype(np.float32))


def psnr(one: Pixels, other: Pixels) -> float:
    return float(10 * np.log10(255**2 / np.mean((one.astype(float) - other) ** 2)))
