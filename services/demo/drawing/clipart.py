"""Designs around public-domain drawings (`services/demo/art/SOURCES.md`), as small shops make them."""

from importlib import resources

import cv2
import numpy as np

from services.demo.drawing.canvas import Canvas, Pixels
from services.demo.drawing.lettering import arched, block_shadow, outline, words


def drawing(name: str, width: float, *, ink: str | None = None) -> Pixels:
    """The committed drawing in premultiplied RGBA, `width` pixels wide; `ink` (`#rrggbb`) replaces its colours."""
    data = (resources.files("services.demo") / "art" / f"{name}.png").read_bytes()
    picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if picture is None:
        raise ValueError(f"art/{name}.png can't be read: the installation is damaged, install Presswork again")
    picture = cv2.cvtColor(picture, cv2.COLOR_BGRA2RGBA)
    alpha = np.ascontiguousarray(picture[..., 3])
    if ink is not None:
        picture[..., :3] = tuple(bytes.fromhex(ink.removeprefix("#")))
    premultiplied = cv2.multiply(picture, cv2.merge([alpha, alpha, alpha, np.full_like(alpha, 255)]), scale=1 / 255)
    size = (round(width), round(width * picture.shape[0] / picture.shape[1]))
    big = cv2.resize(premultiplied, size, interpolation=cv2.INTER_CUBIC)
    # cubic overshoots at edges: colour may not exceed its alpha
    limit = cv2.merge([np.ascontiguousarray(big[..., 3])] * 4)
    shown: Pixels = cv2.min(big, limit).astype(np.uint8, copy=False)
    return shown


def plain(name: str, width: int, height: int, *, ink: str | None = None) -> Pixels:
    """The drawing alone, with a transparent border."""
    canvas = Canvas(width, height)
    share = min(0.9, 0.9 * height / width * _aspect(name))
    canvas.paint(drawing(name, share * width, ink=ink), 500, canvas.height / 2)
    return canvas.finished()


def slogan(name: str, width: int, height: int, line: str, colour: str) -> Pixels:
    """The drawing over a line of block letters."""
    canvas = Canvas(width, height)
    u = canvas.unit
    room = canvas.height - 260
    share = min(900.0, room * _aspect(name))
    canvas.paint(drawing(name, share * u), 500, 30 + room / 2)
    letters = words(line, 900 * u, height=130 * u)
    canvas.stamp(letters, 500, canvas.height - 110, colour)
    return canvas.finished()


def roundel(name: str, line: str, lower: str, colours: tuple[str, str]) -> Pixels:
    """The drawing in a ring of text."""
    ground, text = colours
    canvas = Canvas(3800, 3800)
    u = canvas.unit
    canvas.circle(500, 500, 480, ground)
    canvas.ring(500, 500, 462, 6, text)
    canvas.circle(500, 500, 335, text)
    upper = words(line, min(1000.0, 72.0 * len(line)) * u, height=72 * u)
    canvas.stamp(arched(upper, 398 * u), 500, 500, text)
    below = words(lower, min(700.0, 44.0 * len(lower)) * u, weight=600, height=54 * u)
    canvas.stamp(arched(below, 398 * u, below=True), 500, 500, text)
    canvas.paint(drawing(name, 590 * u * min(1.0, _aspect(name))), 500, 500)
    return canvas.finished()


def poster(name: str, width: int, height: int, lines: tuple[str, str], colours: tuple[str, str]) -> Pixels:
    """Big outlined letters behind and below the drawing."""
    canvas = Canvas(width, height)
    u = canvas.unit
    first = words(lines[0], 900 * u, height=230 * u)
    canvas.stamp(block_shadow(first, 60), 508, 148, colours[1])
    canvas.stamp(first, 500, 140, colours[0])
    room = canvas.height - 560
    canvas.paint(drawing(name, min(880.0, room * _aspect(name)) * u), 500, 290 + room / 2)
    second = words(lines[1], 860 * u, height=150 * u)
    canvas.stamp(outline(second, 24), 500, canvas.height - 130, colours[1])
    canvas.stamp(second, 500, canvas.height - 130, colours[0])
    return canvas.finished()


def _aspect(name: str) -> float:
    """Width over height."""
    picture = drawing(name, 100)
    return float(picture.shape[1] / picture.shape[0])
