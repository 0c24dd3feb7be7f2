"""From a flat design to the pixels of a print area: reduced first, warped at twice the size, then halved."""

from collections.abc import Iterable
from dataclasses import dataclass

import cv2
import numpy as np

from services.mockup.areas import PrintArea
from services.mockup.light import Linear, Pixels, frozen, linear_premultiplied
from services.mockup.relief import CHART_STEP, SUPERSAMPLE
from services.mockup.shapes import Flat, Points

BAND_ROWS = 64  # small enough to stay in the processor's cache
PAD = 2 * SUPERSAMPLE  # pixels of a reduced design that can reach into a pixel of the photograph
TOUCHING = 1e-6
SHARES = {"left": 0.0, "center": 0.5, "right": 1.0, "top": 0.0, "middle": 0.5, "bottom": 1.0}


def placement(area: PrintArea, width: int, height: int) -> tuple[float, float, float, float]:
    """Where a design of this size lies in the unit square of a print area: left, top, right, bottom.

    Contained, it is fitted inside. Covering, it fills the area, and what sticks out is cut off. Either way the
    alignments say where the free or the lost part is. Stretched, its proportions become the area's. A margin is left
    free all round, but where the design is to cover all.
    """
    edge = 0.0 if area.fit == "cover" else area.margin * min(area.width, area.height)
    left, top = edge / area.width, edge / area.height
    wide, high = 1 - 2 * left, 1 - 2 * top
    if area.fit == "stretch":
        return left, top, left + wide, top + high
    across, down = area.width * wide / width, area.height * high / height
    scale = max(across, down) if area.fit == "cover" else min(across, down)
    w, h = width * scale / area.width, height * scale / area.height
    left += (wide - w) * SHARES[area.align]
    top += (high - h) * SHARES[area.vertical]
    return left, top, left + w, top + h


def reduced_size(area: PrintArea, width: int, height: int) -> tuple[int, int]:
    """The size a design is reduced to before it is warped: the supersampled size of its place, never larger."""
    left, top, right, bottom = placement(area, width, height)
    wide = round(SUPERSAMPLE * (right - left) * area.density[0])
    high = round(SUPERSAMPLE * (bottom - top) * area.density[1])
    return max(1, min(width, wide)), max(1, min(height, high))


@dataclass(frozen=True, slots=True)
class FlatDesign:
    """A design as premultiplied linear light (h, w, 4), no larger than needed; `width` and `height` before that."""

    light: Linear
    width: int
    height: int


def flat_design(design: Pixels, areas: Iterable[PrintArea]) -> FlatDesign:
    """Reduce a design (H, W, 4, straight-alpha sRGB) by area, to the largest size that one of the print areas asks for.

    Row by row first, then column by column, which is the same and never holds the full size as floats.
    """
    rows, columns = design.shape[:2]
    wanted = [reduced_size(area, columns, rows) for area in areas] or [(1, 1)]
    width, height = (max(sides) for sides in zip(*wanted, strict=True))
    narrow = np.empty((rows, width, 4), np.float32)
    for top in range(0, rows, BAND_ROWS):
        band, place = design[top : top + BAND_ROWS], narrow[top : top + BAND_ROWS]
        if band.any():
            place[:] = cv2.resize(linear_premultiplied(band), (width, len(band)), interpolation=cv2.INTER_AREA)
        else:  # a design that is wider than high has as much above and below it
            place[:] = 0
    light = np.asarray(cv2.resize(narrow, (width, height), interpolation=cv2.INTER_AREA), np.float32)
    return FlatDesign(frozen(light), columns, rows)


def warped(design: FlatDesign, area: PrintArea) -> Linear:
    """Warp a design onto a print area: premultiplied linear light for the pixels of `area.box`, (h, w, 4).

    It reaches beyond the area where the design is cut off there; the area's coverage does the cutting.
    """
    place = placement(area, design.width, design.height)
    size = reduced_size(area, design.width, design.height)
    flat = _padded(cv2.resize(design.light, size, interpolation=cv2.INTER_AREA), place)
    if area.chart is None:
        large = _through_homography(flat, area, _into_unit(size, place))
    else:
        large = _through_chart(flat, area, area.chart, _into_unit(size, place))
    return np.asarray(cv2.resize(large, area.box.size, interpolation=cv2.INTER_AREA), np.float32)


def _through_homography(flat: Linear, area: PrintArea, into_unit: Points) -> Linear:
    if not isinstance(area.surface, Flat):
        raise TypeError("only a flat print area is drawn without a chart")
    width, height = area.box.size
    large = cv2.warpPerspective(
        flat,
        _supersampled(area) @ area.surface.to_photo @ into_unit,
        (width * SUPERSAMPLE, height * SUPERSAMPLE),
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=(0, 0, 0, 0),
    )
    return np.asarray(large, np.float32)


def _through_chart(flat: Linear, area: PrintArea, chart: Linear, into_unit: Points) -> Linear:
    """Look up each supersampled pixel where the chart says. What folds bring from beyond the rim is like the rim."""
    # into_unit only scales and shifts, so its inverse does
    scale, start = np.diag(into_unit)[:2], into_unit[:2, 2]
    index = ((chart - start) / scale).astype(np.float32)
    width, height = (side * SUPERSAMPLE for side in area.box.size)
    whole = cv2.resize(
        index, (index.shape[1] * CHART_STEP, index.shape[0] * CHART_STEP), interpolation=cv2.INTER_LINEAR
    )
    cut = np.asarray(whole, np.float32)[CHART_STEP : CHART_STEP + height, CHART_STEP : CHART_STEP + width]
    seen = cv2.remap(flat, cut[..., 0], cut[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(seen, np.float32)


def _padded(flat: cv2.typing.MatLike, place: tuple[float, float, float, float]) -> Linear:
    """Add a rim: more of the same where the design reaches the area's edge, nothing where it ends inside.

    Without it a pixel on the area's edge would be faded twice, by the design's own edge and by the coverage.
    """
    left, top, right, bottom = place
    reaches = (top <= TOUCHING, bottom >= 1 - TOUCHING, left <= TOUCHING, right >= 1 - TOUCHING)
    up, down, west, east = (PAD if side else 0 for side in reaches)
    flat = cv2.copyMakeBorder(flat, up, down, west, east, cv2.BORDER_REPLICATE)
    up, down, west, east = PAD - up, PAD - down, PAD - west, PAD - east
    return np.asarray(cv2.copyMakeBorder(flat, up, down, west, east, cv2.BORDER_CONSTANT, value=0), np.float32)


def _into_unit(size: tuple[int, int], place: tuple[float, float, float, float]) -> Points:
    """From a padded design's pixel indexes to the unit square. OpenCV's index 0 is the middle of the first pixel."""
    left, top, right, bottom = place
    x, y = (right - left) / size[0], (bottom - top) / size[1]
    return np.array([[x, 0, left + (0.5 - PAD) * x], [0, y, top + (0.5 - PAD) * y], [0, 0, 1]])


def _supersampled(area: PrintArea) -> Points:
    """From the photograph's pixels, counted from its edge, to indexes in the supersampled box."""
    s = SUPERSAMPLE
    return np.array([[s, 0, -s * area.box.left - 0.5], [0, s, -s * area.box.top - 0.5], [0, 0, 1]], np.float64)
