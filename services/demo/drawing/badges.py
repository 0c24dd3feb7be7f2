"""Outdoor badges and retro sunsets."""

import cv2
import numpy as np

from services.demo.drawing.canvas import CLEAR, Canvas, Pixels, ellipse, placed, smooth
from services.demo.drawing.lettering import arched, block_shadow, bulged, outline, words
from services.demo.drawing.noise import worn
from services.demo.drawing.shapes import cloud, palm, pine, ridge, star

CREAM = "#fdf0d5"


def adventure(rng: np.random.Generator) -> Pixels:
    canvas = Canvas(4000, 4000)
    u = canvas.unit
    scene = Canvas(4000, 4000)
    scene.circle(500, 500, 330, "#f4a259")
    scene.circle(640, 400, 85, CREAM)
    scene.polygon(ridge(rng, 120, 880, 560, 260), "#8e5572")
    scene.polygon(ridge(rng, 120, 880, 650, 200), "#4f3b62")
    for x, height in ((240, 190), (310, 250), (385, 180), (640, 170), (715, 240), (790, 200)):
        pine(scene, x, 800, height, "#1d3b36")
    scene.rectangle(100, 780, 900, 900, "#1d3b36")
    scene.keep(_disc(4000, 330 * u))
    canvas.circle(500, 500, 470, "#1d3b36")
    canvas.ring(500, 500, 445, 8, CREAM)
    canvas.circle(500, 500, 344, CREAM)
    canvas.paint(scene.pixels, 500, 500)
    canvas.stamp(arched(words("ADVENTURE AWAITS", 930 * u, weight=800, height=64 * u), 394 * u), 500, 500, CREAM)
    lower = words("EXPLORE MORE", 520 * u, weight=600, height=52 * u)
    canvas.stamp(arched(lower, 394 * u, below=True), 500, 500, CREAM)
    for side in (-1, 1):
        canvas.polygon(placed(star(5, 0.42, radius=30), 500 + side * 377, 610), "#f4a259")
    return canvas.finished()


def campfire(rng: np.random.Generator) -> Pixels:
    canvas = Canvas(3700, 4100)
    u = canvas.unit
    canvas.polygon(placed(ellipse(0, 0, 1, 1, count=6), 500, 470, scale=450, turn=30), "#22333b")
    canvas.line(placed(ellipse(0, 0, 1, 1, count=6), 500, 470, scale=425, turn=30), 7, CREAM, closed=True)
    for x, y in rng.uniform((180, 150), (820, 330), (26, 2)):
        canvas.polygon(placed(star(4, 0.35, radius=float(rng.uniform(4, 13))), x, y), CREAM)
    canvas.polygon([(500, 300), (760, 690), (240, 690)], "#c6ac8f")
    canvas.polygon([(500, 300), (600, 690), (400, 690)], "#5e503f")
    canvas.polygon([(500, 330), (520, 690), (450, 690)], "#eab676")
    for x, height in ((195, 230), (800, 260), (735, 180)):
        pine(canvas, x, 690, height, "#3d5a51")
    canvas.rectangle(160, 690, 840, 700, CREAM)
    for width, tone in ((62, "#e4572e"), (40, "#f3a712"), (20, CREAM)):
        flame = [(0, -2.6), (0.7, -1.2), (1, -0.1), (0.5, 0.6), (-0.5, 0.6), (-1, -0.1), (-0.35, -0.9)]
        canvas.polygon(placed(smooth(flame), 640, 720, scale=width), tone)
    for turn in (-18, 18):
        canvas.polygon(placed([(-85, -11), (85, -11), (85, 11), (-85, 11)], 640, 766, turn=turn), "#7f4f24")
    canvas.stamp(words("HAPPY CAMPER", 900 * u, height=110 * u), 500, 1000, "#22333b")
    canvas.erase(worn(rng, 3700, 4100, share=0.03), 500, canvas.height / 2)
    return canvas.finished()


def surf(_: np.random.Generator) -> Pixels:
    canvas = Canvas(3900, 3900)
    u = canvas.unit
    colours = ("#ffd166", "#fcbf49", "#f77f00", "#ef5d3c", "#d62828", "#9d2449", "#6a2c5a")
    disc = Canvas(3900, 3900)
    for index, colour in enumerate(colours):
        disc.rectangle(0, 60 + index * 100, 1000, 160 + index * 100, colour)
    for index in range(5):
        disc.rectangle(0, 395 + index * 82, 1000, 402 + index * 87, CLEAR)
    disc.keep(_disc(3900, 350 * u, y=410 * u))
    canvas.paint(disc.pixels, 500, 500)
    palm(canvas, 300, 770, 430, -70, "#2b1d2e")
    palm(canvas, 360, 780, 330, 60, "#2b1d2e")
    wave = [(70, 790), (200, 745), (330, 775), (470, 735), (610, 780), (750, 740), (930, 790), (700, 815), (300, 815)]
    canvas.polygon(smooth(wave), "#2b1d2e")
    canvas.stamp(words("SUNSET SURF CLUB", 940 * u, height=84 * u), 500, 880, "#6a2c5a")
    canvas.stamp(words("SINCE '84", 330 * u, weight=500, italic=True), 500, 960, "#f77f00")
    return canvas.finished()


def desert(rng: np.random.Generator) -> Pixels:
    canvas = Canvas(4200, 3200)
    u = canvas.unit
    scene = Canvas(4200, 3200)
    for index, colour in enumerate(("#fbe3b5", "#f9c784", "#f39c6b", "#e5735c")):
        scene.circle(500, 420, 330 - index * 75, colour)
    scene.polygon(ridge(rng, 100, 900, 520, 130, peaks=4), "#b5525c")
    scene.polygon(ridge(rng, 100, 900, 570, 60, peaks=5), "#6d3b47")
    for x, size in ((330, 1.0), (660, 1.35), (560, 0.6)):
        _saguaro(scene, x, 600, size)
    hole = Canvas(4200, 3200)
    hole.circle(500, 420, 330, "#ffffff")
    hole.rectangle(0, 600, 1000, 760, CLEAR)
    scene.keep(np.ascontiguousarray(hole.pixels[..., 3]))
    canvas.paint(scene.pixels, 500, canvas.height / 2)
    canvas.stamp(words("DESERT DAYDREAM", 780 * u, height=90 * u), 500, 675, "#6d3b47")
    return canvas.finished()


def groovy(_: np.random.Generator) -> Pixels:
    canvas = Canvas(3600, 3300)
    u = canvas.unit
    for index, colour in enumerate(("#7d4f50", "#d1603d", "#ddb967", "#e9d8a6", "#4f9d8f")):
        canvas.circle(500, 500, 460 - index * 75, colour)
    canvas.circle(500, 500, 460 - 5 * 75, CLEAR)
    canvas.rectangle(0, 500, 1000, 1000, CLEAR)
    for left in (40, 115, 190, 265, 340):
        colour = ("#7d4f50", "#d1603d", "#ddb967", "#e9d8a6", "#4f9d8f")[(left - 40) // 75]
        for x in (left, 925 - left):
            canvas.rectangle(x, 498, x + 75, 560, colour)
    title = bulged(words("STAY GROOVY", 960 * u, height=190 * u), 1.3)
    canvas.stamp(block_shadow(outline(title, 22), 70), 510, 732, "#7d4f50")
    canvas.stamp(outline(title, 22), 500, 720, CREAM)
    canvas.stamp(title, 500, 720, "#d1603d")
    return canvas.finished()


def rainy_days(_: np.random.Generator) -> Pixels:
    """A nursery rainbow between clouds."""
    canvas = Canvas(3600, 2700)
    colours = ("#e5989b", "#ffb4a2", "#ffe5b4", "#b8d8ba", "#9cc5d3", "#b5a7d5")
    for index, colour in enumerate(colours):
        canvas.circle(500, 620, 430 - index * 48, colour)
    canvas.circle(500, 620, 430 - len(colours) * 48, CLEAR)
    canvas.rectangle(0, 620, 1000, 1100, CLEAR)
    for x in (210, 790):
        cloud(canvas, x, 680, 190, "#d9e2ec")
        cloud(canvas, x - 14, 668, 176, "#ffffff")
    for index, x in enumerate((400, 460, 530, 600)):
        canvas.polygon(placed(star(5, 0.5, radius=22), x, 560 - (index % 2) * 60), "#f6bd60")
    return canvas.finished()


def _disc(size: int, radius: float, *, y: float | None = None) -> Pixels:
    """A round mask in a square of `size` pixels, its middle at half the width and `y` pixels down."""
    mask: Pixels = np.zeros((size, size), np.uint8)
    middle = (size * 8, round((y if y is not None else size / 2) * 16))  # 1/16 pixels: shift 4
    cv2.circle(mask, middle, round(radius * 16), (255,), cv2.FILLED, cv2.LINE_AA, 4)
    return mask


def _saguaro(canvas: Canvas, x: float, foot: float, size: float) -> None:
    green = "#2f5d50"
    canvas.line([(x, foot), (x, foot - 170 * size)], 34 * size, green)
    left = [(x, foot - 70 * size), (x - 50 * size, foot - 75 * size), (x - 52 * size, foot - 125 * size)]
    right = [(x, foot - 50 * size), (x + 48 * size, foot - 58 * size), (x + 50 * size, foot - 140 * size)]
    canvas.line(left, 24 * size, green)
    canvas.line(right, 24 * size, green)
