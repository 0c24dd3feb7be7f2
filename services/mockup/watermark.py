"""The watermark: 60 % of the picture's width, in its middle, at 0.45 of its own opacity (contract, section 4).

A template may have it elsewhere: smaller in a corner, or all over the picture.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np

from services.mockup.areas import Box
from services.mockup.light import Linear, Pixels, frozen
from services.mockup.template import Marking

MARGIN_SHARE = 0.03  # of the longest side, between a corner and the watermark
GAP_SHARE = 0.5  # of the watermark's size, between it and the next one


@dataclass(frozen=True, slots=True)
class Watermark:
    """Ready to be laid over a picture: `ink` is what it adds, `keep` what it leaves of what was there (h, w, 3).

    `boxes` are its places, which may stick out of the picture.
    """

    boxes: tuple[Box, ...]
    ink: Linear
    keep: Linear

    @property
    def nbytes(self) -> int:
        """How much memory it takes, in bytes."""
        return self.ink.nbytes + self.keep.nbytes


def prepared_watermark(picture: Pixels, photo_size: tuple[int, int], marking: Marking | None = None) -> Watermark:
    """Scale a watermark (H, W, 4, straight alpha) for a photograph of (width, height).

    A watermark so tall that it would stick out is made to fit the photograph's height instead.
    """
    chosen = marking or Marking()
    width, height = photo_size
    rows, columns = picture.shape[:2]
    scale = min(width * chosen.width / columns, height / rows)
    wide, high = max(1, round(columns * scale)), max(1, round(rows * scale))
    premultiplied = picture.astype(np.float32)
    premultiplied[..., :3] *= premultiplied[..., 3:] / 255
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    mark = np.asarray(cv2.resize(premultiplied, (wide, high), interpolation=method), np.float32)
    ink = mark[..., :3] * np.float32(chosen.opacity)
    keep = np.asarray(np.repeat(1 - mark[..., 3:] * np.float32(chosen.opacity / 255), 3, axis=2), np.float32)
    size = (wide, high)
    places = _everywhere(photo_size, size) if chosen.place == "tile" else _once(photo_size, size, chosen)
    return Watermark(tuple(Box(x, y, x + wide, y + high) for x, y in places), frozen(ink), frozen(keep))


def laid_over(photo: Pixels, mark: Watermark) -> None:
    """Draw the watermark onto the photograph (H, W, 3), in place.

    In sRGB codes, not in linear light: 0.45 was chosen by eye in such a mix, and must look the same.
    """
    height, width = photo.shape[:2]
    for box in mark.boxes:
        seen = Box(max(0, box.left), max(0, box.top), min(width, box.right), min(height, box.bottom))
        part = seen.within(box).slices
        below = photo[seen.slices]
        below[:] = np.rint(below * mark.keep[part] + mark.ink[part]).astype(np.uint8)


def _once(photo: tuple[int, int], mark: tuple[int, int], marking: Marking) -> Iterator[tuple[int, int]]:
    """Where its left top corner lies."""
    margin = round(MARGIN_SHARE * max(photo))
    left, top = ((side - own) // 2 for side, own in zip(photo, mark, strict=True))
    if "left" in marking.place or "right" in marking.place:
        left = margin if "left" in marking.place else photo[0] - mark[0] - margin
        top = margin if "top" in marking.place else photo[1] - mark[1] - margin
    yield max(0, left), max(0, top)


def _everywhere(photo: tuple[int, int], mark: tuple[int, int]) -> Iterator[tuple[int, int]]:
    """Rows of it, every other one shifted by half a step."""
    across, down = (max(1, round(side * (1 + GAP_SHARE))) for side in mark)
    for row, top in enumerate(range(down // 4, photo[1], down)):
        for left in range(-(across // 2) * (row % 2) - across // 4, photo[0], across):
            if left + mark[0] > 0:
                yield left, top
