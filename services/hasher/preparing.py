"""From a file's bytes to its print file and hashes: the whole work on one design, without side effects."""

from dataclasses import dataclass

from services.hasher import png
from services.hasher.decoding import Picture, open_picture
from services.hasher.hashing import Fingerprint, fingerprint
from services.hasher.limits import Limits
from services.hasher.printing import lay_out, layout
from services.hasher.raster import Pixels, crop_to_alpha, premultiplied
from services.hasher.rejection import Rejected
from shared.contracts import PrintSpec


@dataclass(frozen=True)
class Design:
    """What a file became. `print_file` and `canonical` are PNG files; lengths are those of the print file."""

    print_file: bytes
    canonical: bytes
    width: int
    height: int
    dpi: int
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
    picture = open_picture(data, limits)
    visible = _visible(picture, limits)
    weighted = premultiplied(visible)  # once for both
    found = fingerprint(visible, weighted)  # before the costly print file, so that a blank picture ends here
    height, width = visible.shape[:2]
    plan = layout(spec, width, height, picture.dpi)
    printed = lay_out(visible, plan, limits, weighted)
    return Design(
        print_file=png.encode(printed, plan.dpi, small=small),
        canonical=png.encode(found.canonical),
        width=plan.canvas_width,
        height=plan.canvas_height,
        dpi=round(plan.dpi),
        algorithm=found.algorithm,
        phash=found.phash,
        dhash=found.dhash,
        format=picture.format,
        warnings=picture.warnings,
    )


def recognise(data: bytes, limits: Limits) -> Fingerprint:
    """Decode, crop and hash a finished file as it is: alike to the hashes of the upload that it was made from.

    Raises:
        Rejected: nothing can be recognised in it.
    """
    return fingerprint(_visible(open_picture(data, limits), limits))


def _visible(picture: Picture, limits: Limits) -> Pixels:
    visible = crop_to_alpha(picture.pixels)
    if visible is None:
        raise Rejected("transparent", "every pixel is transparent; export it with its artwork visible")
    height, width = visible.shape[:2]
    if max(width, height) < limits.min_side:
        raise Rejected("too_small", f"what is visible is only {width} x {height} px; export it at print size")
    return visible
