"""Wreaths, bouquets, ferns and mandalas."""

import numpy as np

from services.demo.drawing.canvas import Canvas, Pixels, ellipse, placed, smooth
from services.demo.drawing.lettering import words
from services.demo.drawing.shapes import flower, heart, leaf, petal, rose, sprig, star

BLUSH = ("#e8a0a5", "#d57a86", "#b3545f")
PLUM = ("#8e6c9b", "#6c4a7e", "#4b2f5c")
GREENS = ("#5f7f5c", "#7fa07a", "#3f5f48", "#a5b99a")


def wreath(rng: np.random.Generator) -> Pixels:
    canvas = Canvas(3600, 3600)
    u = canvas.unit
    for index in range(22):
        angle = index * 2 * np.pi / 22 + rng.uniform(-0.06, 0.06)
        start, bend = 370 + rng.uniform(-20, 20), 0.42
        turns = np.linspace(angle, angle + bend, 14)
        reach = np.linspace(start, start + rng.choice((-45, 55)), 14)
        path = np.stack([500 + reach * np.sin(turns), 500 - reach * np.cos(turns)], axis=1)
        sprig(canvas, path, 5, float(rng.uniform(46, 66)), GREENS[index % 4])
    for index, degrees in enumerate((205, 230, 178, 30, 55, 8)):
        at = np.radians(degrees)
        size = (88, 66, 60, 84, 62, 56)[index]
        rose(canvas, 500 + 375 * np.sin(at), 500 - 375 * np.cos(at), size, BLUSH if index % 2 == 0 else PLUM)
    for degrees in rng.uniform(0, 360, 16):
        at = np.radians(degrees)
        canvas.circle(500 + 410 * np.sin(at), 500 - 410 * np.cos(at), 11, "#d9a441")
    canvas.stamp(words("The Millers", 480 * u, weight=400, italic=True), 500, 480, "#3f4a3c")
    canvas.stamp(words("EST. 2019", 190 * u, weight=500), 500, 590, "#b3545f")
    return canvas.finished()


def bouquet(rng: np.random.Generator) -> Pixels:
    canvas = Canvas(3400, 4200)
    for index, lean in enumerate(np.linspace(-330, 330, 13)):
        top = 330 + abs(lean) * 0.5 + float(rng.uniform(-40, 40))
        path = smooth([(500, 1080), (500 + lean * 0.35, 800), (500 + lean, top - 140)], closed=False)
        sprig(canvas, path, 8, 92, GREENS[index % 4], width=0.36)
    blooms = ((500, 420, 150, BLUSH), (320, 540, 118, PLUM), (690, 535, 122, PLUM), (500, 660, 128, BLUSH))
    for x, y, size, colours in blooms:
        rose(canvas, x, y, size, colours, turn=float(rng.uniform(0, 90)))
    for x, y, size in ((205, 400, 80), (800, 395, 86), (385, 300, 74), (640, 290, 78), (350, 720, 64), (660, 725, 66)):
        flower(canvas, x, y, size, ("#fff8ef", "#f7d9c4", "#d9a441"), petals=9)
    canvas.polygon([(455, 960), (545, 960), (575, 1040), (425, 1040)], "#d57a86")
    for side in (-1, 1):
        loop = [(0, 0), (side * 70, -60), (side * 150, -50), (side * 150, 30), (side * 70, 40)]
        canvas.polygon(placed(smooth(loop), 500, 990), "#b3545f")
        canvas.polygon([(500, 1000), (500 + side * 110, 1180), (500 + side * 50, 1190)], "#b3545f")
    canvas.circle(500, 990, 34, "#8c3e4a")
    return canvas.finished()


def line_fern(rng: np.random.Generator) -> Pixels:
    """Pen drawing, black ink only."""
    canvas = Canvas(3000, 4000)
    for lean, height in ((-330, 0.8), (0, 1.0), (330, 0.86)):
        foot = np.array([500 + lean * 0.1, 1270])
        spine = smooth(
            [tuple(foot), (500 + lean * 0.4, 1270 - 600 * height), (500 + lean, 1270 - 1180 * height)], closed=False
        )
        canvas.line(spine, 6, "#000000")
        for index in range(6, len(spine)):
            step = spine[index] - spine[index - 1]
            along = np.degrees(np.arctan2(step[0], -step[1]))
            size = 150 * height * np.sin(np.pi * (0.12 + 0.86 * index / len(spine))) + float(rng.uniform(-6, 6))
            for side in (-66, 66):
                blade = placed(leaf(size, size * 0.2), *spine[index], turn=along + side)
                canvas.polygon(blade, "#000000")
    return canvas.finished()


def dandelion(rng: np.random.Generator) -> Pixels:
    """Fine white lines only."""
    canvas = Canvas(3200, 4000)
    canvas.line(smooth([(430, 1240), (470, 950), (440, 470)], closed=False), 10, "#ffffff")
    for turn in np.linspace(0, 360, 46, endpoint=False):
        _seed(canvas, 440 + 22 * np.sin(np.radians(turn)), 440, turn, float(rng.uniform(210, 300)))
    for x, y, turn in ((700, 180, 40), (830, 330, 62), (760, 190, 20), (880, 220, 55), (610, 170, 12), (930, 470, 75)):
        _seed(canvas, x, y, turn, 95)
    canvas.circle(440, 440, 34, "#ffffff")
    return canvas.finished()


def mandala(rng: np.random.Generator, colours: tuple[str, ...], folds: int, size: int = 3600) -> Pixels:
    """Rings of petals, beads, stars and lace; one colour makes it a line drawing with gaps."""
    canvas = Canvas(size, size)
    lines = len(colours) == 1
    for index, reach in enumerate(np.linspace(470, 70, 9)):
        colour, other = colours[index % len(colours)], colours[(index + 1) % len(colours)]
        count = folds * (2 if index % 3 == 0 else 1)
        kind = int(rng.integers(0, 4))
        for turn in np.arange(count) * 360 / count + (index % 2) * 180 / count:
            _motif(canvas, kind, reach, float(turn), count, (colour, "clear" if lines else other))
        canvas.ring(500, 500, reach * 0.72, 5, colour)
    canvas.circle(500, 500, 34, colours[0])
    return canvas.finished()


def _motif(canvas: Canvas, kind: int, reach: float, turn: float, count: int, colours: tuple[str, str]) -> None:
    at = (500 + reach * 0.62 * np.sin(np.radians(turn)), 500 - reach * 0.62 * np.cos(np.radians(turn)))
    wide, long = 2 * np.pi * reach * 0.85 / count, reach * 0.36
    if kind == 0:
        for share, colour in ((1.0, colours[0]), (0.72, colours[1]), (0.42, colours[0])):
            canvas.polygon(placed(petal(long, wide), *at, scale=share, turn=turn), colour)
    elif kind == 1:
        for share, colour in ((1.0, colours[0]), (0.6, colours[1])):
            canvas.polygon(placed(leaf(long * 1.05, wide * 0.8), *at, scale=share, turn=turn), colour)
        tip = (500 + reach * 1.02 * np.sin(np.radians(turn)), 500 - reach * 1.02 * np.cos(np.radians(turn)))
        canvas.circle(*tip, wide * 0.13, colours[0])
    elif kind == 2:
        middle = (500 + reach * 0.82 * np.sin(np.radians(turn)), 500 - reach * 0.82 * np.cos(np.radians(turn)))
        for share, colour in ((0.46, colours[0]), (0.32, colours[1]), (0.16, colours[0])):
            canvas.circle(*middle, min(wide, long) * share, colour)
    else:
        middle = (500 + reach * 0.84 * np.sin(np.radians(turn)), 500 - reach * 0.84 * np.cos(np.radians(turn)))
        shape = heart(1.0) if count < 14 else star(4, 0.5)
        for share, colour in ((0.5, colours[0]), (0.28, colours[1])):
            canvas.polygon(placed(shape, *middle, scale=min(wide, long) * share, turn=turn), colour)


def _seed(canvas: Canvas, x: float, y: float, turn: float, length: float) -> None:
    out = np.array([np.sin(np.radians(turn)), -np.cos(np.radians(turn))])
    tip = np.array([x, y]) + out * length
    canvas.line([(x, y), tuple(tip)], 2.6, "#ffffff")
    for fan in np.linspace(-58, 58, 9):
        angle = np.radians(turn + fan)
        canvas.line([tuple(tip), tuple(tip + 44 * np.array([np.sin(angle), -np.cos(angle)]))], 1.8, "#ffffff")
    canvas.polygon(ellipse(x + out[0] * 16, y + out[1] * 16, 4, 12, turn=-turn), "#ffffff")
