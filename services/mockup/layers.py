"""What else a template brings: a garment in another colour below the design, and what stands before it."""

from dataclasses import dataclass

import cv2
import numpy as np
from PIL import Image

from services.mockup.areas import Box
from services.mockup.faults import NotRenderable
from services.mockup.light import Linear, Pixels, frozen, light_of, linear_premultiplied, linear_rgb, luminance, srgb

PLAIN_PERCENTILE = 75  # the garment's brightness where it is neither folded nor shining
CALM, MOST_LIGHT = 1.2, 1.5  # times the plain cloth's light: from the first on less and less, up to the second
SEEN = 0.5 / 255
SAME_PROPORTIONS = 0.01


@dataclass(frozen=True, slots=True)
class Foreground:
    """Premultiplied linear light (h, w, 4) over the design, in its box."""

    box: Box
    light: Linear

    def within(self, region: Box) -> "Foreground | None":
        """The part that lies in a region; None if nothing does."""
        left, top = max(self.box.left, region.left), max(self.box.top, region.top)
        right, bottom = min(self.box.right, region.right), min(self.box.bottom, region.bottom)
        if left >= right or top >= bottom:
            return None
        box = Box(left, top, right, bottom)
        return Foreground(box, frozen(self.light[box.within(self.box).slices].copy()))


@dataclass(frozen=True, slots=True)
class Dye:
    """Where the garment is, (H, W) from 0 to 255 in the photograph's proportions; and its new colour: '#1b2c3d'."""

    mask: Pixels
    colour: str


def foreground(picture: Pixels, size: tuple[int, int]) -> Foreground | None:
    """Bring a foreground (H, W, 4, straight alpha) to the finished picture's size; None if nothing of it shows.

    Raises:
        NotRenderable: it has other proportions than the photograph.
    """
    _same_proportions(picture, size, "the foreground")
    light = linear_premultiplied(picture)
    light = np.asarray(cv2.resize(light, size, interpolation=cv2.INTER_AREA), np.float32)
    rows, columns = (np.flatnonzero((light[..., 3] > SEEN).any(axis=axis)) for axis in (1, 0))
    if not len(rows):
        return None
    box = Box(int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1)
    return Foreground(box, np.ascontiguousarray(light[box.slices]))


def dyed(photo: Pixels, dye: Dye) -> Pixels:
    """The photograph (H, W, 3) with its garment in another colour, its folds and shadows as they were.

    Raises:
        NotRenderable: the mask has other proportions than the photograph, or is empty.
    """
    height, width = photo.shape[:2]
    _same_proportions(dye.mask, (width, height), "the garment's mask")
    mask = np.asarray(Image.fromarray(dye.mask).resize((width, height), Image.Resampling.BOX), np.float32) / 255
    if not (mask > 0.5).any():
        raise NotRenderable("the garment's mask is empty; paint white where the garment is")
    light = linear_rgb(photo)
    bright = luminance(light)
    plain = max(float(np.percentile(bright[mask > 0.5], PLAIN_PERCENTILE)), 1e-3)
    new = _calmed(bright / np.float32(plain))[..., None] * light_of(dye.colour)
    return srgb(np.asarray(light + (new - light) * mask[..., None], np.float32))


def _calmed(ratio: Linear) -> Linear:
    """Let nothing glow: a label, a seam, or the wall beside dark cloth where the mask is a few pixels too wide."""
    room = np.float32(MOST_LIGHT - CALM)
    return np.asarray(np.where(ratio > CALM, CALM + room * np.tanh((ratio - CALM) / room), ratio), np.float32)


def _same_proportions(picture: Pixels, size: tuple[int, int], what: str) -> None:
    height, width = picture.shape[:2]
    if abs(width * size[1] - height * size[0]) > SAME_PROPORTIONS * width * size[1]:
        raise NotRenderable(
            f"{what} has {width} x {height} pixels, which are other proportions than the photograph's; "
            "export it in the photograph's size"
        )
