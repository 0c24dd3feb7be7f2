"""What is wrong with a template, or will look wrong, in words: errors stop a mockup, remarks don't."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np

from services.mockup.areas import Box, PrintArea, laid_out, print_area
from services.mockup.authoring.folder import Folder
from services.mockup.composing import composed
from services.mockup.faults import Mistaken, NotRenderable
from services.mockup.framing import framed
from services.mockup.light import Pixels
from services.mockup.rendering import LONGEST_SIDE, output_size
from services.mockup.template import Area, Cylinder, Template

SMALL_PHOTO = 1200  # enlarged to 2000 it looks soft
SMALL_AREA = 250  # pixels of 2000, under which fine lines of a design vanish
LAYERS = ("foreground", "garment", "watermark")


@dataclass
class Findings:
    """In the order in which they were found."""

    errors: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    @contextmanager
    def taking(self, before: str = "") -> Iterator[None]:
        """Take what can't be used for an error, with these words before it."""
        try:
            yield
        except Mistaken as error:
            self.errors += error.mistakes
        except NotRenderable as error:
            self.errors.append(f"{before}{error}")


def lint(folder: Folder) -> Findings:
    """Everything that can be said about a template in a folder. What would only follow from an error is not said."""
    found = Findings()
    with found.taking():
        given = folder.template()
        _look_at_watermark(given, found)
        _look_at_pictures(given, folder, found)
    return found


def _look_at_pictures(given: Template, folder: Folder, found: Findings) -> None:
    try:
        photo, warnings = folder.photograph(given)
    except NotRenderable as error:
        found.errors.append(str(error))
        for name in given.layers:  # whether they fit can't be told, but whether they are there
            with found.taking():
                folder.picture(name)
        return
    found.remarks += [f"{given.photograph}: {words}" for words in warnings]
    look_through(given, photo, found)
    _look_at_layers(given, photo, folder, found)


def _look_at_layers(given: Template, photo: Pixels, folder: Folder, found: Findings) -> None:
    coloured = given.in_colour(next(iter(given.garment.colours))) if given.garment else given
    for part in LAYERS:  # each alone, so that none hides what is wrong with another or with a print area
        others = dict.fromkeys(layer for layer in LAYERS if layer != part)
        with found.taking():
            composed(photo, coloured.model_copy(update={"areas": (), "crop": None} | others), folder.picture)
    if not found.errors:
        with found.taking():
            composed(photo, coloured, folder.picture)


def _look_at_watermark(given: Template, found: Findings) -> None:
    if given.watermark and given.watermark.picture is None:
        found.remarks.append(
            "the watermark names no picture, so only photographs that have one of their own in the system show one, "
            "and no preview of this folder; give `picture` too"
        )


def look_through(given: Template, photo: Pixels, found: Findings) -> None:
    """The print areas on their photograph."""
    if given.crop and given.crop.middle is None:  # it lies around the areas: a wrong one would move it off the others
        whole = Findings()
        _look_at_areas(given.model_copy(update={"crop": None}), photo, whole)
        if whole.errors:
            found.errors += whole.errors
            return
    _look_at_areas(given, photo, found)
    names = [area.name for area in given.areas]
    for name in sorted({name for name in names if names.count(name) > 1}):
        found.remarks.append(f"{names.count(name)} print areas are called {name!r}; give each a name of its own")
    if given.garment and given.garment.colour is None:
        found.remarks.append("the garment has colours and none is chosen, so it stays as it was photographed")


def _look_at_areas(given: Template, photo: Pixels, found: Findings) -> None:
    frame = framed((photo.shape[1], photo.shape[0]), given)
    width, height = frame.size
    if max(width, height) < SMALL_PHOTO:
        found.remarks.append(
            f"the photograph has {width} x {height} pixels and will be enlarged to {LONGEST_SIDE}; take a larger one"
        )
    for number, area in enumerate(given.areas, 1):
        called = f"print area {number} ({area.name})"
        with found.taking(f"{called}: "):
            _look_at(called, area, frame, found)


def _look_at(called: str, area: Area, frame: Box, found: Findings) -> None:
    size, origin = output_size(*frame.size), (frame.left, frame.top)
    scale = (size[0] / frame.size[0], size[1] / frame.size[1])
    laid = print_area(area, scale, size, origin)
    _, outline = laid_out(area.shape, scale, origin)
    low, high = outline.min(axis=0), outline.max(axis=0)
    if (low < -0.5).any() or (high > np.array(size) + 0.5).any():
        found.remarks.append(f"{called}: a part of it lies outside the picture, and the design is cut off there")
    if min(laid.density) < SMALL_AREA:
        across, down = (round(side) for side in laid.density)
        found.remarks.append(
            f"{called}: it is {across} x {down} pixels in the finished picture, too small to show a design's details; "
            "use a photograph that is closer"
        )
    if area.size_inches is not None:
        _measure(called, area, laid, found)
    if area.blend == "multiply" and area.shading:
        found.remarks.append(
            f"{called}: multiplied, a design takes all of the photograph's light, shading adds nothing"
        )
    if area.blend == "multiply" and area.white:
        found.remarks.append(f"{called}: multiplied, a design's white is the photograph's; leave `white` out")
    if area.fit == "cover" and area.margin:
        found.remarks.append(f"{called}: a design that covers the area leaves no margin; make the area smaller")
    if isinstance(area.shape, Cylinder) and area.displacement:
        found.remarks.append(f"{called}: a cylinder has no folds; leave displacement out")


def _measure(called: str, area: Area, laid: PrintArea, found: Findings) -> None:
    """Does the shape have the proportions that the print has in inches?"""
    top, right, bottom, left = laid.surface.lengths
    drawn = (top + bottom) / (right + left)
    wide, high = area.size_inches or (1.0, 1.0)
    if not 0.8 < drawn / (wide / high) < 1.25:
        found.remarks.append(
            f"{called}: {wide:g} x {high:g} inches are {wide / high:.2f} times as wide as high, the shape in the "
            f"photograph {drawn:.2f} times; check the corners and the size"
        )
