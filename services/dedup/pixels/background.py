"""What a picture is laid on, and where it stands out from that. Pure; pictures are (side, side, 3) with 8 bits.

A ground is the colour of what art is laid on: of its page, or of a sheet that lies on a page.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from services.dedup.pixels.planes import Pixels

EVEN = 14  # levels by which a ground may vary (JPEG); as in `services/hasher/page.py`
EVEN_SHARE = 0.9  # share of the pixels along the edge of which that must hold
FAINT = 8  # alpha up to which nothing of the art is seen
OUTSTANDING = 24  # levels by which a pixel differs from its ground to be content
LEAST_SIDE = 16  # pixels: what is narrower is not cut out
FEWEST = 16  # pixels by which a ground can be told
SEAM = 2  # pixels between a sheet and its page that are a mixture of both
PAGES = 3  # a sheet on a page on another

Colour = NDArray[np.uint8]


class Box(NamedTuple):
    """In pixels."""

    left: int
    top: int
    width: int
    height: int

    def scaled(self, factor: int) -> "Box":
        return Box(*(factor * each for each in self))

    def reaches_beyond(self, other: "Box", pixels: int) -> bool:
        """By more than so many, on any side."""
        left, top = other.left - self.left, other.top - self.top
        right, bottom = self.width - other.width - left, self.height - other.height - top
        return max(left, top, right, bottom) > pixels


WHITE, BLACK = (np.full(3, shade, np.uint8) for shade in (255, 0))


def ground_of(rgb: Pixels) -> Colour | None:
    """The even colour that a picture is laid on, if its edge shows one."""
    return _even(np.concatenate(_sides(rgb)), EVEN)


def grounds_of(rgb: Pixels) -> Sequence[Colour]:
    """What a picture may be laid on. One that touches some sides of its page shows it along the others."""
    around = ground_of(rgb)
    return _grounds_beside(rgb) if around is None else [around]


def _grounds_beside(rgb: Pixels) -> Sequence[Colour]:
    grounds: list[Colour] = []
    for side in _sides(rgb):
        colour = _even(side, EVEN)
        if colour is not None and not any(_alike(colour, other) for other in grounds):
            grounds.append(colour)
    return grounds


def grounds_behind(alpha: Pixels, rgb: Pixels) -> Sequence[Colour]:
    """What an opaque picture may be laid on, if it is one of this alpha (side, side) that was laid on something.

    The even colour that it has where that is see-through, if both lie alike; else what its sides show; and where
    they show nothing, as it was cropped too, most of what it has there.
    """
    behind = rgb[alpha < FAINT]
    if len(behind) < FEWEST:
        return grounds_of(rgb) or [WHITE]
    even = _even(behind, OUTSTANDING)
    if even is not None:
        return [even]
    return grounds_of(rgb) or [_median(behind)]


def _even(pixels: Pixels, levels: int) -> Colour | None:
    """The colour that nearly all of these (n, 3) have, give or take so many levels."""
    colour = _median(pixels)
    return colour if np.count_nonzero(_within(pixels[None], colour, levels)) >= EVEN_SHARE * len(pixels) else None


def _median(pixels: Pixels) -> Colour:
    middle = len(pixels) // 2
    return np.asarray(np.partition(pixels, middle, axis=0)[middle], np.uint8)


def _within(pixels: Pixels, colour: Colour, levels: int) -> Pixels:
    """255 where a pixel has that colour, give or take so many levels."""
    shades = colour.astype(np.int16)
    least, most = (np.clip(shades + step, 0, 255) for step in (-levels, levels))
    return np.asarray(cv2.inRange(pixels, least, most), np.uint8)


def boxes(rgb: Pixels) -> Sequence[Box | None]:
    """What the picture is cut to on its ground; where that is not sure, on each that it may have, and not at all."""
    around = ground_of(rgb)
    if around is not None:
        return [box_of(rgb, around)]
    return [*filter(None, (box_of(rgb, ground) for ground in _grounds_beside(rgb))), None]


def box_of(rgb: Pixels, ground: Colour, pages: int = PAGES) -> Box | None:
    """Where the picture stands out from its ground; and so on for a sheet on a page. None where it fills it already."""
    found: Box | None = None
    left = top = 0
    part: Pixels = rgb
    behind: Colour | None = ground
    for _ in range(pages):
        inner = None if behind is None else _standing_out(part, behind)
        if inner is None:
            break
        x, y, width, height = inner
        found = Box(left + x, top + y, width, height)
        left, top = left + x + SEAM, top + y + SEAM
        part = rgb[top : top + height - 2 * SEAM, left : left + width - 2 * SEAM]
        behind = ground_of(part)
    return found


def cut(rgb: Pixels, box: Box | None) -> Pixels:
    """What is in the box fills the picture, as alpha's bounding box did."""
    if box is None:
        return rgb
    side, (left, top, width, height) = len(rgb), box
    part = np.ascontiguousarray(rgb[top : top + height, left : left + width])
    return np.asarray(cv2.resize(part, (side, side), interpolation=cv2.INTER_LINEAR), dtype=np.uint8)


def on_white(rgb: Pixels) -> Iterator[Pixels]:
    """Cut to what stands out, and its ground made white: for each coloured ground that it may have."""
    for ground in grounds_of(rgb):
        if not _alike(ground, WHITE) and not _alike(ground, BLACK):
            full = cut(rgb, box_of(rgb, ground)).copy()
            full[_within(full, ground, OUTSTANDING) > 0] = WHITE
            yield full


def _standing_out(rgb: Pixels, ground: Colour) -> Box | None:
    """None when it fills the picture already, or is next to nothing."""
    box = Box(*cv2.boundingRect(cv2.bitwise_not(_within(np.ascontiguousarray(rgb), ground, OUTSTANDING))))
    if min(box.width, box.height) < LEAST_SIDE or (box.height, box.width) == rgb.shape[:2]:
        return None
    return box


def _alike(one: Colour, other: Colour) -> bool:
    return int(cv2.absdiff(one, other).max()) <= OUTSTANDING


def _sides(rgb: Pixels) -> tuple[Pixels, ...]:
    return rgb[:2].reshape(-1, 3), rgb[-2:].reshape(-1, 3), rgb[:, 0], rgb[:, -1]
