"""The canonical picture, as the second look wants it: 256 x 256 pixels of colour and alpha. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
from kornia_rs.io import decode_image_png_u8
from numpy.typing import NDArray

SIDE = 256
COARSE, FINE = 64, 128  # sides that pictures are laid on each other at
SOFT = 0.8  # pixels of blur, for what differs in sharpness only
SOLID = 250  # alpha from which a pixel counts as opaque
SEE_THROUGH = 0.002  # share of pixels that are not, from which a picture has no ground of its own
EVEN = 14  # levels by which a ground may vary (JPEG)
EVEN_SHARE = 0.9  # of the pixels along the edge
FAINT = 8  # alpha up to which nothing of the art is seen
OUTSTANDING = 24  # levels by which a pixel differs from its ground to be content
LEAST_SIDE = 16
SEAM = 2  # pixels between a sheet and its page that are a mixture of both
PAGES = 3  # a sheet on a page on another
ALPHAS = np.arange(256, dtype=np.uint16)

Pixels = NDArray[np.uint8]
Plane = NDArray[np.float32]
Colour = NDArray[np.uint8]

WHITE, BLACK = (np.full(3, shade, np.uint8) for shade in (255, 0))


@dataclass(frozen=True, eq=False)
class View:
    """One way to see a picture, (256, 256, 3 or 4). What comes of it stays: a picture is compared with several."""

    pixels: Pixels

    @cached_property
    def soft(self) -> Pixels:
        return softened(self.pixels)

    @cached_property
    def coarse(self) -> Plane:
        return _relief(self.pixels, COARSE)

    @cached_property
    def fine(self) -> Plane:
        return _relief(self.pixels, FINE)


@dataclass(frozen=True, eq=False)
class Picture:
    """`rgba` is (256, 256, 4), 8-bit, premultiplied."""

    rgba: Pixels

    @cached_property
    def transparent(self) -> bool:
        alpha = cv2.extractChannel(self.rgba, 3)
        return int(np.count_nonzero(alpha < SOLID)) / alpha.size > SEE_THROUGH

    @cached_property
    def rgb(self) -> Pixels:
        return np.asarray(cv2.cvtColor(self.rgba, cv2.COLOR_RGBA2RGB), np.uint8)

    @cached_property
    def whole(self) -> View:
        return View(self.rgba)

    @cached_property
    def flat(self) -> View:
        return View(self.rgb)

    @cached_property
    def filled(self) -> Sequence[View]:
        """What stands out from its ground, as far as that can be told; `flat` if nothing is cut off."""
        return [self.flat if each is self.rgb else View(each) for each in boxes(self.rgb)]

    def on(self, colour: Colour) -> Pixels:
        """Laid on an opaque ground (256, 256, 3)."""
        if not colour.any():
            return self.rgb
        alpha = cv2.extractChannel(self.rgba, 3)
        shades = [((ALPHAS[::-1] * shade + 127) // 255).astype(np.uint8) for shade in colour]
        behind = cv2.merge([cv2.LUT(alpha, shade) for shade in shades])  # what shines through
        return np.asarray(cv2.add(self.rgb, behind), dtype=np.uint8)

    def mirrored(self) -> "Picture":
        return Picture(np.asarray(cv2.flip(self.rgba, 1), np.uint8))

    def inverted(self) -> "Picture":
        """Its colours turned round; what is transparent stays so."""
        turned = self.rgba.copy()
        turned[..., :3] = self.rgba[..., 3:] - np.minimum(self.rgba[..., :3], self.rgba[..., 3:])
        return Picture(turned)


def picture_of(png: bytes) -> Picture | None:
    """None for the canonical pictures of earlier releases, which had no alpha or were of another size."""
    try:
        rgba = decode_image_png_u8(png, (SIDE, SIDE), "rgba")
    except Exception:  # noqa: BLE001 - it promises no kinds of errors
        return None
    return Picture(np.asarray(cv2.cvtColor(rgba, cv2.COLOR_RGBA2mRGBA), dtype=np.uint8))


def ground_of(rgb: Pixels) -> Colour | None:
    """The even colour that a picture is laid on, if its edge shows one."""
    return _even(np.concatenate(_sides(rgb)), EVEN)


def grounds_of(rgb: Pixels) -> Sequence[Colour]:
    """What a picture may be laid on. One that touches some sides of its page shows it along the others."""
    around = ground_of(rgb)
    if around is not None:
        return [around]
    grounds: list[Colour] = []
    for side in _sides(rgb):
        colour = _even(side, EVEN)
        if colour is not None and not any(_alike(colour, other) for other in grounds):
            grounds.append(colour)
    return grounds


def grounds_behind(clear: Picture, opaque: Picture) -> Sequence[Colour]:
    """What the opaque picture may be laid on, if it is the other one that was laid on something.

    The even colour that it has where the other is see-through, if both lie alike; else what its sides show; and where
    they show nothing, as it was cropped too, most of what it has there.
    """
    behind = opaque.rgb[clear.rgba[..., 3] < FAINT].astype(np.float64)
    if len(behind) < LEAST_SIDE:
        return grounds_of(opaque.rgb) or [WHITE]
    even = _even(behind, OUTSTANDING)
    if even is not None:
        return [even]
    return grounds_of(opaque.rgb) or [np.asarray(np.median(behind, axis=0), np.uint8)]


def _even(pixels: NDArray[np.float64], levels: int) -> Colour | None:
    """The colour that nearly all of these have, give or take so many levels."""
    colour = np.median(pixels, axis=0)
    even = (np.abs(pixels - colour).max(axis=1) <= levels).mean() >= EVEN_SHARE
    return np.asarray(colour, np.uint8) if even else None


def boxes(rgb: Pixels) -> Sequence[Pixels]:
    """The picture boxed on its ground; where that is not sure, on each that it may have, and as it is."""
    full = [boxed(rgb, ground) for ground in grounds_of(rgb)]
    return [each for each in full if each is not rgb] + ([rgb] if ground_of(rgb) is None else []) or [rgb]


def boxed(rgb: Pixels, ground: Colour | None) -> Pixels:
    """What stands out from its ground fills the picture, as alpha's bounding box did; so does a sheet on a page."""
    part = rgb
    for _ in range(PAGES):
        box = None if ground is None else _box(part, ground)
        if box is None:
            break
        rgb = box
        part = rgb[SEAM:-SEAM, SEAM:-SEAM]
        ground = ground_of(part)
    if rgb.shape[:2] == (SIDE, SIDE):
        return rgb
    return np.asarray(cv2.resize(rgb, (SIDE, SIDE), interpolation=cv2.INTER_LINEAR), dtype=np.uint8)


def on_white(rgb: Pixels) -> Iterator[Pixels]:
    """Boxed, and the coloured ground that it may have made white; nothing for a white or black one."""
    for ground in grounds_of(rgb):
        if not _alike(ground, WHITE) and not _alike(ground, BLACK):
            full = boxed(rgb, ground).copy()
            full[_ground_in(full, ground) > 0] = WHITE
            yield full


def _ground_in(rgb: Pixels, ground: Colour) -> Pixels:
    """255 where it is seen."""
    shades = ground.astype(np.int16)
    least, most = (np.clip(shades + step, 0, 255) for step in (-OUTSTANDING, OUTSTANDING))
    return np.asarray(cv2.inRange(rgb, least, most), np.uint8)


def _box(rgb: Pixels, ground: Colour) -> Pixels | None:
    """None when it fills the picture already, or is next to nothing."""
    rgb = np.ascontiguousarray(rgb)
    left, top, width, height = cv2.boundingRect(cv2.bitwise_not(_ground_in(rgb, ground)))
    if min(width, height) < LEAST_SIDE or (height, width) == rgb.shape[:2]:
        return None
    return np.ascontiguousarray(rgb[top : top + height, left : left + width])


def channels(planes: cv2.typing.MatLike) -> Iterator[Pixels]:
    """One after the other: `cv2.split` takes memory for all at once, which costs as much as what is done with it."""
    for number in range(planes.shape[2]):
        yield np.asarray(cv2.extractChannel(planes, number), np.uint8)


def most(planes: cv2.typing.MatLike) -> Pixels:
    """Of the channels."""
    first, *others = channels(planes)
    for each in others:
        cv2.max(first, each, first)
    return first


def softened(planes: cv2.typing.MatLike) -> Pixels:
    return np.asarray(cv2.GaussianBlur(planes, (0, 0), SOFT), dtype=np.uint8)


def _relief(planes: Pixels, side: int) -> Plane:
    """One plane in which light, dark and transparent differ."""
    small = cv2.resize(planes, (side, side), interpolation=cv2.INTER_AREA).astype(np.float32)
    weights = (0.299, 0.587, 0.114) if planes.shape[2] == 3 else (0.15, 0.293, 0.057, 0.5)
    return np.asarray(cv2.transform(small, np.array([weights], np.float32)), dtype=np.float32)


def _alike(one: Colour, other: Colour) -> bool:
    return int(cv2.absdiff(one, other).max()) <= OUTSTANDING


def _sides(rgb: Pixels) -> tuple[NDArray[np.float64], ...]:
    top, bottom, left, right = rgb[:2].reshape(-1, 3), rgb[-2:].reshape(-1, 3), rgb[:, 0], rgb[:, -1]
    return tuple(side.astype(np.float64) for side in (top, bottom, left, right))
