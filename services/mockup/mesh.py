"""A surface of any form: a grid of points that lie on it, and a smooth sheet through them (Catmull-Rom splines)."""

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from services.mockup.faults import NotRenderable
from services.mockup.shapes import Points

FINE = 12  # samples of a cell's side, for outlines and checks
SEARCH = 256  # pixels of the map in which the nearest sample is looked up
TURNS = 3  # of Newton's method, from a sample that is a few pixels off
BEYOND = 1.0  # how far outside the unit square a point may come to lie
LEAST_SHARE = 1e-3  # of the average cell's area, under which the sheet is folded or crumpled to a line


class Spots(NamedTuple):
    """Points of the sheet (n, 2), and how they move along the rows and down the columns, per unit."""

    at: Points
    across: Points
    down: Points


@dataclass(frozen=True)
class Sheet:
    """Its points (rows, columns, 2) lie in equal steps over the unit square; a point moves only what is near it."""

    grid: Points

    @cached_property
    def outline(self) -> Points:
        """All round."""
        fine = self._fine
        return np.concatenate([fine[0], fine[1:, -1], fine[-1, -2::-1], fine[-2:0:-1, 0]])

    @property
    def lengths(self) -> tuple[float, float, float, float]:
        """The longest row and column, and the shortest: a sheet may be wider in its middle than at its edges."""
        steps = (np.hypot(*np.moveaxis(np.diff(self._fine, axis=axis), -1, 0)).sum(axis=axis) for axis in (1, 0))
        rows, columns = steps
        return float(rows.max()), float(columns.max()), float(rows.min()), float(columns.min())

    def photo(self, unit: Points) -> Points:
        """Points (n, 2) of the unit square in the photograph."""
        return self._spots(unit).at

    def unit(self, photo: Points) -> Points:
        """And back, found by Newton's method. Beyond its edge the sheet goes on straight."""
        wanted = photo.reshape(-1, 2)
        unit = self._nearest(wanted)
        for _ in range(TURNS):
            spots = self._spots(unit)
            unit = np.clip(unit + _step(spots, wanted - spots.at), -BEYOND, 1 + BEYOND)
        return unit.reshape(photo.shape)

    @cached_property
    def _padded(self) -> npt.NDArray[np.complex128]:
        """One more row and column on each side, which continue the sheet as it bends. x + iy: half as many sums."""
        grid = np.asarray(self.grid[..., 0] + 1j * self.grid[..., 1], np.complex128)
        return _continued(_continued(grid).T).T

    @cached_property
    def _fine(self) -> Points:
        return self.photo(self._samples)

    @cached_property
    def _samples(self) -> Points:
        rows, columns = (np.linspace(0, 1, (count - 1) * FINE + 1) for count in self.grid.shape[:2])
        return np.stack(np.meshgrid(columns, rows), axis=-1)

    def _spots(self, unit: Points) -> Spots:
        inside = np.clip(unit, 0, 1)
        column, across, across_slope = _weights(inside[..., 0], self.grid.shape[1])
        row, down, down_slope = _weights(inside[..., 1], self.grid.shape[0])
        at, per_across, per_down = (np.zeros(unit.shape[:-1], np.complex128) for _ in range(3))
        for i in range(4):
            points = [self._padded[row + i, column + j] for j in range(4)]
            in_row = sum(weight * point for weight, point in zip(across, points, strict=True))
            at += down[i] * in_row
            per_down += down_slope[i] * in_row
            per_across += down[i] * sum(weight * point for weight, point in zip(across_slope, points, strict=True))
        more = unit - inside
        at += more[..., 0] * per_across + more[..., 1] * per_down
        return Spots(_pairs(at), _pairs(per_across), _pairs(per_down))

    def _nearest(self, photo: Points) -> Points:
        """Of each point the nearest sample's place in the unit square, from a map of the samples."""
        low, high = photo.min(axis=0), photo.max(axis=0)
        scale = (SEARCH - 1) / max(float((high - low).max()), 1e-9)
        spots, units = (self._fine.reshape(-1, 2) - low) * scale, self._samples.reshape(-1, 2)
        near = ((spots > -1) & (spots < SEARCH)).all(axis=1)
        if not near.any():
            return np.full_like(photo, 0.5)
        x, y = np.clip(np.rint(spots[near]), 0, SEARCH - 1).astype(np.intp).T
        empty = np.full((SEARCH, SEARCH), 255, np.uint8)
        empty[y, x] = 0
        _, labels = cv2.distanceTransformWithLabels(empty, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
        starts = np.full((int(labels.max()) + 1, 2), 0.5)
        starts[labels[y, x]] = units[near]
        column, row = np.rint((photo - low) * scale).astype(np.intp).T
        return np.asarray(starts[labels[row, column]], np.float64)

    def thinnest(self) -> tuple[float, int, int]:
        """Its least area for a part of the design, as a share of the average (under 0: folded over), and where."""
        spots = self._spots(self._samples)
        areas = spots.across[..., 0] * spots.down[..., 1] - spots.across[..., 1] * spots.down[..., 0]
        row, column = np.unravel_index(int(areas.argmin()), areas.shape)
        average = max(abs(float(areas.mean())), 1e-9)
        return float(areas.min()) / average, round(int(row) / FINE) + 1, round(int(column) / FINE) + 1


def sheet(grid: Points) -> Sheet:
    """The sheet through a grid of points (rows, columns, 2).

    Raises:
        NotRenderable: it is folded over itself, so that a place in the photograph would show two of the design.
    """
    made = Sheet(grid)
    share, row, point = made.thinnest()
    if not share > LEAST_SHARE:
        raise NotRenderable(
            f"it is folded over itself near row {row}, point {point}; give the rows from top to bottom and "
            "the points of each from left to right, and cut what a fold hides off as an area of its own"
        )
    return made


def _weights(along: npt.NDArray[np.float64], count: int) -> tuple[npt.NDArray[np.intp], Points, Points]:
    """The first of the four padded points that a place depends on, what each weighs, and the weights' slopes."""
    place = along * (count - 1)
    cell = np.minimum(place.astype(np.intp), count - 2)
    t = place - cell
    t2, t3 = t * t, t * t * t
    weights = np.stack([-t3 + 2 * t2 - t, 3 * t3 - 5 * t2 + 2, -3 * t3 + 4 * t2 + t, t3 - t2]) / 2
    slopes = np.stack([-3 * t2 + 4 * t - 1, 9 * t2 - 10 * t, -9 * t2 + 8 * t + 1, 3 * t2 - 2 * t]) / 2 * (count - 1)
    return cell, weights, slopes


def _pairs(points: npt.NDArray[np.complex128]) -> Points:
    return np.stack([points.real, points.imag], axis=-1)


def _continued(grid: npt.NDArray[np.complex128]) -> npt.NDArray[np.complex128]:
    """A row more before the first and after the last: straight on from two, along a parabola from three."""
    if len(grid) == 2:
        before, after = 2 * grid[0] - grid[1], 2 * grid[1] - grid[0]
    else:
        before = 3 * grid[0] - 3 * grid[1] + grid[2]
        after = 3 * grid[-1] - 3 * grid[-2] + grid[-3]
    return np.concatenate([before[None], grid, after[None]])


def _step(spots: Spots, missing: Points) -> Points:
    """How far to go in the unit square to move by what is missing, by Cramer's rule."""
    (a, b), (c, d), (x, y) = (np.moveaxis(part, -1, 0) for part in (spots.across, spots.down, missing))
    area = a * d - b * c
    area = np.where(np.abs(area) < 1e-9, 1e-9, area)
    return np.stack([(x * d - y * c) / area, (y * a - x * b) / area], axis=-1)
