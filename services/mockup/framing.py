"""The part of a photograph that a template shows: marketplaces want 4:3 or 1:1, cameras give 3:2."""

import numpy as np

from services.mockup.areas import Box, points_of
from services.mockup.light import Pixels
from services.mockup.template import Template


def framed(size: tuple[int, int], template: Template) -> Box:
    """What is shown of a photograph of (width, height); all of it without a crop."""
    width, height = size
    if template.crop is None:
        return Box(0, 0, width, height)
    across, down = (int(part) for part in template.crop.proportions.split(":"))
    step = min(width / across, height / down)
    wide, high = max(1, round(across * step)), max(1, round(down * step))
    x, y = template.crop.middle or _middle(template)
    left = round(min(max(x - wide / 2, 0), width - wide))
    top = round(min(max(y - high / 2, 0), height - high))
    return Box(left, top, left + wide, top + high)


def cut(picture: Pixels, frame: Box, size: tuple[int, int]) -> Pixels:
    """The same part of a layer (H, W, ...), which may be smaller or larger than the photograph of (width, height)."""
    height, width = picture.shape[:2]
    x, y = width / size[0], height / size[1]
    left, top = round(frame.left * x), round(frame.top * y)
    right, bottom = max(left + 1, round(frame.right * x)), max(top + 1, round(frame.bottom * y))
    return picture[top:bottom, left:right]


def _middle(template: Template) -> tuple[float, float]:
    """Of the box around all print areas."""
    points = np.concatenate([points_of(area.shape) for area in template.areas])
    x, y = (points.min(axis=0) + points.max(axis=0)) / 2
    return float(x), float(y)
