"""Print areas: what a mask's polygon covers, pixel by pixel, and where its four corners lie."""

import math
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from services.mockup.faults import Unusable
from services.mockup.light import Linear
from shared.contracts import Mask

Points = npt.NDArray[np.float64]

SCANLINES = 16  # a pixel row; across the row coverage is exact
LEAST_PIXELS = 1.0


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
    """A mask, ready to be drawn into: its box in the photograph, its coverage of each pixel there, its corners.

    `to_photo` takes the unit square (0, 0 at the top left) to the photograph, in pixels counted from the photograph's
    outer edge. `width` and `height` are the mean lengths of opposite sides, `density` the longest, per axis.
    """

    box: Box
    coverage: Linear
    to_photo: Points
    width: float
    height: float
    density: tuple[float, float]
    is_cropped: bool
    alignment: str


def print_area(mask: Mask, scale: tuple[float, float], photo_size: tuple[int, int]) -> PrintArea:
    """Lay a mask over a photograph that was scaled by `scale` (x, y) to `photo_size` (width, height).

    Raises:
        Unusable: it has no area, lies outside, or its four corners are no print area seen in perspective.
    """
    polygon = np.asarray(mask.polygon, np.float64) * scale
    if not np.isfinite(polygon).all():
        raise Unusable("a corner is not a finite number; draw the print area again")
    low, high = polygon.min(axis=0), polygon.max(axis=0)
    if (high - low).min() <= 0:
        raise Unusable("it has no area: all corners lie on one line; draw the print area again")
    box = _clipped(low, high, photo_size)
    quad = _corners(polygon) if mask.perspective else np.array([low, (high[0], low[1]), high, (low[0], high[1])])
    coverage = polygon_coverage(polygon, box)
    if float(coverage.sum()) < LEAST_PIXELS:
        raise Unusable("less than one pixel of it lies in the photograph; draw the print area again")
    top, right, bottom, left = (math.dist(quad[i], quad[(i + 1) % 4]) for i in range(4))
    return PrintArea(
        box=box,
        coverage=coverage,
        to_photo=_unit_to(quad),
        width=(top + bottom) / 2,
        height=(left + right) / 2,
        density=(max(top, bottom), max(left, right)),
        is_cropped=mask.is_cropped,
        alignment=mask.alignment,
    )


def polygon_coverage(polygon: Points, box: Box) -> Linear:
    """How much of each pixel of the box lies inside the polygon (even-odd rule), (h, w) from 0 to 1.

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
    coverage = np.clip(np.cumsum(change, axis=1)[:, :width], 0, 1).astype(np.float32)
    coverage.setflags(write=False)
    return coverage


def _crossings(polygon: Points, box: Box) -> tuple[npt.NDArray[np.intp], Points]:
    """Where the sides cross the box's scanlines: scanline and x, an even number of them on each scanline."""
    last = (box.bottom - box.top) * SCANLINES
    # A corner belongs to the first scanline at or below it, for both of its sides: so no crossing counts twice.
    corner = np.clip(np.ceil((polygon[:, 1] - box.top) * SCANLINES - 0.5), 0, last).astype(np.intp)
    following = np.roll(corner, -1)
    low, count = np.minimum(corner, following), np.abs(corner - following)
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
        raise Unusable("it lies outside the photograph; draw it in the photograph's own pixels")
    return Box(left, top, right, bottom)


def _corners(polygon: Points) -> Points:
    """Check that four points can be a rectangle seen in perspective: convex, and in the order of the corners."""
    if len(polygon) != 4:
        raise Unusable(f"a print area in perspective has 4 corners, this one has {len(polygon)}")
    edges = np.roll(polygon, -1, axis=0) - polygon
    following = np.roll(edges, -1, axis=0)
    turns = edges[:, 0] * following[:, 1] - edges[:, 1] * following[:, 0]
    # A turn's size is twice the area of the triangle at that corner; under a pixel it is a line.
    if not (turns > LEAST_PIXELS).all():
        raise Unusable(
            "its sides cross or three corners lie on one line; "
            "give the corners in the order top left, top right, bottom right, bottom left"
        )
    return polygon


def _unit_to(quad: Points) -> Points:
    """The homography from the unit square to a quad, 3 x 3."""
    unit = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float32)
    # OpenCV takes float32 corners; solving around the quad's own corner keeps their last bits.
    origin = quad[0]
    matrix = np.asarray(cv2.getPerspectiveTransform(unit, (quad - origin).astype(np.float32)), np.float64)
    return np.array([[1, 0, origin[0]], [0, 1, origin[1]], [0, 0, 1]]) @ matrix
