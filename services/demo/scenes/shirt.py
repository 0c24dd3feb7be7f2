"""A T-shirt laid flat on paper, in a blue on which white and black ink show. Its folds are a height map, lit aslant."""

import cv2
import numpy as np
import numpy.typing as npt

from services.demo.scenes.paint import (
    Field,
    Points,
    blurred,
    curve,
    fill,
    filled,
    finished,
    moved,
    noise,
    shade,
    tinted,
)

SIZE = (2160, 2400)
MIDDLE = SIZE[0] / 2
CLOTH = (0.455, 0.535, 0.61)
COARSE = 4  # folds are soft: their height map has a quarter of the resolution
PRINT = (740.0, 640.0, 1420.0, 1400.0)  # left, top, right, bottom

# The right half of the outline, from the middle; x counts from the middle line.
NECK = [(0.0, 478.0), (92.0, 462.0), (172.0, 408.0), (222.0, 318.0)]
SHOULDER = [(222.0, 318.0), (400.0, 372.0), (566.0, 440.0), (640.0, 500.0)]
SLEEVE = [(640.0, 500.0), (735.0, 640.0), (835.0, 800.0), (905.0, 925.0)]
SLEEVE_HEM = [(905.0, 925.0), (820.0, 985.0), (730.0, 1035.0), (648.0, 1068.0)]
UNDERARM = [(648.0, 1068.0), (610.0, 985.0), (570.0, 925.0), (548.0, 905.0)]
SIDE = [(548.0, 905.0), (528.0, 1200.0), (534.0, 1600.0), (556.0, 2010.0), (566.0, 2140.0)]
HEM = [(566.0, 2140.0), (400.0, 2164.0), (200.0, 2174.0), (0.0, 2176.0)]
BACK_NECK = [(0.0, 352.0), (110.0, 346.0), (188.0, 330.0), (216.0, 322.0)]
ARMHOLE = [(566.0, 440.0), (536.0, 590.0), (530.0, 760.0), (548.0, 905.0)]

# Folds: from, to, width and height; a hill above the cloth, or a valley if negative.
FOLDS = [
    ((545, 930), (300, 1150), 60, 26),
    ((540, 960), (330, 1330), 46, -20),
    ((-545, 920), (-330, 1090), 60, 24),
    ((-548, 960), (-300, 1400), 52, -22),
    ((-560, 620), (-760, 900), 44, 18),
    ((580, 640), (770, 850), 48, -18),
    ((640, 560), (700, 960), 34, 13),
    ((-640, 560), (-690, 960), 36, -13),
    ((-420, 1500), (-470, 2150), 60, 20),
    ((-250, 1750), (-300, 2170), 44, -15),
    ((330, 1560), (420, 2160), 66, -22),
    ((160, 1850), (130, 2170), 50, 15),
    ((500, 1300), (360, 1830), 60, 19),
    ((-60, 1950), (-90, 2170), 40, 11),
    ((240, 470), (330, 720), 60, 10),
    ((-240, 470), (-350, 740), 56, -10),
    ((-470, 960), (-110, 1480), 64, 84),
    ((-420, 880), (-40, 1330), 58, -72),
    ((480, 1000), (150, 1430), 56, -72),
    ((430, 860), (90, 1240), 62, 78),
    ((210, 560), (60, 860), 60, -50),
    ((-200, 600), (-110, 900), 58, 50),
]


def draw(seed: int) -> tuple[npt.NDArray[np.uint8], tuple[tuple[float, float], ...]]:
    """The photograph, (h, w, 3) sRGB, and the corners of the chest's print area in its pixels."""
    rng = np.random.default_rng(seed)
    picture = _paper(rng)
    outline = _outline()
    for offset, sigma, strength in (((26, 34), 34, 0.34), ((9, 12), 9, 0.40), ((3, 4), 3, 0.25)):
        shade(picture, outline + offset, sigma, strength)
    _sew_inside(picture)
    fill(picture, outline, _cloth(rng, outline))
    _sew_seams(picture)
    left, top, right, bottom = PRINT
    return finished(picture, rng), ((left, top), (right, top), (right, bottom), (left, bottom))


def _outline() -> Points:
    right = [curve(part, 16) for part in (SHOULDER, SLEEVE, SLEEVE_HEM, UNDERARM, SIDE)]
    side = np.concatenate(right)
    half = (MIDDLE, 0)
    return np.concatenate([_across_middle(NECK), side + half, _across_middle(HEM)[::-1], side[::-1] * (-1, 1) + half])


def _across_middle(points: list[tuple[float, float]]) -> Points:
    """A line that begins on the middle, drawn with its mirror image, from left to right."""
    points = sorted(points)
    return moved(curve([*((-x, y) for x, y in points[:0:-1]), *points], 16), MIDDLE, 0)


def _both(points: list[tuple[float, float]]) -> tuple[Points, Points]:
    """A line and its mirror image."""
    line = curve(points, 16)
    return moved(line, MIDDLE, 0), moved(line * (-1, 1), MIDDLE, 0)


def _paper(rng: np.random.Generator) -> Field:
    y, x = np.ogrid[0 : 1 : SIZE[1] * 1j, 0 : 1 : SIZE[0] * 1j]
    light = (1.05 - 0.10 * x - 0.09 * y).astype(np.float32)
    light += 0.010 * noise(rng, SIZE, (3, 3)) + 0.012 * noise(rng, SIZE, (260, 260))
    return tinted(light, (0.86, 0.83, 0.785))


def _cloth(rng: np.random.Generator, outline: Points) -> Field:
    """Jersey: the light on its folds, its knit, and the hem's shadow line."""
    size = (SIZE[0] // COARSE, SIZE[1] // COARSE)
    inside = filled(size, outline / COARSE)
    height = _folds(rng, size, inside)
    slope_x, slope_y = (cv2.Sobel(height, cv2.CV_32F, *way, ksize=3, scale=1 / 8) for way in ((1, 0), (0, 1)))
    lit = (1 + 0.55 * (slope_x + 1.15 * slope_y)) / np.sqrt(1 + slope_x**2 + slope_y**2)
    hollow = np.clip(blurred(height, 14) - height, 0, 8) / 8
    coarse = np.asarray(0.5 + 0.5 * lit - 0.10 * hollow, np.float32)
    light = np.asarray(cv2.resize(coarse, SIZE, interpolation=cv2.INTER_CUBIC), np.float32)
    light += 0.012 * noise(rng, SIZE, (2.2, 3.2)) + 0.006 * noise(rng, SIZE, (14, 5))
    light = np.clip(light * np.float32(0.90), 0, np.float32(1.10))
    return tinted(light, CLOTH)


def _folds(rng: np.random.Generator, size: tuple[int, int], inside: Field) -> Field:
    """The cloth's height in coarse pixels: rounded at its rim, with folds that fade out at their ends."""
    rim = cv2.distanceTransform((inside > 0.5).astype(np.uint8), cv2.DIST_L2, 5)
    height = 7 * np.sqrt(np.clip(rim / 11, 0, 1) * (2 - np.clip(rim / 11, 0, 1)))
    height = blurred(np.asarray(height, np.float32), 1.6)
    for start, end, wide, high in FOLDS:
        bow = rng.uniform(-0.10, 0.10) * np.subtract(end, start)[::-1] * (-1, 1)
        line = curve([start, tuple(np.add(start, end) / 2 + bow), end], 10)
        line = moved(line, MIDDLE, 0) / COARSE
        ridge = np.zeros((size[1], size[0]), np.float32)
        for at, fade in zip(line, np.sin(np.linspace(0.35, np.pi, len(line))), strict=True):
            cv2.circle(ridge, (round(at[0]), round(at[1])), max(1, round(wide / COARSE * 0.30 * fade)), float(fade), -1)
        height += np.float32(high / 2.6) * blurred(ridge, wide / COARSE * 0.55)
    height += 2.6 * noise(rng, size, (60, 95)) + 0.8 * noise(rng, size, (24, 34))
    return height


def _shaded(light: float) -> tuple[float, float, float]:
    red, green, blue = CLOTH
    return light * red, light * green, light * blue


def _sew_inside(picture: Field) -> None:
    """The back's inside, which shows through the neck, with its label."""
    back, front = _across_middle(BACK_NECK), _across_middle(NECK)
    fill(picture, np.concatenate([back, moved(front[::-1], 0, 20)]), _shaded(0.58))
    fill(picture, np.concatenate([back, moved(back[::-1], 0, 34)]), _shaded(0.76))
    label = moved(np.array([(-44, 378), (44, 378), (44, 424), (-44, 424)]), MIDDLE, 0)
    shade(picture, moved(label, 2, 4), 4, 0.25)
    fill(picture, label, (0.80, 0.80, 0.77))
    for row, half in ((395, 26), (407, 17)):
        words = moved(np.array([(-half, row), (half, row), (half, row + 4), (-half, row + 4)]), MIDDLE, 0)
        fill(picture, words, (0.25, 0.27, 0.26))
    shade(picture, np.concatenate([moved(front, 0, -10), moved(front[::-1], 0, 30)]), 10, 0.34)


def _sew_seams(picture: Field) -> None:
    """Collar, armholes and hems: a dark line with a light one beside it, and rows of stitches."""
    collar = _across_middle(NECK)
    down = _across(collar)
    fill(picture, np.concatenate([collar, (collar + down * 50)[::-1]]), _shaded(0.98), 0.35)
    for rib in range(2, 6 * (len(collar) - 1) - 1):
        at, toward = _point(collar, rib / 6), _point(down, rib / 6)
        _line(picture, np.array([at + toward * 2, at + toward * 48]), 1.8, 0.04)
    _line(picture, collar + down * 50, 3, 0.18)
    _line(picture, collar + down * 53, 2.5, -0.10)
    _stitches(picture, collar + down * 62)
    for line in _both(ARMHOLE):
        _line(picture, line, 3, 0.16)
        _line(picture, moved(line, 3, 2), 2.5, -0.10)
    hems = [
        _across_middle(HEM) - (0, 48),
        *(line - (side * 21, 38) for side, line in zip((1, -1), _both(SLEEVE_HEM), strict=True)),
    ]
    for hem in hems:
        hem[[0, -1], 0] += np.sign(hem[-1, 0] - hem[0, 0]) * np.array([8, -8])  # inside the side seams
        _stitches(picture, hem)
        _stitches(picture, moved(hem, 0, -9))
        _line(picture, moved(hem, 0, 6), 3, 0.06)


def _point(line: Points, at: float) -> Points:
    return np.array([np.interp(at, np.arange(len(line)), line[:, k]) for k in (0, 1)])


def _across(line: Points) -> Points:
    """Unit vectors to the right of a line's direction."""
    along = np.gradient(line, axis=0)
    along /= np.linalg.norm(along, axis=1, keepdims=True)
    return np.stack([-along[:, 1], along[:, 0]], axis=1)


def _line(picture: Field, line: Points, wide: float, dark: float) -> None:
    """Darken (or, if negative, lighten) along a line."""
    side = _across(line) * wide / 2
    tone = (0.0, 0.0, 0.02) if dark > 0 else (1.0, 1.0, 1.0)
    fill(picture, np.concatenate([line + side, (line - side)[::-1]]), tone, abs(dark))


def _stitches(picture: Field, line: Points) -> None:
    length = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(line, axis=0), axis=1))])
    for start in np.arange(4, length[-1] - 9, 13):
        ends = [[np.interp(start + along, length, line[:, k]) for k in (0, 1)] for along in (0, 8)]
        _line(picture, np.array(ends), 2.4, 0.17)
