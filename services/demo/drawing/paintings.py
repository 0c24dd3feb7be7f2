"""Watercolours, an aurora in 16 bits and a landscape as a camera would see it."""

import cv2
import numpy as np
from numpy.typing import NDArray

from services.demo.drawing.canvas import Canvas, Pixels, ellipse, placed, rgba, smooth
from services.demo.drawing.lettering import words
from services.demo.drawing.noise import Field, clouds
from services.demo.drawing.shapes import Outline, heart, pine, ridge

SHEET = 3200
"""Pixels on each side. Paint flows at a quarter of that and is enlarged; the paper's tooth is two pixels wide."""


def wash(rng: np.random.Generator, outline: Outline, inks: tuple[str, str, str]) -> Pixels:
    """A watercolour wash with a wet edge, inside `outline` (canvas units)."""
    small = SHEET // 4
    inside = _inside(outline, small) + 22 * clouds(rng, small, small, cells=6, octaves=5)
    cover = np.clip(inside / 5, 0, 1)
    rim = np.exp(-((inside - 7) ** 2) / 40) * 0.35
    pigment = np.clip(0.62 + 0.3 * clouds(rng, small, small, cells=5, octaves=5) + rim, 0.25, 1)
    mix = np.clip(0.5 + 0.75 * clouds(rng, small, small, cells=2, octaves=3), 0, 1)
    second = np.clip(0.2 + 0.8 * clouds(rng, small, small, cells=3, octaves=2), 0, 1)
    tones = [np.array(rgba(ink)[:3], np.float32) for ink in inks]
    colour = tones[0] + mix[..., None] * (tones[1] - tones[0])
    colour += second[..., None] * (tones[2] - colour)
    sheet = np.dstack([colour, cover * (0.35 + 0.65 * pigment) * 255]).clip(0, 255).astype(np.uint8)
    big = cv2.resize(sheet, (SHEET, SHEET), interpolation=cv2.INTER_CUBIC)
    tooth = np.repeat(rng.integers(0, 9, (SHEET // 2, SHEET // 2, 1), np.uint8), 4, axis=2)
    tooth[..., 3] = 0
    painted: Pixels = cv2.subtract(big, cv2.resize(tooth, (SHEET, SHEET), interpolation=cv2.INTER_LINEAR)).astype(
        np.uint8, copy=False
    )
    painted[painted[..., 3] < 3] = 0
    return painted


def moon(rng: np.random.Generator) -> Pixels:
    """A full moon behind firs; what is not paint keeps a white RGB under alpha 0, as flattened scans often do."""
    painted = wash(rng, ellipse(500, 500, 400, 400), ("#3b4a6b", "#8fa3c7", "#e8e3d3"))
    trees = Canvas(SHEET, SHEET)
    for x, height in ((270, 260), (350, 400), (430, 230), (585, 330), (665, 460), (745, 250)):
        pine(trees, x, 880, height, "#16202f")
    trees.polygon(smooth([(180, 900), (300, 850), (520, 875), (700, 845), (840, 900), (500, 950)]), "#16202f")
    dark = trees.pixels[..., 3] > 127
    painted[dark] = rgba("#16202f")
    painted[painted[..., 3] == 0] = (255, 255, 255, 0)
    return painted


def love(rng: np.random.Generator) -> Pixels:
    return wash(rng, placed(heart(400), 500, 480), ("#d6336c", "#f783ac", "#f59f00"))


def ocean(rng: np.random.Generator) -> Pixels:
    """A broad stroke of blue with words left white, that is, clear."""
    painted = wash(rng, ellipse(500, 500, 440, 250), ("#0b7285", "#3bc9db", "#5f3dc4"))
    letters = words("just breathe", SHEET * 0.66, weight=700, italic=True)
    top, left = (SHEET - letters.shape[0]) // 2, (SHEET - letters.shape[1]) // 2
    part = painted[top : top + letters.shape[0], left : left + letters.shape[1], 3]
    part[...] = cv2.multiply(np.ascontiguousarray(part), cv2.bitwise_not(letters), scale=1 / 255)
    return painted


def aurora(rng: np.random.Generator) -> NDArray[np.uint16]:
    """Northern lights over fir trees as 16-bit RGBA, as painting programs export it."""
    wide, high = 3000, 3000
    y = np.linspace(0, 1, high // 4, dtype=np.float32)[:, None]
    sway = cv2.resize(rng.uniform(-1, 1, (1, 9)).astype(np.float32), (wide // 4, 1), interpolation=cv2.INTER_CUBIC)
    sky = np.dstack([0.02 + 0.10 * y, 0.03 + 0.12 * y, 0.12 + 0.22 * y]) * np.ones((1, wide // 4, 1), np.float32)
    for offset, tone in ((0.25, (0.1, 0.95, 0.55)), (0.38, (0.2, 0.6, 0.9)), (0.48, (0.65, 0.25, 0.8))):
        band = np.exp(-(((y - offset - 0.1 * sway) / 0.09) ** 2)) * (0.6 + 0.4 * np.sin(sway * 9))
        sky += band[..., None] * np.array(tone, np.float32)
    trees = Canvas(wide, high)
    for x in np.linspace(20, 980, 17):
        pine(trees, float(x), 960, float(rng.uniform(150, 360)), "#04120f")
    trees.rectangle(0, 925, 1000, 1000, "#04120f")
    deep = cv2.resize((sky.clip(0, 1) * 4095).astype(np.uint16) * 16, (wide, high), interpolation=cv2.INTER_NEAREST)
    deep[trees.pixels[..., 3] > 127] = (4 * 257, 18 * 257, 15 * 257)
    frame = Canvas(wide, high)
    frame.circle(500, 500, 480, "#ffffff")
    alpha = frame.pixels[..., 3].astype(np.uint16) * 257
    deep[alpha == 0] = 0
    return np.dstack([deep, alpha])


def landscape(rng: np.random.Generator) -> Pixels:
    """A lake at dusk, 4608 x 3072: haze from ridge to ridge, its mirror image, lens shading and grain; RGB."""
    scene = Canvas(2304, 1536)
    rows = np.linspace(0, 1, 1536, dtype=np.float32)[:, None]
    top, low = np.array((52, 74, 118), np.float32), np.array((250, 190, 140), np.float32)
    sky = np.repeat((top + (low - top) * rows**0.8)[:, None, :], 2304, axis=1)
    streaks = cv2.resize(clouds(rng, 512, 1536, cells=2, octaves=6), (2304, 1536), interpolation=cv2.INTER_CUBIC)
    sky += (np.clip(streaks, 0, 1) * (1 - rows) * 60)[..., None]
    scene.pixels[..., :3] = sky.clip(0, 255).astype(np.uint8)
    scene.pixels[..., 3] = 255
    scene.circle(640, 268, 24, "#fff0cf")
    for index, (base, height, tone) in enumerate(((370, 150, "#a98aa0"), (400, 110, "#7d6e8f"), (425, 70, "#4c5172"))):
        scene.polygon(ridge(rng, -20, 1020, base, height, peaks=4 + 2 * index), tone)
    for x in np.linspace(-10, 1010, 70):
        pine(scene, float(x), 440, float(rng.uniform(24, 70)), "#1f2c3a")
    shore = round(437 * scene.unit)
    mirror = cv2.resize(scene.pixels[:shore][::-1], (2304, 1536 - shore), interpolation=cv2.INTER_AREA)
    ripple = (
        clouds(rng, 2304, 1536 - shore, cells=40, octaves=3)
        * np.linspace(1, 14, 1536 - shore, dtype=np.float32)[:, None]
    )
    y, x = np.mgrid[0 : 1536 - shore, 0:2304].astype(np.float32)
    scene.pixels[shore:] = cv2.remap(
        mirror, x + ripple, y + ripple * 0.4, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT
    )
    scene.pixels[shore:, :, :3] = (scene.pixels[shore:, :, :3] * np.float32(0.82)).astype(np.uint8)
    return _exposed(rng, np.ascontiguousarray(scene.pixels[..., :3]), 4608, 3072)


def _exposed(rng: np.random.Generator, scene: Pixels, wide: int, high: int) -> Pixels:
    """Enlarged, darker to the corners, with sensor grain."""
    picture = cv2.resize(scene, (wide, high), interpolation=cv2.INTER_CUBIC)
    small_y, small_x = np.mgrid[-1:1:96j, -1:1:144j].astype(np.float32)
    shading = cv2.resize((1 - 0.3 * (small_x**2 + small_y**2) / 2) * 255, (wide, high)).astype(np.uint8)
    picture = cv2.multiply(picture, cv2.merge([shading] * 3), scale=1 / 255)
    patch = rng.normal(0, 5, (1024, 1536, 3)).astype(np.int16)
    grain = np.tile(patch, (high // 1024, wide // 1536, 1))
    exposed: Pixels = (picture.astype(np.int16) + grain).clip(0, 255).astype(np.uint8)
    return exposed


def _inside(outline: Outline, size: int) -> Field:
    """How many pixels (of a sheet of `size`) each point lies inside the outline; negative outside."""
    sheet = np.zeros((size, size), np.uint8)
    cv2.fillPoly(sheet, [np.rint(np.asarray(outline) * size / 1000).astype(np.int32)], (255,))
    within = cv2.distanceTransform(sheet, cv2.DIST_L2, 5)
    signed: Field = (within - cv2.distanceTransform(cv2.bitwise_not(sheet), cv2.DIST_L2, 5)).astype(np.float32)
    return signed
