"""Print areas: what an outline covers, pixel by pixel, and what a design drawn into it needs to know."""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from services.mockup.faults import NotRenderable
from services.mockup.light import Glow, Linear, frozen, light_of
from services.mockup.mesh import sheet
from services.mockup.shapes import LEAST_PIXELS, Points, Surface, cylinder, flat, upright
from services.mockup.template import Area, Cylinder, Mesh, Polygon, Quad, Rectangle, Shape

SCANLINES = 16  # a pixel row; across the row coverage is exact
MOST_CROSSINGS = 4_000_000  # of an outline with scanlines; a traced shirt has a tenth of that


@dataclass(frozen=True, slots=True)
class Box:
    """Whole pixels: `left` and `top` are inside, `right` and `bottom` are not."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def size(self) -> tuple[int, int]:
        """Width and height."""
        return self.right - self.left, self.bottom - self.top

    @property
    def slices(self) -> tuple[slice, slice]:
        """Cut the box out of an array (H, W, ...)."""
        return slice(self.top, self.bottom), slice(self.left, self.right)

    def within(self, outer: "Box") -> "Box":
        """The same place, counted from the outer box's corner."""
        x, y = outer.left, outer.top
        return Box(self.left - x, self.top - y, self.right - x, self.bottom - y)

    def union(self, other: "Box") -> "Box":
        """The least box around both."""
        return Box(
            min(self.left, other.left),
            min(self.top, other.top),
            max(self.right, other.right),
            max(self.bottom, other.bottom),
        )


@dataclass(frozen=True, slots=True)
class PrintArea:
    """A place for a design, ready to be drawn into: its box in the photograph and its coverage of each pixel there.

    `width` and `height` are its proportions, `density` how many pixels it is long at most, per axis. `chart` holds a
    point of the unit square for every few pixels, where no homography says all (`relief.relieved`), and `glow` the
    photograph's light on it. `white` is what white ink looks like there, in linear light (3,).
    """

    box: Box
    coverage: Linear
    surface: Surface
    width: float
    height: float
    density: tuple[float, float]
    fit: str
    align: str
    vertical: str
    margin: float = 0
    blend: str = "normal"
    white: Linear | None = None
    chart: Linear | None = None
    glow: Glow | None = None

    @property
    def nbytes(self) -> int:
        """How much memory it takes, in bytes."""
        chart = 0 if self.chart is None else self.chart.nbytes
        return self.coverage.nbytes + chart + (self.glow.nbytes if self.glow else 0)


def print_area(
    area: Area, scale: tuple[float, float], photo_size: tuple[int, int], origin: tuple[float, float] = (0, 0)
) -> PrintArea:
    """Lay a print area over a photograph that was cut off before `origin` and scaled by `scale` to `photo_size`.

    All three are (x, y).

    Raises:
        NotRenderable: it has no area, lies outside, or its corners are no print area seen in perspective.
    """
    surface, outline = laid_out(area.shape, scale, origin)
    box = _clipped(outline.min(axis=0), outline.max(axis=0), photo_size)
    coverage = polygon_coverage(outline, box, area.opacity)
    if float(coverage.sum()) < LEAST_PIXELS * area.opacity:
        raise NotRenderable("less than one pixel of it lies in the photograph; draw the print area again")
    top, right, bottom, left = surface.lengths
    width, height = area.size_inches or ((top + bottom) / 2, (left + right) / 2)
    return PrintArea(
        box=box,
        coverage=coverage,
        surface=surface,
        width=width,
        height=height,
        density=(max(top, bottom), max(left, right)),
        fit=area.fit,
        align=area.align,
        vertical=area.vertical,
        margin=area.margin,
        blend=area.blend,
        white=None if area.white is None else light_of(area.white),
    )


def laid_out(shape: Shape, scale: tuple[float, float], origin: tuple[float, float] = (0, 0)) -> tuple[Surface, Points]:
    """A shape's surface and its outline, in the pixels of the scaled photograph; raises as above."""
    outline = (points_of(shape) - origin) * scale
    if not np.isfinite(outline).all():
        raise NotRenderable("a corner is not a finite number; draw the print area again")
    low, high = outline.min(axis=0), outline.max(axis=0)
    if (high - low).min() <= 0:
        raise NotRenderable("it has no area: all corners lie on one line; draw the print area again")
    if isinstance(shape, Quad):
        return flat(outline), outline
    if isinstance(shape, Cylinder):
        top, bottom = (np.array([shape.top, shape.bottom], np.float64) - origin) * scale
        turned = cylinder(outline, top, bottom, shape.angle)
        return turned, turned.outline
    if isinstance(shape, Mesh):
        through = sheet(outline.reshape(len(shape.rows), -1, 2))
        return through, through.outline
    return upright(low, high), outline


def points_of(shape: Shape) -> Points:
    """What a shape is given by, (n, 2), in the photograph's own pixels."""
    if isinstance(shape, Rectangle):
        left, top, right, bottom = shape.box
        return np.array([(left, top), (right, top), (right, bottom), (left, bottom)], np.float64)
    if isinstance(shape, Mesh):
        return np.array(shape.rows, np.float64).reshape(-1, 2)
    return np.asarray(shape.points if isinstance(shape, Polygon) else shape.corners, np.float64)


def polygon_coverage(polygon: Points, box: Box, opacity: float = 1) -> Linear:
    """How much of each pixel of the box lies inside the polygon (even-odd rule), (h, w) from 0 to the opacity.

    On each scanline the crossings come in pairs. Where one begins, all pixels to its right are covered, and the one
    it falls in by the part that is left of it; where it ends, the same is taken away. So the running sum along a row,
    averaged over its scanlines, is the coverage.
    """
    width, height = box.size
    line, x = _crossings(polygon, box)
    x = np.clip(x - box.left, 0, width)[np.lexsort((x, line))]
    row = np.sort(line) // SCANLINES
    sign = np.where(np.arange(len(x)) % 2 == 0, 1.0, -1.0) / SCANLINES
    pixel = np.floor(x).astype(np.intp)
    change = np.zeros((height, width + 2))
    np.add.at(change, (row, pixel), sign * (pixel + 1 - x))
    np.add.at(change, (row, pixel + 1), sign * (x - pixel))
    coverage = np.clip(np.cumsum(change, axis=1)[:, :width], 0, 1) * opacity
    return frozen(coverage.astype(np.float32))


def _crossings(polygon: Points, box: Box) -> tuple[npt.NDArray[np.intp], Points]:
    """Where the sides cross the box's scanlines: scanline and x, an even number of them on each scanline."""
    last = (box.bottom - box.top) * SCANLINES
    # A corner belongs to the first scanline at or below it, for both of its sides: so no crossing counts twice.
    corner = np.clip(np.ceil((polygon[:, 1] - box.top) * SCANLINES - 0.5), 0, last).astype(np.intp)
    following = np.roll(corner, -1)
    low, count = np.minimum(corner, following), np.abs(corner - following)
    if int(count.sum()) > MOST_CROSSINGS:
        raise NotRenderable("its outline goes up and down too often; draw it with fewer points")
    side = np.repeat(np.arange(len(polygon)), count)
    line = np.arange(len(side)) + np.repeat(low - (np.cumsum(count) - count), count)
    start, end = polygon[side], np.roll(polygon, -1, axis=0)[side]
    share = (box.top + (line + 0.5) / SCANLINES - start[:, 1]) / (end[:, 1] - start[:, 1])
    return line, start[:, 0] + share * (end[:, 0] - start[:, 0])


def _clipped(low: Points, high: Points, photo_size: tuple[int, int]) -> Box:
    width, height = photo_size
    left, top = (max(0, math.floor(value)) for value in low)
    right, bottom = min(width, math.ceil(high[0])), min(height, math.ceil(high[1]))
    if left >= right or top >= bottom:
        raise NotRenderable("it lies outside the photograph or its crop; draw it in the photograph's own pixels")
    return Box(left, top, right, bottom)
