"""Animals, mushrooms and planets built from simple shapes."""

import numpy as np

from services.demo.drawing.canvas import CLEAR, Canvas, Pixels, ellipse, placed, smooth
from services.demo.drawing.lettering import words
from services.demo.drawing.shapes import heart, leaf, star


def fox(_: np.random.Generator) -> Pixels:
    """A face of flat triangles; right half mirrored, a shade darker."""
    canvas = Canvas(3400, 3400)
    facets = (
        ([(500, 330), (260, 110), (215, 420)], "#e76f2c", "#cf5b1e"),
        ([(280, 175), (245, 390), (380, 290)], "#5b2a1a", "#4a2013"),
        ([(500, 330), (215, 420), (330, 560)], "#f4883c", "#de732b"),
        ([(215, 420), (120, 560), (330, 560)], "#fff1e0", "#f1dcc4"),
        ([(120, 560), (330, 560), (400, 760)], "#f7dcc0", "#e8c8a6"),
        ([(500, 330), (330, 560), (500, 640)], "#ef7a30", "#d96822"),
        ([(330, 560), (400, 760), (500, 640)], "#fff7ee", "#f3e3d1"),
        ([(400, 760), (500, 640), (500, 870)], "#f4883c", "#de732b"),
        ([(430, 790), (500, 780), (500, 870)], "#2b1a14", "#20120d"),
        ([(292, 552), (340, 508), (392, 530), (352, 566)], "#2b1a14", "#2b1a14"),
    )
    for points, left, right in facets:
        canvas.polygon(points, left)
        canvas.polygon([(1000 - x, y) for x, y in points], right)
    for x in (346, 654):
        canvas.circle(x, 528, 10, "#ffffff")
    return canvas.finished()


def whale(_: np.random.Generator) -> Pixels:
    canvas = Canvas(4200, 3000)
    body = [(120, 420), (210, 270), (420, 210), (640, 260), (790, 400), (850, 380), (870, 250), (800, 170)]
    tail = [(900, 190), (960, 130), (965, 240), (925, 330), (900, 470), (790, 600), (560, 670), (300, 640), (160, 550)]
    canvas.polygon(smooth(body + tail), "#3d6f9e")
    belly = [(125, 460), (300, 520), (520, 520), (720, 600), (560, 672), (300, 642), (165, 555)]
    canvas.polygon(smooth(belly), "#dfeaf3")
    for index in range(6):
        canvas.line(
            smooth(
                [(190 + index * 70, 505 + index * 6), (215 + index * 70, 570), (250 + index * 68, 630)], closed=False
            ),
            5,
            "#9fbdd6",
        )
    canvas.circle(255, 420, 22, "#14293d")
    canvas.circle(262, 413, 7, "#ffffff")
    canvas.polygon(smooth([(430, 560), (540, 590), (560, 700), (470, 660)]), "#2d5680")
    for turn, reach in ((-38, 150), (-14, 185), (14, 185), (38, 150)):
        spray = [(0, 0), (reach * 0.12, -reach * 0.6), (reach * 0.5, -reach * 0.8)]
        canvas.line(placed(smooth(spray, closed=False), 400, 205, turn=turn), 12, "#7fb7d9")
    for x, y, size in ((80, 300, 12), (60, 620, 18), (960, 560, 14), (930, 640, 8)):
        canvas.ring(x, y, size, 5, "#7fb7d9")
    return canvas.finished()


def bees(rng: np.random.Generator) -> Pixels:
    canvas = Canvas(3600, 3600)
    golds = ("#f6bd27", "#e9a319", "#ffd35c", "#d98e04")
    for row in range(7):
        for column in range(7):
            x, y = 130 + column * 122 + (row % 2) * 61, 140 + row * 106
            if np.hypot(x - 480, y - 470) < 400 and rng.uniform() < 0.88:
                canvas.polygon(placed(ellipse(0, 0, 62, 62, count=6), x, y, turn=30), golds[int(rng.integers(4))])
                canvas.polygon(placed(ellipse(0, 0, 44, 44, count=6), x, y, turn=30), "#ffe9a8")
    for x, y, turn in ((300, 300, -25), (660, 520, 20), (380, 690, 10)):
        _bee(canvas, x, y, turn)
    canvas.stamp(words("bee kind", 700 * canvas.unit, weight=800, italic=True), 520, 925, "#3a2a12")
    return canvas.finished()


def mushrooms(rng: np.random.Generator) -> Pixels:
    canvas = Canvas(3500, 3800)
    for x, foot, size, cap in ((330, 930, 0.8, "#d1495b"), (690, 950, 0.62, "#edae49"), (520, 960, 1.15, "#c8324a")):
        stem = [(-60, 0), (-46, -300), (46, -300), (66, 0), (0, 26)]
        canvas.polygon(placed(smooth(stem), x, foot, scale=size), "#f6ead7")
        canvas.ellipse(x, foot - 290 * size, 96 * size, 34 * size, "#e3d2b4")
        dome = [
            (-270, -300),
            (-225, -470),
            (-90, -590),
            (90, -590),
            (225, -470),
            (270, -300),
            (120, -270),
            (-120, -270),
        ]
        canvas.polygon(placed(smooth(dome), x, foot, scale=size), cap)
        for dx, dy, r in ((-150, -400, 40), (-40, -500, 52), (95, -430, 44), (190, -350, 26), (10, -345, 30)):
            canvas.ellipse(x + dx * size, foot + dy * size, r * size, r * size * 0.86, "#fff6e9")
    for root in range(120, 890, 17):
        height = float(rng.uniform(50, 130))
        blade = placed(leaf(height, 17), root, 985, turn=float(rng.uniform(-18, 18)))
        canvas.polygon(blade, ("#5f8f5c", "#3f6f4c", "#7fae6a")[int(rng.integers(3))])
    return canvas.finished()


def planets(rng: np.random.Generator) -> Pixels:
    canvas = Canvas(4000, 3400)
    canvas.circle(430, 430, 260, "#6d5acf")
    for y, half, tone in ((300, 22, "#8f7fe0"), (400, 34, "#5643b8"), (500, 26, "#8f7fe0"), (590, 20, "#5643b8")):
        rows = np.linspace(y - half, y + half, 20)
        reach = np.sqrt(260**2 - (rows - 430) ** 2)
        right = np.stack([430 + reach, rows], axis=1)
        canvas.polygon(np.concatenate([right, (right * (-1, 1) + (860, 0))[::-1]]), tone)
    for wide, high, thick, tone in ((430, 95, 30, "#ffc857"), (372, 70, 12, "#ff9f5a")):
        canvas.line(ellipse(430, 430, wide, high, turn=14, count=240)[:121], thick, tone)
    canvas.circle(800, 190, 105, "#ef476f")
    for dx, dy, r in ((-35, -25, 22), (30, 20, 30), (-20, 50, 14), (45, -45, 12)):
        canvas.circle(800 + dx, 190 + dy, r, "#c9325a")
    canvas.circle(810, 660, 70, "#06d6a0")
    canvas.ring(810, 660, 100, 6, "#ffffff")
    for x, y in rng.uniform((40, 40), (960, 800), (60, 2)):
        if np.hypot(x - 430, y - 430) > 330 and np.hypot(x - 800, y - 190) > 140:
            canvas.polygon(placed(star(4, 0.3, radius=float(rng.uniform(7, 24))), x, y), "#ffd166")
    return canvas.finished()


def heart_of_hearts(_: np.random.Generator) -> Pixels:
    """A heart of hearts."""
    canvas = Canvas(3300, 3300)
    tones = ("#ef476f", "#f78fa7", "#ffb3c1", "#d81e5b", "#8f2d56")
    edge = heart(1.0)
    for index, size in enumerate(np.linspace(450, 45, 10)):
        for spot in range(0, 160, max(int(1500 / size), 4)):
            x, y = edge[spot] * size + (500, 470)
            canvas.polygon(placed(heart(size * 0.062 + 6), x, y, turn=spot * 2.25), tones[(index + spot // 8) % 5])
    return canvas.finished()


def moon_phases(_: np.random.Generator) -> Pixels:
    """White ink only."""
    canvas = Canvas(4400, 3000)
    angle = np.linspace(0, np.pi, 60)
    for x, lit in ((75, 0.25), (198, 0.5), (325, 0.8), (675, 0.8), (802, 0.5), (925, 0.25)):
        side = 1 if x < 500 else -1
        limb = np.stack([side * np.sin(angle), -np.cos(angle)], axis=1)
        canvas.polygon(placed(np.concatenate([limb, (limb * (1 - 2 * lit, 1))[::-1]]), x, 340, scale=58), "#ffffff")
    canvas.circle(500, 340, 92, "#ffffff")
    for dx, dy, r in ((-25, -30, 17), (26, 8, 22), (-14, 38, 12), (30, -42, 9)):
        canvas.circle(501 + dx, 340 + dy, r, CLEAR)
    for x in range(60, 960, 24):
        canvas.circle(x, 470 + 36 * np.cos((x - 500) / 290), 4, "#ffffff")
    for x, y, size in ((160, 200, 24), (330, 150, 16), (500, 110, 38), (670, 150, 16), (840, 200, 24)):
        canvas.polygon(placed(star(4, 0.28, radius=size), x, y), "#ffffff")
    return canvas.finished()


def _bee(canvas: Canvas, x: float, y: float, turn: float) -> None:
    for side in (-1, 1):
        wing = placed(ellipse(side * 34, -62, 30, 56, turn=side * -28), x, y, turn=turn)
        canvas.polygon(wing, "#dff1f7")
        canvas.line(wing, 4, "#3a2a12", closed=True)
    canvas.polygon(placed(ellipse(0, 0, 84, 54), x, y, turn=turn), "#f6bd27")
    for band in (-40, -4, 32):
        high = 52 * np.sqrt(1 - (band / 84) ** 2)
        stripe = [(band - 9, -high), (band + 9, -high), (band + 9, high), (band - 9, high)]
        canvas.polygon(placed(stripe, x, y, turn=turn), "#3a2a12")
    head_x, head_y = placed([(-92, -4)], x, y, turn=turn)[0]
    canvas.circle(head_x, head_y, 34, "#3a2a12")
    for dx, dy in ((-112, -36), (-88, -46)):
        feeler = placed([(-96, -20), (dx - 12, dy - 22)], x, y, turn=turn)
        canvas.line(feeler, 5, "#3a2a12")
        canvas.circle(float(feeler[1, 0]), float(feeler[1, 1]), 7, "#3a2a12")
