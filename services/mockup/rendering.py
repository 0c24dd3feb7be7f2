"""A mockup photograph with a design on it. What does not depend on the design is prepared once."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce

import numpy as np
from PIL import Image

from services.mockup.areas import Box, PrintArea, print_area
from services.mockup.faults import NotRenderable
from services.mockup.layers import Dye, Foreground, dyed, foreground
from services.mockup.light import Linear, Pixels, frozen, linear_rgb, srgb
from services.mockup.relief import relieved
from services.mockup.template import Area, Marking, area_of
from services.mockup.warping import FlatDesign, warped
from services.mockup.watermark import Watermark, laid_over, prepared_watermark
from shared.contracts import Mask

LONGEST_SIDE = 2000  # the side that shops of the old system got (contract, section 4); Etsy asks for 2000 or more


@dataclass(frozen=True, slots=True)
class PreparedBackground:
    """A photograph at output size, with all that is the same for every design. Its arrays are read-only.

    `region` is the least box around all print areas, and `light` the photograph there, in linear light and without the
    foreground, which comes over the designs. Elsewhere it is in the photograph already.
    """

    photo: Pixels
    areas: tuple[PrintArea, ...]
    region: Box | None
    light: Linear
    watermark: Watermark | None
    foreground: Foreground | None = None

    @property
    def nbytes(self) -> int:
        """How much memory it takes, in bytes."""
        mark = self.watermark.nbytes if self.watermark else 0
        front = self.foreground.light.nbytes if self.foreground else 0
        return self.photo.nbytes + self.light.nbytes + mark + front + sum(area.nbytes for area in self.areas)


def prepare(
    photo: Pixels,
    places: Sequence[Mask | Area],
    watermark: Pixels | None = None,
    front: Pixels | None = None,
    dye: Dye | None = None,
    marking: Marking | None = None,
    origin: tuple[float, float] = (0, 0),
) -> PreparedBackground:
    """Bring a photograph (H, W, 3, sRGB) to output size and lay its print areas, in its own pixels, over it.

    `front` is a picture (H, W, 4, straight alpha) that stands before the designs. `origin` is where in the pixels of
    the areas the photograph begins, if it is a part of a larger one.

    Raises:
        NotRenderable: nothing can be drawn into one of the areas; the text counts it from 1. Or a layer doesn't fit.
    """
    height, width = photo.shape[:2]
    size = output_size(width, height)
    scaled = _scaled(photo, size)
    scale = (size[0] / width, size[1] / height)
    areas = tuple(_area(number, place, scale, scaled, origin) for number, place in enumerate(places, 1))
    if dye is not None:  # after the areas have read the light, which the new colour may hide
        scaled = dyed(scaled, dye)
    region = reduce(Box.union, (area.box for area in areas)) if areas else None
    light = linear_rgb(scaled[region.slices]) if region else np.empty((0, 0, 3), np.float32)
    layer = None if front is None else foreground(front, size)
    if layer is not None:
        scaled = _fronted(scaled, layer)
    mark = None if watermark is None else prepared_watermark(watermark, size, marking)
    front_there = layer.within(region) if layer and region else None
    return PreparedBackground(frozen(scaled), areas, region, frozen(light), mark, front_there)


def render(background: PreparedBackground, design: FlatDesign) -> Pixels:
    """Draw a design into every print area; return the finished picture, (H, W, 3) sRGB."""
    picture = background.photo.copy()
    if background.region is not None:
        light = background.light.copy()
        for area in background.areas:
            below = light[area.box.within(background.region).slices]
            _over(below, printed(warped(design, area), area, below))
        if background.foreground is not None:
            layer = background.foreground
            _over(light[layer.box.within(background.region).slices], layer.light)
        picture[background.region.slices] = srgb(light)
    if background.watermark is not None:
        laid_over(picture, background.watermark)
    return picture


def printed(ink: Linear, area: PrintArea, below: Linear) -> Linear:
    """A warped design (h, w, 4) in the area's light, with the coverage as a second alpha."""
    ink *= area.coverage[..., None]
    colour, alpha = ink[..., :3], ink[..., 3:]
    if area.blend == "multiply":  # dye on white cloth: the photograph's light is in what it is multiplied with
        colour *= below
    elif area.white is not None:
        colour *= area.white
    if area.blend == "normal" and area.glow is not None:
        np.minimum(colour * area.glow.shade[..., None], alpha, out=colour)
    if area.glow is not None and area.glow.shine is not None:
        colour += (alpha - colour) * area.glow.shine[..., None]
    return ink


def _fronted(photo: Pixels, layer: Foreground) -> Pixels:
    seen = photo.copy()
    light = linear_rgb(photo[layer.box.slices])
    _over(light, layer.light)
    seen[layer.box.slices] = srgb(light)
    return seen


def _over(below: Linear, covering: Linear) -> None:
    below *= 1 - covering[..., 3:]
    below += covering[..., :3]


def output_size(width: int, height: int) -> tuple[int, int]:
    """The finished picture's width and height, from the photograph's: up or down to the longest side."""
    scale = LONGEST_SIDE / max(width, height)
    return max(1, round(width * scale)), max(1, round(height * scale))


def _scaled(photo: Pixels, size: tuple[int, int]) -> Pixels:
    # reducing_gap: far larger photographs are box-reduced first, to thrice the size; no difference is visible
    scaled = Image.fromarray(photo).resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)
    return np.array(scaled, np.uint8)


def _area(
    number: int, place: Mask | Area, scale: tuple[float, float], photo: Pixels, origin: tuple[float, float]
) -> PrintArea:
    try:
        facts = area_of(place) if isinstance(place, Mask) else place
        return relieved(print_area(facts, scale, (photo.shape[1], photo.shape[0]), origin), facts, photo)
    except NotRenderable as error:
        raise NotRenderable(f"print area {number}: {error}") from error
