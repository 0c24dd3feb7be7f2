"""What the scenes are painted with: noise, blur, smooth outlines and a pinhole camera. Colours are sRGB, 0 to 1."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

Field = npt.NDArray[np.float32]
"""One number per pixel (h, w), or a colour (h, w, 3)."""
Points = npt.NDArray[np.float64]


def noise(rng: np.random.Generator, size: tuple[int, int], cell: tuple[float, float]) -> Field:
    """Smooth random hills, about -1 to 1, on (width, height) pixels; `cell` is a hill's width and height."""
    width, height = size
    grid = rng.standard_normal((int(height / cell[1]) + 4, int(width / cell[0]) + 4)).astype(np.float32)
    # Cut a rim off after enlarging: at the border cubic interpolation repeats itself.
    sx, sy = cell
    shift = np.array([[1 / sx, 0, 1.5], [0, 1 / sy, 1.5]], np.float64)
    flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    return np.asarray(cv2.warpAffine(grid, shift, (width, height), flags=flags, borderMode=cv2.BORDER_REFLECT)) * 0.5


def blurred(field: Field, sigma: float) -> Field:
    """Gaussian blur; wide ones at a lower resolution, where nothing is lost."""
    factor = max(1, int(sigma / 3))
    height, width = field.shape[:2]
    small = cv2.resize(field, (max(1, width // factor), max(1, height // factor)), interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(small, (0, 0), sigma / factor, borderType=cv2.BORDER_REFLECT)
    return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC), np.float32)


def filled(size: tuple[int, int], outline: Points) -> Field:
    """Coverage, 0 to 1, of an outline (n, 2) on (width, height) pixels, with soft edges."""
    mask = np.zeros((size[1], size[0]), np.uint8)
    cv2.fillPoly(mask, [np.rint((outline - 0.5) * 256).astype(np.int32)], 255, cv2.LINE_AA, shift=8)
    return np.asarray(mask, np.float32) / np.float32(255)


def fill(picture: Field, outline: Points, colour: Field | tuple[float, float, float], opacity: float = 1) -> None:
    """Paint an outline, in place; a colour may be a picture of the same size."""
    part, (left, top) = _part(picture, outline, 2)
    if part.size:
        mask = filled((part.shape[1], part.shape[0]), outline - (left, top)) * np.float32(opacity)
        if isinstance(colour, np.ndarray):
            colour = colour[top : top + part.shape[0], left : left + part.shape[1]]
        part += (np.asarray(colour, np.float32) - part) * mask[..., None]


def shade(picture: Field, outline: Points, sigma: float, strength: float) -> None:
    """Throw a soft shadow of an outline, in place."""
    part, corner = _part(picture, outline, int(3 * sigma))
    mask = blurred(filled((part.shape[1], part.shape[0]), outline - corner), sigma)
    part *= (1 - np.float32(strength) * mask)[..., None]


def lay(picture: Field, texture: Field, corners: Points) -> None:
    """Lay a flat texture onto four corners, in perspective, in place."""
    part, corner = _part(picture, corners, 2)
    height, width = texture.shape[:2]
    flat = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    matrix = cv2.getPerspectiveTransform(flat, (corners - corner).astype(np.float32))
    size = (part.shape[1], part.shape[0])
    seen = cv2.warpPerspective(texture, matrix, size, borderMode=cv2.BORDER_REPLICATE)
    part += (np.asarray(seen, np.float32).reshape(part.shape) - part) * filled(size, corners - corner)[..., None]


def _part(picture: Field, outline: Points, margin: int) -> tuple[Field, tuple[int, int]]:
    """The piece of a picture that holds an outline, and where it begins (x, y)."""
    low, high = np.floor(outline.min(axis=0)).astype(int) - margin, np.ceil(outline.max(axis=0)).astype(int) + margin
    left, top = max(0, int(low[0])), max(0, int(low[1]))
    return picture[top : max(0, int(high[1])), left : max(0, int(high[0]))], (left, top)


def curve(points: list[tuple[float, float]], steps: int = 24) -> Points:
    """A smooth open line through points (Catmull and Rom's spline), (n, 2)."""
    p = np.array([points[0], *points, points[-1]], np.float64)
    t = np.linspace(0, 1, steps, endpoint=False)[:, None]
    parts = [
        0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3)
        for a, b, c, d in zip(p, p[1:], p[2:], p[3:], strict=False)
    ]
    return np.concatenate([*parts, p[-1:]])


def moved(points: Points, *by: float) -> Points:
    """The same shape elsewhere."""
    return np.asarray(points + np.array(by))


def over(below: Field, colour: Field | tuple[float, float, float], mask: Field) -> Field:
    """Lay a colour over a picture where the mask is."""
    return below + (np.asarray(colour, np.float32) - below) * mask[..., None]


def tinted(light: Field, tone: tuple[float, float, float]) -> Field:
    """One shade of grey per pixel (h, w) into a colour's shades, (h, w, 3)."""
    return np.asarray(cv2.merge([light * np.float32(level) for level in tone]), np.float32)


def smooth(low: float, high: float, x: npt.NDArray[np.floating]) -> Field:
    """From 0 at `low` to 1 at `high`, without corners."""
    t = np.clip((x - low) / (high - low), 0, 1)
    return np.asarray(t * t * (3 - 2 * t), np.float32)


def finished(picture: Field, rng: np.random.Generator, grain: float = 0.006) -> npt.NDArray[np.uint8]:
    """To bytes, with a lens's darker corners and a sensor's grain, which also hides the steps of smooth shades."""
    height, width = picture.shape[:2]
    y, x = np.ogrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    vignette = (1 - 0.07 * (x**2 + y**2)).astype(np.float32)
    speckle = rng.standard_normal((height // 2, width // 2), np.float32) * np.float32(grain * 1.5)
    speckle = np.asarray(cv2.resize(speckle, (width, height), interpolation=cv2.INTER_LINEAR))
    codes = (picture * vignette[..., None] + speckle[..., None]) * 255 + 0.5
    return np.asarray(np.clip(codes, 0, 255), np.uint8)


@dataclass(frozen=True)
class Camera:
    """A pinhole camera at `eye`, looking at `target`; y is up. `focal` and `size` are in pixels."""

    eye: tuple[float, float, float]
    target: tuple[float, float, float]
    focal: float
    size: tuple[int, int]

    @property
    def axes(self) -> Points:
        """Right, down and forward, in rows."""
        forward = np.subtract(self.target, self.eye)
        forward = forward / np.linalg.norm(forward)
        right = np.cross(forward, (0, 1, 0))
        right = right / np.linalg.norm(right)
        return np.array([right, np.cross(forward, right), forward])

    def project(self, points: Sequence[tuple[float, float, float]] | Points) -> Points:
        """Where points of the scene appear, in pixels from the picture's edge, (n, 2)."""
        seen = (np.asarray(points, np.float64) - self.eye) @ self.axes.T
        return np.asarray(seen[:, :2] / seen[:, 2:] * self.focal + np.array(self.size) / 2)

    def rays(self, step: int, box: tuple[int, int, int, int]) -> Field:
        """Unit directions through every `step`-th pixel of the box (left, top, right, bottom), (h, w, 3)."""
        left, top, right, bottom = box
        x = (np.arange(left, right, step) + step / 2 - self.size[0] / 2) / self.focal
        y = (np.arange(top, bottom, step) + step / 2 - self.size[1] / 2) / self.focal
        along = np.stack(np.broadcast_arrays(x[None, :], y[:, None], 1.0), axis=-1) @ self.axes
        return np.asarray(along / np.linalg.norm(along, axis=-1, keepdims=True), np.float32)


def planks(rng: np.random.Generator, size: tuple[int, int], count: int) -> Field:
    """How light oak boards along x are, seen from above, about 1, (h, w)."""
    width, height = size
    wide = height / count
    board = np.minimum(np.arange(height) / wide, count - 1).astype(int)
    bend = noise(rng, size, (width / 2, wide / 2.5))
    start = (np.arange(height) / wide + rng.uniform(0, 9, count)[board]).astype(np.float32)
    rings = start[:, None] + bend * np.float32(0.9)
    figure = np.sin(rings * np.float32(17)) * np.float32(0.5) + noise(rng, size, (width / 3, wide / 9))
    fibre = noise(rng, size, (160, 2.2)) + 0.7 * noise(rng, size, (60, 1.3))
    pores = np.clip(noise(rng, size, (45, 1.6)) - 0.55, 0, None)
    light = 1 + 0.045 * figure + 0.03 * fibre - 0.22 * pores
    light *= (1 + 0.05 * rng.standard_normal(count))[board, None].astype(np.float32)
    away = np.abs(np.arange(height) % wide - wide / 2)
    light *= (1 - 0.55 * smooth(wide / 2 - 3, wide / 2 - 0.5, away.astype(np.float32)))[:, None]
    return np.asarray(light, np.float32)


def wood(light: Field, tone: tuple[float, float, float]) -> Field:
    """Boards in colour, (h, w, 3). Dark wood is redder: its blue changes most with the light."""
    channels = [level * (1 + share * (light - 1)) for level, share in zip(tone, (0.85, 1.0, 1.2), strict=True)]
    return np.asarray(cv2.merge(channels), np.float32)
