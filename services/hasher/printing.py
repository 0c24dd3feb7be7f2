"""A cropped picture laid out at print size."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from services.hasher.limits import Limits
from services.hasher.raster import Pixels, crop_to_alpha, make_straight, premultiplied, resized
from services.hasher.rejection import Rejected
from shared.contracts import PrintSpec

SOFT_DPI = 150
"""What print shops ask for at least; the print itself is 400."""
SEEN = 8
"""Alpha from which something is seen."""
NEARLY_ALL = 0.9
"""Of either side. The outermost part of a soft shadow, which nobody sees, takes less than the rest."""


@dataclass(frozen=True)
class Layout:
    """Pixels: the size the picture gets, and the size of the canvas it is centred on."""

    width: int
    height: int
    canvas_width: int
    canvas_height: int
    dpi: float


def layout(spec: PrintSpec, width: int, height: int, source_dpi: float | None) -> Layout:
    """Where a cropped picture of width x height pixels goes. A digital design stays as it is."""
    if spec.digital:
        return Layout(width, height, width, height, source_dpi or spec.dpi)
    full_width, full_height = _pixels(spec.width_inches, spec.dpi), _pixels(spec.height_inches, spec.dpi)
    if spec.stretch:
        return Layout(full_width, full_height, full_width, full_height, spec.dpi)
    canvas_width = _pixels(spec.canvas_width_inches, spec.dpi)
    canvas_height = _pixels(spec.canvas_height_inches, spec.dpi)
    # A size larger than its canvas would be cut off: what is printed is the canvas.
    scale = min(min(full_width, canvas_width) / width, min(full_height, canvas_height) / height)
    return Layout(max(1, round(width * scale)), max(1, round(height * scale)), canvas_width, canvas_height, spec.dpi)


def lay_out(picture: Pixels, plan: Layout, limits: Limits, weighted: Pixels | None = None) -> Pixels:
    """The print (canvas height, canvas width, 4): resampled premultiplied, centred on transparency.

    `weighted` is the same picture premultiplied, if it is at hand.

    Raises:
        Rejected: the canvas exceeds what we may allocate.
    """
    if plan.canvas_width * plan.canvas_height > limits.max_pixels:
        raise Rejected(
            "print_too_large",
            f"printed at {plan.canvas_width} x {plan.canvas_height} px it would exceed "
            f"{limits.max_pixels / 1e6:.0f} megapixels; choose a smaller size",
        )
    given, wanted = picture.shape[1::-1], (plan.width, plan.height)
    if given == wanted == (plan.canvas_width, plan.canvas_height):
        return np.ascontiguousarray(picture)
    canvas = np.empty((plan.canvas_height, plan.canvas_width, 4), np.uint8)
    place = _cleared_around(canvas, plan)
    if given == wanted:
        place[:] = picture
        return canvas
    weighted = premultiplied(picture) if weighted is None else weighted
    resized(weighted, plan.width, plan.height, into=place)  # no copy: each touches as much memory as the print has
    if weighted is not picture:  # else it is opaque, and stays so
        make_straight(place)
    return canvas


def _cleared_around(canvas: Pixels, plan: Layout) -> Pixels:
    """The part of the canvas that the picture goes to, as a view; around it the canvas is made transparent."""
    top, left = (plan.canvas_height - plan.height) // 2, (plan.canvas_width - plan.width) // 2
    bottom, right = top + plan.height, left + plan.width
    canvas[:top], canvas[bottom:] = 0, 0
    canvas[top:bottom, :left], canvas[top:bottom, right:] = 0, 0
    return canvas[top:bottom, left:right]


def too_few_pixels(picture: Pixels, plan: Layout) -> Iterator[str]:
    """What to tell of a picture that is enlarged so far that its print will be soft."""
    height, width = picture.shape[:2]
    dpi = plan.dpi * min(width / plan.width, height / plan.height)
    if dpi < SOFT_DPI and (width, height) != (plan.width, plan.height):
        yield (
            f"only {width} x {height} px of artwork for a print of {plan.width} x {plan.height}: at {dpi:.0f} dpi it "
            "will look soft; send it larger if you have it so"
        )


def lost_in_specks(picture: Pixels) -> Iterator[str]:
    """What to tell of a picture that hardly visible specks make larger, as removers of backgrounds leave them."""
    seen = crop_to_alpha(picture, SEEN)
    height, width = picture.shape[:2]
    if seen is not None and (seen.shape[0] < NEARLY_ALL * height or seen.shape[1] < NEARLY_ALL * width):
        yield (
            f"hardly visible specks lie around its artwork, which is only {seen.shape[1]} x {seen.shape[0]} of "
            f"{width} x {height} px, so it is printed smaller or off its centre; erase them and send it again"
        )


def _pixels(inches: float, dpi: int) -> int:
    return max(1, round(inches * dpi))
