"""What the photograph's own light says about a surface: how it shades a print, and how its folds move it.

All lengths are pixels of the finished picture, whose longest side is the same for every photograph.
"""

from dataclasses import replace

import cv2
import numpy as np

from services.mockup.areas import Box, PrintArea
from services.mockup.light import Glow, Linear, Pixels, frozen, linear_rgb, luminance
from services.mockup.shapes import Flat
from services.mockup.template import Area

GRAIN, GLEAM = 1.2, 4.0  # blur that takes a sensor's noise away and leaves the weave
MARGIN = 160  # what is looked at around an area
PLAIN_PERCENTILE = 80  # the brightness of cloth or glaze that is neither in a fold's shadow nor a reflection
MOST_SHADE = 1.25
REFLECTION, SOFT = 1.045, 0.05  # times as bright as the surface around it
FOLD, DRAPE = 7.0, 60.0  # blurs: below the first it is weave, above the second it is the room's light
STEEP, MOST_SHIFT, SMOOTH = 600.0, 14.0, 8.0
MOST_STRETCH, WORST_PERCENTILE = 0.33, 99.9
SUPERSAMPLE = 2
CHART_STEP = 4  # supersampled pixels


def relieved(area: PrintArea, facts: Area, photo: Pixels) -> PrintArea:
    """The area with what it takes from the photograph (H, W, 3): light, and a chart if it is round or has folds."""
    if facts.shading or facts.highlights:
        area = replace(area, glow=_glow(area, facts, photo))
    if facts.displacement or not isinstance(area.surface, Flat):
        area = replace(area, chart=_chart(area, facts, photo))
    return area


def _glow(area: PrintArea, facts: Area, photo: Pixels) -> Glow:
    around, inside = _surroundings(area.box, photo)
    bright = luminance(linear_rgb(around))
    soft = np.asarray(cv2.GaussianBlur(bright, (0, 0), GRAIN), np.float32)[inside.slices]
    plain = max(float(np.percentile(soft[area.coverage > 0], PLAIN_PERCENTILE)), 1e-3)
    ratio = np.clip(soft / np.float32(plain), 0, MOST_SHADE)
    shade = frozen(np.asarray(1 + np.float32(facts.shading) * (ratio - 1), np.float32))
    if not facts.highlights:
        return Glow(shade, None)
    return Glow(shade, frozen(np.float32(facts.highlights) * _reflections(bright[inside.slices], area)))


def _reflections(bright: Linear, area: PrintArea) -> Linear:
    """How much of each pixel of the box is a reflection, 0 to 1: what is clearly brighter than the print area around.

    A white surface that faces the window is bright all over and reflects nothing; and less than that is grain.
    """
    inside = np.asarray(area.coverage > 0, np.float32)
    near = cv2.GaussianBlur(bright * inside, (0, 0), DRAPE) / (cv2.GaussianBlur(inside, (0, 0), DRAPE) + 1e-3)
    gleam = cv2.GaussianBlur(bright, (0, 0), GLEAM)
    excess = (gleam - np.float32(REFLECTION) * near) / np.maximum(1 - near, np.float32(0.05))
    clear = np.clip(excess, 0, 1)
    return np.asarray(clear * clear / (clear + np.float32(SOFT)), np.float32)  # begins gently, or its rim is grain


def _shift(area: PrintArea, strength: float, photo: Pixels) -> Linear:
    """How far the folds move a print at each pixel of its box, (h, w, 2).

    Light on cloth follows its slope, and where the slope changes the cloth is nearer or farther: the print follows the
    light's gradient. Light is compared with that of its surroundings, so that dark cloth counts as much as white.
    """
    around, inside = _surroundings(area.box, photo)
    bright = luminance(linear_rgb(around))
    fold, drape = (cv2.GaussianBlur(bright, (0, 0), sigma) for sigma in (FOLD, DRAPE))
    relative = np.asarray(fold / (drape + np.float32(1e-3)), np.float32)
    slopes = [cv2.Sobel(relative, cv2.CV_32F, *way, ksize=3, scale=1 / 8) for way in ((1, 0), (0, 1))]
    steep = np.stack(slopes, axis=-1)[inside.slices] * np.float32(STEEP)
    size = np.hypot(steep[..., 0], steep[..., 1])
    limited = np.tanh(size / MOST_SHIFT) * MOST_SHIFT / np.maximum(size, 1e-6)
    moves = np.asarray(cv2.GaussianBlur(steep * limited[..., None], (0, 0), SMOOTH), np.float32)
    return np.asarray(moves * np.float32(strength * min(1, MOST_STRETCH / _stretch(moves))), np.float32)


def _stretch(moves: Linear) -> float:
    """How much a shift (h, w, 2) stretches what it moves, nearly at its worst: 1 would fold it over itself."""
    changes = [cv2.Sobel(moves, cv2.CV_32F, *way, ksize=3, scale=1 / 8) for way in ((1, 0), (0, 1))]
    return max(float(np.percentile(np.hypot(*np.abs(changes)), WORST_PERCENTILE)), 1e-6)


def _chart(area: PrintArea, facts: Area, photo: Pixels) -> Linear:
    """For every few supersampled pixels, and a rim around, where in the unit square they lie.

    It is smooth, so a part of its pixels is enough: what is between them is interpolated when a design is drawn.
    """
    width, height = (side * SUPERSAMPLE for side in area.box.size)
    across, down = (np.arange(-(-side // CHART_STEP) + 2) - 0.5 for side in (width, height))
    x, y = (place * CHART_STEP / SUPERSAMPLE for place in (across, down))
    at = np.stack(np.broadcast_arrays(x[None, :], y[:, None]), axis=-1)
    if facts.displacement:
        moves = _shift(area, facts.displacement, photo)
        index = (at - 0.5).astype(np.float32)
        moved = cv2.remap(moves, index[..., 0], index[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        at = at + moved
    unit = area.surface.unit(at + np.array([area.box.left, area.box.top]))
    return frozen(np.asarray(unit, np.float32))


def _surroundings(box: Box, photo: Pixels) -> tuple[Pixels, Box]:
    height, width = photo.shape[:2]
    outer = Box(
        max(0, box.left - MARGIN),
        max(0, box.top - MARGIN),
        min(width, box.right + MARGIN),
        min(height, box.bottom + MARGIN),
    )
    return photo[outer.slices], box.within(outer)
