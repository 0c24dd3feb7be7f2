"""From a file's bytes to its print file and hashes: the whole work on one design, without side effects."""

from dataclasses import dataclass

from services.hasher import png
from services.hasher.decoding import Picture, open_picture
from services.hasher.hashing import Fingerprint, fingerprint
from services.hasher.limits import Limits
from services.hasher.printing import Layout, lay_out, layout, lost_in_specks, too_few_pixels
from services.hasher.raster import Pixels, crop_to_alpha, premultiplied
from services.hasher.rejection import Rejected
from shared.contracts import PrintSpec


@dataclass(frozen=True)
class Design:
    """What a file became. `print_file` and `canonical` are PNG files; lengths are those of the print file.

    `canonical` is square, so what it shows has the proportions that it tells of each pixel (pHYs).
    `artwork`: width and height of what is visible of the file itself, without an opaque page that it lies on.
    """

    print_file: bytes
    canonical: bytes
    width: int
    height: int
    dpi: int
    artwork: tuple[int, int]
    algorithm: str
    phash: str
    dhash: str
    format: str
    warnings: tuple[str, ...]


def prepare(data: bytes, spec: PrintSpec, limits: Limits, *, small: bool = False) -> Design:
    """Decode, crop, hash, lay out, encode; `small`: for a slow link rather than few cores.

    Raises:
        Rejected: the file can't become a print.
    """
    picture, visible = opened(data, limits)
    weighted = premultiplied(visible)  # once for both
    found = fingerprint(visible, weighted)  # before the costly print file, so that a blank picture ends here
    pixels, plan = printed(picture, visible, spec, limits, weighted)
    return Design(
        print_file=png.encode(pixels, plan.dpi, small=small),
        canonical=canonical_file(found),
        width=plan.canvas_width,
        height=plan.canvas_height,
        dpi=round(plan.dpi),
        artwork=found.artwork,
        algorithm=found.algorithm,
        phash=found.phash,
        dhash=found.dhash,
        format=picture.format,
        warnings=(*picture.warnings, *lost_in_specks(visible), *too_few_pixels(visible, plan)),
    )


def canonical_file(found: Fingerprint) -> bytes:
    """The canonical picture as a PNG file that holds a second one: the same picture close up."""
    return png.encode(found.canonical, pixel=found.shown, close_up=png.encode(found.close_up))


def opened(data: bytes, limits: Limits) -> tuple[Picture, Pixels]:
    """A file's picture, and the part of it that is visible, as a view.

    Raises:
        Rejected: it is no picture, or nothing of it is seen.
    """
    picture = open_picture(data, limits)
    return picture, _visible(picture, limits)


def printed(
    picture: Picture, visible: Pixels, spec: PrintSpec, limits: Limits, weighted: Pixels | None = None
) -> tuple[Pixels, Layout]:
    """The print file's pixels and how they were laid out. `weighted` is the visible part premultiplied, if at hand.

    Raises:
        Rejected: it would be too large.
    """
    height, width = visible.shape[:2]
    plan = layout(spec, width, height, picture.dpi)
    return lay_out(visible, plan, limits, weighted), plan


def recognise(data: bytes, limits: Limits) -> Fingerprint:
    """Decode, crop and hash a finished file as it is: alike to the hashes of the upload that it was made from.

    Raises:
        Rejected: nothing can be recognised in it.
    """
    return fingerprint(opened(data, limits)[1])


def _visible(picture: Picture, limits: Limits) -> Pixels:
    visible = crop_to_alpha(picture.pixels)
    if visible is None:
        raise Rejected("transparent", "every pixel is transparent; export it with its artwork visible")
    height, width = visible.shape[:2]
    if max(width, height) < limits.min_side:
        raise Rejected("too_small", f"what is visible is only {width} x {height} px; export it at print size")
    return visible
