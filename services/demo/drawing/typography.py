"""Sayings and years: the bread and butter of print shops."""

import numpy as np

from services.demo.drawing.canvas import CLEAR, Canvas, Pixels, placed, smooth
from services.demo.drawing.lettering import arched, block_shadow, bulged, outline, waved, words
from services.demo.drawing.noise import worn
from services.demo.drawing.shapes import flower, heart, star

CREAM = "#fff3dc"


def coffee(_: np.random.Generator) -> Pixels:
    canvas = Canvas(3600, 4300)
    u = canvas.unit
    for offset in (-110, 0, 110):
        steam = smooth(
            [(500 + offset, 300), (470 + offset, 230), (530 + offset, 160), (500 + offset, 90)], closed=False
        )
        canvas.line(steam, 22, "#c98b5e")
    canvas.ring(735, 430, 85, 36, "#6f3d22")
    cup = smooth([(275, 330), (290, 520), (380, 590), (620, 590), (710, 520), (725, 330)], closed=False)
    canvas.polygon(cup, "#6f3d22")
    canvas.ellipse(500, 332, 225, 34, "#e7c9a5")
    canvas.ellipse(500, 336, 200, 26, "#42210f")
    canvas.polygon(placed(heart(70), 500, 460), CREAM)
    canvas.ellipse(500, 618, 320, 24, "#c98b5e")
    canvas.stamp(words("but first,", 560 * u, weight=500, italic=True), 500, 745, "#c98b5e")
    title = bulged(words("COFFEE", 900 * u, height=230 * u), 1.25)
    canvas.stamp(block_shadow(title, 60), 508, 968, "#c98b5e")
    canvas.stamp(title, 500, 960, "#6f3d22")
    return canvas.finished()


def class_of(year: str) -> Pixels:
    """A school's senior shirt. Two years of it are two designs, though most of the picture is the same."""
    canvas = Canvas(4000, 4200)
    u = canvas.unit
    ribbon = arched(words("CLASS OF", 980 * u, height=120 * u), 660 * u)
    canvas.stamp(ribbon, 500, 745, "#14284b")
    for index, pair in enumerate((year[:2], year[2:])):
        digits = words(pair, 600 * u, height=330 * u)
        x, y = ((345, 440), (655, 760))[index]
        canvas.stamp(block_shadow(outline(digits, 26), 70), x + 9, y + 9, "#14284b")
        canvas.stamp(outline(digits, 26), x, y, CREAM)
        canvas.stamp(digits, x, y, "#f2b233")
    canvas.polygon(placed(star(5, 0.42, radius=100), 800, 440, turn=12), "#14284b")
    canvas.polygon(placed(star(5, 0.42, radius=75), 180, 770, turn=-14), "#14284b")
    canvas.stamp(words("SENIORS", 700 * u, weight=700, height=70 * u), 500, 1000, "#14284b")
    return canvas.finished()


def good_vibes(rng: np.random.Generator) -> Pixels:
    canvas = Canvas(3800, 3500)
    u = canvas.unit
    for index, (text, colour) in enumerate((("GOOD", "#e4572e"), ("VIBES", "#f3a712"), ("ONLY", "#2a9d8f"))):
        line = waved(words(text, 830 * u, height=205 * u), 34 * u, waves=1.2)
        y = 190 + index * 265
        canvas.stamp(block_shadow(outline(line, 20), 60), 508, y + 8, "#5b2a50")
        canvas.stamp(outline(line, 20), 500, y, CREAM)
        canvas.stamp(line, 500, y, colour)
    for x, y, size in ((90, 120, 85), (925, 330, 70), (70, 585, 65), (935, 760, 85)):
        colours = ("#ffd6e0", "#ff8fab", "#f3a712")
        flower(canvas, x, y, size, colours, petals=7, turn=float(rng.uniform(0, 60)))
    return canvas.finished()


def night_owl(_: np.random.Generator) -> Pixels:
    """White ink only: for dark shirts. On white it is invisible, and so are all designs like it."""
    canvas = Canvas(3600, 3000)
    u = canvas.unit
    canvas.circle(500, 240, 190, "#ffffff")
    canvas.circle(585, 195, 165, CLEAR)
    for x, y, size in ((620, 180, 46), (705, 280, 30), (590, 320, 24), (800, 150, 22), (210, 130, 34), (150, 330, 20)):
        canvas.polygon(placed(star(4, 0.3, radius=size), x, y), "#ffffff")
    canvas.stamp(words("NIGHT OWL", 920 * u, weight=900), 500, 555, "#ffffff")
    canvas.stamp(words("do not disturb before noon", 760 * u, weight=500, italic=True), 500, 700, "#ffffff")
    canvas.rectangle(120, 770, 880, 782, "#ffffff")
    return canvas.finished()


def plant_lady(_: np.random.Generator) -> Pixels:
    """Black ink only, with a script line drawn by a pen."""
    canvas = Canvas(3300, 3700)
    u = canvas.unit
    for turn, size in ((-58, 250), (-30, 310), (0, 340), (30, 310), (58, 250)):
        stem = placed([(0, 0), (0, -size)], 500, 470, turn=turn)
        canvas.line(stem, 9, "#000000")
        for share in (0.45, 0.62, 0.78, 0.92):
            at = stem[0] + (stem[1] - stem[0]) * share
            for side in (-48, 48):
                blade = placed([(0, 0), (26, -50), (0, -110), (-26, -50)], *at, scale=0.8, turn=turn + side)
                canvas.polygon(smooth(blade), "#000000")
    canvas.polygon([(330, 480), (670, 480), (630, 730), (370, 730)], "#000000")
    canvas.rectangle(300, 450, 700, 520, "#000000")
    canvas.erase(words("grow", 210 * u, weight=700), 500, 620)
    canvas.stamp(words("PLANT PERSON", 880 * u, height=110 * u), 500, 850, "#000000")
    canvas.stamp(words("just one more pot", 640 * u, weight=400, italic=True), 500, 965, "#000000")
    return canvas.finished()


def best_dad(rng: np.random.Generator) -> Pixels:
    canvas = Canvas(3900, 4200)
    u = canvas.unit
    shield = smooth([(90, 120), (500, 60), (910, 120), (930, 500), (770, 860), (500, 1020), (230, 860), (70, 500)])
    canvas.polygon(shield, "#7a1f2b")
    canvas.line(placed(shield - (500, 540), 500, 540, scale=0.94), 9, CREAM, closed=True)
    canvas.line(placed(shield - (500, 540), 500, 540, scale=0.9), 3, CREAM, closed=True)
    canvas.stamp(arched(words("WORLD'S OKAYEST", 680 * u, weight=700, height=75 * u), 900 * u), 500, 1110, CREAM)
    canvas.stamp(bulged(words("DAD", 640 * u, height=290 * u), 1.2), 500, 565, "#f0c987")
    for x in (230, 365, 500, 635, 770):
        canvas.polygon(placed(star(5, 0.42, radius=38), x, 330), CREAM)
    canvas.stamp(words("EST. 1987", 380 * u, weight=600), 500, 800, CREAM)
    canvas.erase(worn(rng, 3900, 4200, share=0.05), 500, canvas.height / 2)
    return canvas.finished()
