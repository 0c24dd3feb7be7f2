"""Shapes that several designs share, in canvas units."""

import numpy as np
from numpy.typing import NDArray

from services.demo.drawing.canvas import Canvas, ellipse, placed, smooth

Outline = NDArray[np.float64]


def star(spikes: int, inner: float, *, radius: float = 1.0) -> Outline:
    """A star around 0, 0, its first spike up; `inner` is the radius of the notches as a share of `radius`."""
    angle = np.arange(2 * spikes) * np.pi / spikes
    reach = np.where(np.arange(2 * spikes) % 2 == 0, radius, radius * inner)
    return np.stack([reach * np.sin(angle), -reach * np.cos(angle)], axis=1)


def heart(size: float = 1.0) -> Outline:
    """A heart around 0, 0, `size` from its middle to its side."""
    t = np.linspace(0, 2 * np.pi, 160, endpoint=False)
    x = 16 * np.sin(t) ** 3
    y = -(13 * np.cos(t) - 5 * np.cos(2 * t) - 2 * np.cos(3 * t) - np.cos(4 * t))
    return np.stack([x, y], axis=1) * size / 16


def leaf(length: float, width: float) -> Outline:
    """A leaf from 0, 0 to 0, -length."""
    t = np.linspace(0, 1, 30)
    half = width / 2 * np.sin(np.pi * t**0.8)
    side = np.stack([half, -t * length], axis=1)
    return np.concatenate([side, side[::-1] * (-1, 1)])


def petal(length: float, width: float) -> Outline:
    """A petal from 0, 0 to 0, -length, broadest near its tip."""
    t = np.linspace(0, 1, 30)
    half = width / 2 * np.sin(np.pi * t**1.6)
    side = np.stack([half, -t * length], axis=1)
    return np.concatenate([side, side[::-1] * (-1, 1)])


def flower(
    canvas: Canvas,
    x: float,
    y: float,
    radius: float,
    colours: tuple[str, str, str],
    *,
    petals: int = 8,
    turn: float = 0,
) -> None:
    """Two whorls of petals around an eye; colours: outer, inner, eye."""
    outer, inner, eye = colours
    for index in range(petals):
        blade = petal(radius, radius * 4.4 / petals)
        canvas.polygon(placed(blade, x, y, turn=turn + index * 360 / petals), outer)
    for index in range(petals):
        blade = petal(radius * 0.66, radius * 2.2 / petals)
        canvas.polygon(placed(blade, x, y, turn=turn + (index + 0.5) * 360 / petals), inner)
    canvas.circle(x, y, radius * 0.22, eye)


def rose(canvas: Canvas, x: float, y: float, radius: float, colours: tuple[str, str, str], *, turn: float = 0) -> None:
    """A rose seen from above: rings of round petals, darker towards its heart."""
    rings = ((1.0, 7, 0), (0.74, 6, 1), (0.5, 5, 2), (0.3, 4, 1), (0.16, 3, 2))
    for share, count, tone in rings:
        for index in range(count):
            angle = np.radians(turn + share * 70 + index * 360 / count)
            reach = radius * share * 0.62
            at = (x + reach * np.sin(angle), y - reach * np.cos(angle))
            canvas.ellipse(*at, radius * share * 0.52, radius * share * 0.44, colours[tone], turn=-np.degrees(angle))
            shade = colours[min(tone + 1, 2)]
            canvas.line(placed(_rim(radius * share * 0.46), *at, turn=np.degrees(angle)), radius * 0.035, shade)


def sprig(
    canvas: Canvas, path: Outline, leaves: int, length: float, colour: str, *, width: float = 0.42, stem: float = 5
) -> None:
    """A stem along `path` with pairs of leaves that get smaller to its tip."""
    canvas.line(path, stem, colour)
    for index in np.linspace(4, len(path) - 2, leaves).astype(int):
        direction = path[index] - path[index - 1]
        along = np.degrees(np.arctan2(direction[0], -direction[1]))
        size = length * (1.1 - 0.6 * index / len(path))
        for side in (-52, 52):
            canvas.polygon(placed(leaf(size, size * width), *path[index], turn=along + side), colour)
    tip = path[-1] - path[-2]
    turn = np.degrees(np.arctan2(tip[0], -tip[1]))
    canvas.polygon(placed(leaf(length * 0.6, length * width * 0.6), *path[-1], turn=turn), colour)


def pine(canvas: Canvas, x: float, foot: float, height: float, colour: str, *, tiers: int = 5) -> None:
    """A fir tree that stands at x, foot."""
    canvas.rectangle(x - height * 0.03, foot - height * 0.14, x + height * 0.03, foot, colour)
    for tier in range(tiers):
        top = foot - height + tier * height * 0.86 / tiers * 0.9
        half, deep = height * (0.1 + 0.17 * tier / tiers), height * 0.3
        notch = [(x - half * 0.5, top + deep * 0.92), (x + half * 0.5, top + deep * 0.92)]
        canvas.polygon([(x, top), (x + half, top + deep), notch[1], notch[0], (x - half, top + deep)], colour)


def ridge(
    rng: np.random.Generator, left: float, right: float, base: float, height: float, *, peaks: int = 6
) -> Outline:
    """A mountain skyline from left to right, closed along `base` + 2 * height."""
    x = np.linspace(left, right, peaks * 2 + 1)
    y = base - np.where(np.arange(len(x)) % 2 == 1, rng.uniform(0.55, 1, len(x)), rng.uniform(0, 0.3, len(x))) * height
    fine_x = np.linspace(left, right, 160)
    fine_y = np.interp(fine_x, x, y) + rng.normal(0, height * 0.018, 160)
    floor = base + 2 * height
    return np.concatenate([np.stack([fine_x, fine_y], axis=1), [(right, floor), (left, floor)]])


def palm(canvas: Canvas, x: float, foot: float, height: float, lean: float, colour: str) -> None:
    """A palm tree in silhouette; `lean` is how far its crown is off to the side."""
    trunk = smooth([(x, foot), (x + lean * 0.25, foot - height * 0.5), (x + lean, foot - height)], closed=False)
    canvas.line(trunk, height * 0.035, colour)
    crown = (x + lean, foot - height)
    for turn in (-118, -88, -58, -25, 20, 52, 84, 116):
        _frond(canvas, crown, turn, height * 0.42, colour)
    for nut in ((-0.03, 0.03), (0.03, 0.035), (0, 0.05)):
        canvas.circle(crown[0] + nut[0] * height, crown[1] + nut[1] * height, height * 0.028, colour)


def cloud(canvas: Canvas, x: float, y: float, size: float, colour: str) -> None:
    """A cloud whose flat bottom is `size` to each side of x."""
    for dx, dy, r in ((-0.62, -0.2, 0.3), (-0.22, -0.42, 0.42), (0.28, -0.34, 0.36), (0.66, -0.18, 0.26)):
        canvas.circle(x + dx * size, y + dy * size, r * size, colour)
    canvas.polygon(_pill(x, y - 0.1 * size, 1.84 * size, 0.32 * size), colour)


def _pill(x: float, y: float, wide: float, high: float) -> Outline:
    radius = high / 2
    right = ellipse(x + wide / 2 - radius, y, radius, radius, count=60)
    left = ellipse(x - wide / 2 + radius, y, radius, radius, count=60)
    return np.concatenate([right[45:], right[:15], left[15:45]])


def _rim(radius: float) -> Outline:
    angle = np.linspace(-1.1, 1.1, 20)
    return np.stack([radius * np.sin(angle), -radius * np.cos(angle)], axis=1)


def _frond(canvas: Canvas, crown: tuple[float, float], turn: float, length: float, colour: str) -> None:
    """A drooping palm leaf: a bent rib with a fringe on its lower side."""
    out = np.array([np.sin(np.radians(turn)), -np.cos(np.radians(turn))])
    t = np.linspace(0, 1, 24)[:, None]
    rib = np.array(crown) + out * length * t + np.array([0, 0.5 * length]) * t**2
    canvas.line(rib, length * 0.045, colour)
    for index in range(2, 24):
        reach = length * 0.3 * np.sin(np.pi * (0.12 + 0.85 * index / 24))
        droop = np.array([np.sign(out[0]) * 0.25, 0.97]) * reach
        canvas.polygon([rib[index] - out * length * 0.05, rib[index] + droop, rib[index] + out * length * 0.02], colour)
