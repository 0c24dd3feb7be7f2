"""The canonical picture, as the second look wants it: 256 x 256 pixels of colour and alpha; or close up. Pure."""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
from kornia_rs.io import decode_image_png_u8

from services.dedup.pixels.background import BLACK, Box, Colour, box_of, boxes, cut, ground_of
from services.dedup.pixels.planes import Pixels, Plane

SIDE, CLOSE_SIDE = 256, 512
CLOSE_UP_CHUNK = b"dtAL"  # in which the hasher keeps the picture close up (`services/hasher/png.py`)
COARSE = 64  # side at which pictures are aligned at first; then at half of their own
SOFT = 0.8  # pixels of blur, for what differs in sharpness only
SOLID = 250  # alpha from which a pixel counts as opaque
SEE_THROUGH = 0.002  # share of pixels that are not, from which a picture has no ground of its own
SIGNATURE = b"\x89PNG\r\n\x1a\n"
ALPHAS = np.arange(256, dtype=np.uint16)


@dataclass(frozen=True, eq=False)
class View:
    """One way to see a picture, (side, side, 3 or 4): with its alpha, or on a ground; all of it, or what is in a box.

    What comes of it stays: a picture is compared with several.
    """

    pixels: Pixels
    ground: Colour | None = None
    box: Box | None = None

    def shows_more_than(self, other: "View") -> bool:
        """Of the same picture at the same size; by more than a pixel of the smaller one."""
        if self.box is None or other.box is None:
            return other.box is not None
        return self.box.reaches_beyond(other.box, len(self.pixels) // SIDE)

    @cached_property
    def soft(self) -> Pixels:
        return softened(self.pixels)

    @cached_property
    def coarse(self) -> Plane:
        return _intensity(self.pixels, COARSE)

    @cached_property
    def fine(self) -> Plane:
        return _intensity(self.pixels, len(self.pixels) // 2)


@dataclass(frozen=True, eq=False)
class Picture:
    """`rgba` is (side, side, 4), 8-bit, premultiplied. `close_up_png` is the same at twice its size, if kept."""

    rgba: Pixels
    close_up_png: bytes = b""

    def close_up(self) -> "Picture | None":
        """At twice its size; None if it was not kept so. Decoded anew each time, as it is asked of few."""
        rgba = _decoded(self.close_up_png, CLOSE_SIDE)
        return None if rgba is None else Picture(rgba)

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
    def views(self) -> Sequence[View]:
        """Of an opaque picture: what stands out from its ground, as far as that can be told, and all of it last."""
        return [View(cut(self.rgb, box), BLACK, box) for box in dict.fromkeys([*boxes(self.rgb), None])]

    def laid_on(self, ground: Colour) -> View:
        return View(self.on(ground), ground)

    def standing_out_from(self, ground: Colour) -> View:
        laid = self.on(ground)
        box = box_of(laid, ground)
        return View(cut(laid, box), ground, box)

    def seen_like(self, view: View) -> View:
        """As the same picture is seen at another size."""
        if view.ground is None:
            return self.whole
        box = None if view.box is None else view.box.scaled(len(self.rgba) // len(view.pixels))
        return View(cut(self.on(view.ground), box), view.ground, box)

    def cut_once(self, view: View) -> View:
        """As this one is seen, but cut to what stands out from its page only: a sheet on it stays whole."""
        if view.ground is None:
            return self.whole
        laid = self.on(view.ground)
        ground = ground_of(laid)
        box = None if ground is None else box_of(laid, ground, pages=1)
        return View(cut(laid, box), view.ground, box)

    def on(self, colour: Colour) -> Pixels:
        """Laid on an opaque ground (side, side, 3)."""
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
    rgba = _decoded(png, SIDE)
    if rgba is None:
        return None
    return Picture(np.asarray(cv2.cvtColor(rgba, cv2.COLOR_RGBA2mRGBA), dtype=np.uint8), _close_up_png(png))


def _decoded(png: bytes, side: int) -> Pixels | None:
    """None for what is no picture of that size."""
    try:
        return np.asarray(decode_image_png_u8(png, (side, side), "rgba"), np.uint8)
    except Exception:  # noqa: BLE001 - it promises no kinds of errors
        return None


def _close_up_png(png: bytes) -> bytes:
    """What the hasher keeps behind the pixels; nothing in what was made by earlier releases."""
    at = len(SIGNATURE)
    while at + 8 <= len(png):
        length, kind = struct.unpack_from(">I4s", png, at)
        if kind == CLOSE_UP_CHUNK:
            return png[at + 8 : at + 8 + length]
        at += 12 + length
    return b""


def softened(planes: cv2.typing.MatLike) -> Pixels:
    return np.asarray(cv2.GaussianBlur(planes, (0, 0), SOFT), dtype=np.uint8)


def _intensity(planes: Pixels, side: int) -> Plane:
    """One plane in which light, dark and transparent differ."""
    small = cv2.resize(planes, (side, side), interpolation=cv2.INTER_AREA).astype(np.float32)
    weights = (0.299, 0.587, 0.114) if planes.shape[2] == 3 else (0.15, 0.293, 0.057, 0.5)
    return np.asarray(cv2.transform(small, np.array([weights], np.float32)), dtype=np.float32)
