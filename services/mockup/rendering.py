"""A mockup photograph with a design on it. What does not depend on the design is prepared once."""

from dataclasses import dataclass
from functools import reduce

import numpy as np
from PIL import Image

from services.mockup.areas import Box, PrintArea, print_area
from services.mockup.faults import Unusable
from services.mockup.light import Bytes, Linear, linear_rgb, srgb
from services.mockup.warping import FlatDesign, warped
from services.mockup.watermark import Watermark, laid_over, prepared_watermark
from shared.contracts import Mask

LONGEST_SIDE = 2000  # the side that shops of the old system got (contract, section 4); Etsy asks for 2000 or more


@dataclass(frozen=True, slots=True)
class PreparedBackground:
    """A photograph at output size, with all that is the same for every design. Its arrays are read-only.

    `region` is the least box around all print areas and `light` the photograph there, in linear light.
    """

    photo: Bytes
    areas: tuple[PrintArea, ...]
    region: Box | None
    light: Linear
    watermark: Watermark | None

    @property
    def nbytes(self) -> int:
        """How much memory it takes, in bytes."""
        mark = self.watermark.ink.nbytes + self.watermark.keep.nbytes if self.watermark else 0
        return self.photo.nbytes + self.light.nbytes + mark + sum(area.coverage.nbytes for area in self.areas)


def prepare(photo: Bytes, masks: tuple[Mask, ...], watermark: Bytes | None = None) -> PreparedBackground:
    """Bring a photograph (H, W, 3, sRGB) to output size and lay its masks, in its own pixels, over it.

    Raises:
        Unusable: nothing can be drawn into one of the masks; the text counts it from 1.
    """
    height, width = photo.shape[:2]
    size = output_size(width, height)
    scale = (size[0] / width, size[1] / height)
    areas = tuple(_area(number, mask, scale, size) for number, mask in enumerate(masks, 1))
    region = reduce(Box.union, (area.box for area in areas)) if areas else None
    scaled = _scaled(photo, size)
    light = linear_rgb(scaled[region.slices]) if region else np.empty((0, 0, 3), np.float32)
    for array in (scaled, light):
        array.setflags(write=False)
    mark = None if watermark is None else prepared_watermark(watermark, size)
    return PreparedBackground(scaled, areas, region, light, mark)


def render(background: PreparedBackground, design: FlatDesign) -> Bytes:
    """Draw a design into every print area; return the finished picture, (H, W, 3) sRGB."""
    picture = background.photo.copy()
    if background.region is not None:
        light = background.light.copy()
        for area in background.areas:
            below = light[area.box.within(background.region).slices]
            # Premultiplied "over", with the coverage as a second alpha.
            covering = warped(design, area) * area.coverage[..., None]
            below *= 1 - covering[..., 3:]
            below += covering[..., :3]
        picture[background.region.slices] = srgb(light)
    if background.watermark is not None:
        laid_over(picture, background.watermark)
    return picture


def output_size(width: int, height: int) -> tuple[int, int]:
    """The finished picture's width and height, from the photograph's: up or down to the longest side."""
    scale = LONGEST_SIDE / max(width, height)
    return max(1, round(width * scale)), max(1, round(height * scale))


def _scaled(photo: Bytes, size: tuple[int, int]) -> Bytes:
    # reducing_gap: far larger photographs are box-reduced first, to thrice the size; no difference is visible
    scaled = Image.fromarray(photo).resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)
    return np.array(scaled, np.uint8)


def _area(number: int, mask: Mask, scale: tuple[float, float], size: tuple[int, int]) -> PrintArea:
    try:
        return print_area(mask, scale, size)
    except Unusable as error:
        raise Unusable(f"print area {number}: {error}") from error
