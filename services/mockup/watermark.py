"""The watermark: 60 % of the picture's width, in its middle, at 0.45 of its own opacity (contract, section 4)."""

from dataclasses import dataclass

import cv2
import numpy as np

from services.mockup.areas import Box
from services.mockup.light import Bytes, Linear

WIDTH_SHARE = 0.6
OPACITY = 0.45


@dataclass(frozen=True, slots=True)
class Watermark:
    """Ready to be laid over a picture: `ink` is what it adds, `keep` what it leaves of what was there (h, w, 3)."""

    box: Box
    ink: Linear
    keep: Linear


def prepared_watermark(picture: Bytes, photo_size: tuple[int, int]) -> Watermark:
    """Scale a watermark (H, W, 4, straight alpha) for a photograph of (width, height).

    A watermark so tall that it would stick out is made to fit the photograph's height instead.
    """
    width, height = photo_size
    rows, columns = picture.shape[:2]
    scale = min(width * WIDTH_SHARE / columns, height / rows)
    wide, high = max(1, round(columns * scale)), max(1, round(rows * scale))
    premultiplied = picture.astype(np.float32)
    premultiplied[..., :3] *= premultiplied[..., 3:] / 255
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    mark = np.asarray(cv2.resize(premultiplied, (wide, high), interpolation=method), np.float32)
    left, top = (width - wide) // 2, (height - high) // 2
    ink = mark[..., :3] * np.float32(OPACITY)
    keep = np.asarray(np.repeat(1 - mark[..., 3:] * np.float32(OPACITY / 255), 3, axis=2), np.float32)
    for array in (ink, keep):
        array.setflags(write=False)
    return Watermark(Box(left, top, left + wide, top + high), ink, keep)


def laid_over(photo: Bytes, mark: Watermark) -> None:
    """Draw the watermark onto the photograph (H, W, 3), in place.

    In sRGB codes, not in linear light: 0.45 was chosen by eye in such a mix, and must look the same.
    """
    below = photo[mark.box.slices]
    below[:] = np.rint(below * mark.keep + mark.ink).astype(np.uint8)
