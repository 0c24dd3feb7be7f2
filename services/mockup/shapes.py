"""The shapes of print areas: between the unit square (0, 0 is the top left) and the pixels of a photograph."""

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import cv2
import numpy as np
import numpy.typing as npt

from services.mockup.faults import NotRenderable

Points = npt.NDArray[np.float64]

LEAST_PIXELS = 1.0
ARC_STEPS = 48
TURNS = 4  # of the fixed point below; for a true cylinder the first is exact
UNIT = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float64)
MOST_BULGE = 4.0  # how much higher or lower the middle may be than the corners


class Surface(Protocol):
    """Where each point of a print lies in the photograph, and back."""

    @property
    def outline(self) -> Points: ...
    @property
    def lengths(self) -> tuple[float, float, float, float]: ...
    def photo(self, unit: Points) -> Points: ...
    def unit(self, photo: Points) -> Points: ...


@dataclass(frozen=True)
class Flat:
    """A rectangle in perspective: `to_photo` is the homography from the unit square, 3 x 3."""

    to_photo: Points

    @cached_property
    def outline(self) -> Points:
        """The corners."""
        return self.photo(UNIT)

    @property
    def lengths(self) -> tuple[float, float, float, float]:
        """Of the top, right, bottom and left side, in pixels."""
        return sides(self.outline)

    def photo(self, unit: Points) -> Points:
        """Points (n, 2) of the unit square in the photograph."""
        return projected(self.to_photo, unit)

    def unit(self, photo: Points) -> Points:
        """And back."""
        return projected(inverse(self.to_photo), photo)


@dataclass(frozen=True)
class Round:
    """A part of a cylinder, as a pinhole camera sees it.

    A point at the height v and the angle t from the print's middle is seen at M (v, sin t, cos t, 1), with some 3 x 4
    matrix M. Where cos t is that of the corners, this is the homography `chord` of their quad; nearer to the camera
    it is moved by `bulge`, which the middles of the upper and lower edge fix. Solving for t is solving
    a sin t + b cos t = c. `lean` is what the lower middle is moved sideways more than the upper one, as a cone's is.
    """

    chord: Points
    bulge: tuple[float, float, float]
    lean: float
    half: float

    @cached_property
    def outline(self) -> Points:
        """Along the upper edge and back along the lower one."""
        along = np.linspace(0, 1, ARC_STEPS + 1)
        upper, lower = (np.stack([along, np.full_like(along, v)], axis=1) for v in (0.0, 1.0))
        return self.photo(np.concatenate([upper, lower[::-1]]))

    @property
    def lengths(self) -> tuple[float, float, float, float]:
        """As of a flat print that is rolled round the cylinder."""
        top, right, bottom, left = sides(projected(self.chord, UNIT))
        rolled = self.half / math.sin(self.half)
        upper, lower = self.photo(np.array([[0.5, 0.0], [0.5, 1.0]]))
        middle = math.dist(upper, lower)
        return top * rolled, (right + middle) / 2, bottom * rolled, (left + middle) / 2

    def photo(self, unit: Points) -> Points:
        """Points (n, 2) of the unit square in the photograph."""
        angle = (unit[..., 0] * 2 - 1) * self.half
        v = unit[..., 1]
        sideways = (np.sin(angle) / math.sin(self.half) + 1) / 2
        depth = (np.cos(angle) - math.cos(self.half)) / (1 - math.cos(self.half))
        x, y, w = self.bulge
        moved = np.stack([sideways + depth * (x + self.lean * v), v + depth * y, 1 + depth * w], axis=-1)
        seen = moved @ self.chord.T
        return np.asarray(seen[..., :2] / seen[..., 2:])

    def unit(self, photo: Points) -> Points:
        """And back. Beyond the cylinder's visible edge it is the edge."""
        on_chord = projected(inverse(self.chord), photo)
        across, down = on_chord[..., 0], on_chord[..., 1]
        x, y, w = self.bulge
        rim, sine = math.cos(self.half), 1 / (2 * math.sin(self.half))
        v = down
        for _ in range(TURNS if self.lean else 1):
            cosine = (x + self.lean * v - w * across) / (1 - rim)
            reach = np.hypot(sine, cosine)
            level = (across - 0.5 + cosine * rim) / reach
            angle = np.arcsin(np.clip(level, -1, 1)) - np.arctan2(cosine, sine)
            depth = (np.cos(angle) - rim) / (1 - rim)
            v = (1 + depth * w) * down - depth * y
        return np.stack([(angle / self.half + 1) / 2, v], axis=-1)


def flat(corners: Points) -> Flat:
    """The rectangle whose corners are seen there.

    Raises:
        NotRenderable: no rectangle can be seen so.
    """
    return Flat(_unit_to(_convex(corners)))


def upright(low: Points, high: Points) -> Flat:
    """The box between two points."""
    return Flat(np.array([[high[0] - low[0], 0, low[0]], [0, high[1] - low[1], low[1]], [0, 0, 1]], np.float64))


def cylinder(corners: Points, top: Points, bottom: Points, degrees: float) -> Round:
    """The part of a cylinder whose corners and middles are seen there.

    Raises:
        NotRenderable: no cylinder can be seen so.
    """
    chord = _unit_to(_convex(corners))
    upper, lower = projected(inverse(chord), np.array([top, bottom]))
    tall = float(lower[1] - upper[1])
    if not 1 / MOST_BULGE < tall < MOST_BULGE or max(abs(upper[0] - 0.5), abs(lower[0] - 0.5)) > 0.5:
        raise NotRenderable(
            "the middles of its upper and lower edge don't belong to these corners; "
            "`top` lies on the upper edge half way round, `bottom` on the lower edge below it"
        )
    w = 1 / tall
    bulge = (w * float(upper[0]) - 0.5, w * float(upper[1]), w - 1)
    return Round(chord, bulge, w * float(lower[0] - upper[0]), math.radians(degrees) / 2)


def projected(matrix: Points, points: Points) -> Points:
    """Points (..., 2) through a homography."""
    seen = points @ matrix[:, :2].T + matrix[:, 2]
    return np.asarray(seen[..., :2] / seen[..., 2:])


def inverse(matrix: Points) -> Points:
    """The way back."""
    return np.asarray(np.linalg.inv(matrix), np.float64)


def sides(quad: Points) -> tuple[float, float, float, float]:
    """The lengths of the top, right, bottom and left side."""
    top, right, bottom, left = (math.dist(quad[i], quad[(i + 1) % 4]) for i in range(4))
    return top, right, bottom, left


def _convex(corners: Points) -> Points:
    """Check that four points can be a rectangle seen in perspective: convex, and in the order of the corners."""
    edges = np.roll(corners, -1, axis=0) - corners
    following = np.roll(edges, -1, axis=0)
    turns = edges[:, 0] * following[:, 1] - edges[:, 1] * following[:, 0]
    # A turn's size is twice the area of the triangle at that corner; under a pixel it is a line.
    if not (turns > LEAST_PIXELS).all():
        raise NotRenderable(
            "its sides cross or three corners lie on one line; "
            "give the corners in the order top left, top right, bottom right, bottom left"
        )
    return corners


def _unit_to(quad: Points) -> Points:
    """The homography from the unit square to a quad, 3 x 3."""
    # OpenCV takes float32 corners; solving around the quad's own corner keeps their last bits.
    origin = quad[0]
    near = (quad - origin).astype(np.float32)
    matrix = np.asarray(cv2.getPerspectiveTransform(UNIT.astype(np.float32), near), np.float64)
    return np.array([[1, 0, origin[0]], [0, 1, origin[1]], [0, 0, 1]]) @ matrix
