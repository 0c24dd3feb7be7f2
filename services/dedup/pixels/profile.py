"""Colours of a file that lost its AdobeRGB profile: its numbers are read as sRGB's, and all of it looks paler. Pure.

What has its profile still was made sRGB by the hasher (`services/hasher/colour.py`).
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from services.dedup.pixels.picture import Picture
from services.dedup.pixels.planes import Pixels

SRGB_TO_ADOBE = np.array([[0.7152, 0.2848, 0], [0, 1, 0], [0, 0.0412, 0.9588]], np.float32)
"""Of linear light: both share white, red and blue (IEC 61966-2-1; Adobe RGB (1998), 4.3)."""
GAMMA = 563 / 256  # Adobe RGB (1998), 4.3.4
LEVELS = np.arange(256) / 255
LIGHT = np.where(LEVELS <= 0.04045, LEVELS / 12.92, ((LEVELS + 0.055) / 1.055) ** 2.4).astype(np.float32)
GLANCE = 32  # side
CLOSER = 0.6  # as far apart as before, at most, or it is other colours


@dataclass(frozen=True, eq=False)
class WithoutProfile(Picture):
    """A picture in the colours that it would have then."""

    def close_up(self) -> Picture | None:
        seen = super().close_up()
        return None if seen is None else Picture(_paler(seen.rgba))


def without_profile(picture: Picture) -> Picture:
    return WithoutProfile(_paler(picture.rgba), picture.close_up_png)


def may_have_lost_it(picture: Picture, original: Picture) -> bool:
    """At a glance: most colourways are no closer to the original's colours when these are made paler."""
    size = (GLANCE, GLANCE)
    mine, theirs = (cv2.resize(each.rgba, size, interpolation=cv2.INTER_AREA) for each in (picture, original))
    paler = _paler(np.asarray(theirs, np.uint8))
    return float(cv2.absdiff(mine, paler).mean()) < CLOSER * float(cv2.absdiff(mine, theirs).mean())


def _paler(rgba: Pixels) -> Pixels:
    """(side, side, 4), premultiplied: colours are divided by alpha, changed, and multiplied again."""
    straight = cv2.cvtColor(rgba, cv2.COLOR_mRGBA2RGBA)
    light: NDArray[np.float32] = LIGHT[straight[..., :3]]
    straight[..., :3] = np.rint(255 * np.clip(light @ SRGB_TO_ADOBE.T, 0, 1) ** (1 / GAMMA))
    return np.asarray(cv2.cvtColor(straight, cv2.COLOR_RGBA2mRGBA), np.uint8)
