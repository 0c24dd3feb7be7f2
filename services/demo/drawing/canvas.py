"""A print-size canvas: anti-aliased shapes in premultiplied RGBA, handed out with the straight alpha of PNG files."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
Points = NDArray[np.float64] | Sequence[tuple[float, float]]

SHIFT = 4
"""Fraction bits of OpenCV's fixed-point coordinates: shapes are placed to 1/16 pixel."""


CLEAR = "clear"
"""A colour that takes ink away: shapes drawn in it are holes."""


def rgba(colour: str) -> tuple[int, int, int, int]:
    """`#rrggbb` as four channels, opaque."""
    if colour == CLEAR:
        return 0, 0, 0, 0
    red, green, blue = bytes.fromhex(colour.removeprefix("#"))
    return red, green, blue, 255


class Canvas:
    """A transparent sheet whose width is 1000 units, whatever its pixels; y grows downwards.

    Opaque colours blended over premultiplied pixels give the right alpha at every edge, so OpenCV's own anti-aliased
    drawing can be used on all four channels at once.
    """

    def __init__(self, width: int, height: int) -> None:
        self.pixels: Pixels = np.zeros((height, width, 4), np.uint8)
        self.unit = width / 1000
        self.height = height / self.unit

    def polygon(self, points: Points, colour: str) -> None:
        cv2.fillPoly(self.pixels, [self._fixed(points)], rgba(colour), cv2.LINE_AA, SHIFT)

    def line(self, points: Points, width: float, colour: str, *, closed: bool = False) -> None:
        """A line through the points, with round joints."""
        thickness = max(round(width * self.unit), 1)
        cv2.polylines(self.pixels, [self._fixed(points)], closed, rgba(colour), thickness, cv2.LINE_AA, SHIFT)

    def circle(self, x: float, y: float, radius: float, colour: str) -> None:
        centre, reach = self._fixed([(x, y)])[0], round(radius * self.unit * 2**SHIFT)
        cv2.circle(self.pixels, (int(centre[0]), int(centre[1])), reach, rgba(colour), cv2.FILLED, cv2.LINE_AA, SHIFT)

    def ring(self, x: float, y: float, radius: float, width: float, colour: str) -> None:
        self.line(ellipse(x, y, radius, radius, count=360), width, colour, closed=True)

    def ellipse(self, x: float, y: float, wide: float, high: float, colour: str, *, turn: float = 0.0) -> None:
        """`wide` and `high` are half axes; `turn` is in degrees."""
        self.polygon(ellipse(x, y, wide, high, turn=turn), colour)

    def rectangle(self, left: float, top: float, right: float, bottom: float, colour: str) -> None:
        self.polygon([(left, top), (right, top), (right, bottom), (left, bottom)], colour)

    def stamp(self, mask: Pixels, x: float, y: float, colour: str) -> None:
        """Print `mask` (pixels) in one colour, centred on x, y (units); what lies outside the canvas is cut off."""
        self._blend(mask, rgba(colour), x, y)

    def paint(self, picture: Pixels, x: float, y: float) -> None:
        """Lay a premultiplied RGBA picture (pixels) over the canvas, centred on x, y (units)."""
        target, source = self._windows(picture.shape[1], picture.shape[0], x, y)
        part, under = np.ascontiguousarray(picture[source]), np.ascontiguousarray(self.pixels[target])
        rest = cv2.bitwise_not(np.ascontiguousarray(part[..., 3]))
        self.pixels[target] = cv2.add(part, cv2.multiply(under, cv2.merge([rest] * 4), scale=1 / 255))

    def erase(self, mask: Pixels, x: float, y: float) -> None:
        """Take the ink away where `mask` is 255."""
        self._blend(mask, rgba(CLEAR), x, y)

    def keep(self, mask: Pixels) -> None:
        """Keep only what lies under `mask`, which is as large as the canvas."""
        self.pixels = cv2.multiply(self.pixels, cv2.merge([mask] * 4), scale=1 / 255).astype(np.uint8, copy=False)

    def finished(self) -> Pixels:
        """The drawing with straight alpha; RGB is 0 where alpha is 0."""
        alpha = np.ascontiguousarray(self.pixels[..., 3])
        edge = np.flatnonzero((alpha > 0) & (alpha < 255))
        pixels: Pixels = self.pixels.copy()
        flat = pixels.reshape(-1, 4)
        cover = flat[edge, 3:].astype(np.uint16)
        flat[edge, :3] = np.minimum((flat[edge, :3].astype(np.uint16) * 255 + cover // 2) // cover, 255)
        return pixels

    def _fixed(self, points: Points) -> NDArray[np.int32]:
        scaled: NDArray[np.int32] = np.rint(np.asarray(points, np.float64) * (self.unit * 2**SHIFT)).astype(np.int32)
        return scaled

    def _blend(self, mask: Pixels, ink: tuple[int, int, int, int], x: float, y: float) -> None:
        left, top, wide, high = cv2.boundingRect(mask)
        shift = ((left + wide / 2 - mask.shape[1] / 2) / self.unit, (top + high / 2 - mask.shape[0] / 2) / self.unit)
        target, source = self._windows(wide, high, x + shift[0], y + shift[1])
        cover = np.ascontiguousarray(mask[top : top + high, left : left + wide][source])
        if not cover.size:
            return
        under = np.ascontiguousarray(self.pixels[target])
        kept = cv2.multiply(under, cv2.merge([cv2.bitwise_not(cover)] * 4), scale=1 / 255)
        steps = np.arange(256, dtype=np.float64) / 255
        added = cv2.merge([cv2.LUT(cover, np.rint(steps * channel).astype(np.uint8)) for channel in ink])
        self.pixels[target] = cv2.add(kept, added)

    def _windows(self, wide: int, high: int, x: float, y: float) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
        """The part of the canvas that a picture of this size covers, and the part of the picture that it shows."""
        left, top = round(x * self.unit - wide / 2), round(y * self.unit - high / 2)
        rows, columns = self.pixels.shape[:2]
        x0, x1 = max(left, 0), max(min(left + wide, columns), left, 0)
        y0, y1 = max(top, 0), max(min(top + high, rows), top, 0)
        return (slice(y0, y1), slice(x0, x1)), (slice(y0 - top, y1 - top), slice(x0 - left, x1 - left))


def ellipse(
    x: float, y: float, wide: float, high: float, *, turn: float = 0.0, count: int = 120
) -> NDArray[np.float64]:
    """Points on an ellipse; `turn` in degrees."""
    angle = np.linspace(0, 2 * np.pi, count, endpoint=False)
    return placed(np.stack([wide * np.cos(angle), high * np.sin(angle)], axis=1), x, y, turn=turn)


def placed(shape: Points, x: float, y: float, *, scale: float = 1.0, turn: float = 0.0) -> NDArray[np.float64]:
    """`shape`, drawn around 0, 0, scaled, turned (degrees, clockwise on screen) and moved."""
    angle = np.radians(turn)
    rotation = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    moved: NDArray[np.float64] = np.asarray(shape, np.float64) @ rotation * scale + (x, y)
    return moved


def smooth(points: Points, *, closed: bool = True, steps: int = 16) -> NDArray[np.float64]:
    """A Catmull-Rom curve through the points."""
    corner = np.asarray(points, np.float64)
    if closed:
        corner = np.concatenate([corner[-1:], corner, corner[:2]])
    else:
        corner = np.concatenate([corner[:1], corner, corner[-1:]])
    t = np.linspace(0, 1, steps, endpoint=False)[:, None, None]
    before, start, end, after = corner[:-3], corner[1:-2], corner[2:-1], corner[3:]
    curve = 0.5 * (
        2 * start
        + (end - before) * t
        + (2 * before - 5 * start + 4 * end - after) * t**2
        + (3 * start - before - 3 * end + after) * t**3
    )
    # steps run along axis 0 and corners along axis 1: swap, so that the points follow the curve
    path: NDArray[np.float64] = curve.transpose(1, 0, 2).reshape(-1, 2)
    return path if closed else np.concatenate([path, corner[-1:]])
