"""Untrusted bytes into an upright 8-bit RGBA sRGB picture, or a refusal in words.

The header is read first and held against our own limits, before any decoder allocates for what it claims.
"""

import contextlib
import io
import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, TiffImagePlugin, features

from services.decoding.png_colours import profile_of
from services.decoding.unreadable import BESIDE, UNREADABLE
from services.hasher.colour import cmyk_to_rgba, to_srgb
from services.hasher.limits import Limits, check_bytes, check_side, too_many_pixels
from services.hasher.pixels import decoded, rgba_of, upright
from services.hasher.raster import Pixels
from services.hasher.rejection import Rejected, size_in_words
from services.hasher.sniffing import ends_early, foreign, format_of, png_fault

FORMATS = ("PNG", "JPEG", "WEBP", "TIFF", "GIF", "BMP", *(("AVIF",) if features.check("avif") else ()))

# Pillow's own way with uncompressed TIFFs makes noise of 16-bit channels that lie one behind the other.
TiffImagePlugin.READ_LIBTIFF = True

NEW_SUBFILE_TYPE = 254  # TIFF 6.0, section 8: bit 0 is set in a smaller version of another picture of the file
DNG_VERSION = 50706  # in every raw file of Adobe's format


@dataclass(frozen=True)
class Picture:
    """Pixels (H, W, 4), 8-bit, straight alpha, sRGB, upright. `dpi` is what the file itself says, if it does."""

    pixels: Pixels
    format: str
    dpi: float | None
    warnings: tuple[str, ...]


def open_picture(data: bytes, limits: Limits) -> Picture:
    """Decode the first picture of a file.

    Raises:
        Rejected: it is no picture of ours, is damaged, or exceeds a limit.
    """
    check_bytes(len(data), limits)
    format_ = _known_format(data)
    with _refusing_unreadable(data, format_, limits):
        image = Image.open(io.BytesIO(data), formats=FORMATS)
    if isinstance(image, TiffImagePlugin.TiffImageFile) and _is_preview(image):
        raise _unsupported("a TIFF file that begins with a small preview, as a camera's raw photograph does")
    check_side(*image.size, limits)
    # What the fast codecs would let pass without a word
    if (format_ == "JPEG" and ends_early(data, format_)) or (format_ == "PNG" and png_fault(data)):
        raise _unreadable(data, format_)
    with _refusing_unreadable(data, format_, limits):
        # MPO is what cameras call a JPEG with a preview or gain map behind it: nobody misses those.
        animated = image.format != "MPO" and bool(getattr(image, "is_animated", False))
        raw = decoded(image, data, animated=animated)
    icc, unread = profile_of(image, data)
    pixels, doubt = _as_srgb(image, raw, icc)
    pixels, other_doubt = upright(pixels, image, data)
    more = "it holds several frames or pages; only the first was used" if animated else None
    warnings = tuple(words for words in (more, unread, doubt, other_doubt) if words)
    return Picture(pixels, format_, _resolution(image), warnings)


def _known_format(data: bytes) -> str:
    if (found := format_of(data)) is not None:
        return found
    if (words := foreign(data)) is not None:
        raise _unsupported(words)
    raise Rejected("not_an_image", "not an image; export it as PNG or JPEG")


def _unsupported(words: str) -> Rejected:
    return Rejected("unsupported", f"{words}, which can't be printed from; export it as PNG and upload that")


def _is_preview(image: TiffImagePlugin.TiffImageFile) -> bool:
    """Whether what would be read of a TIFF is a small picture of the one that is meant, as in most raw files."""
    kind = image.tag_v2.get(NEW_SUBFILE_TYPE)
    return DNG_VERSION in image.tag_v2 or (isinstance(kind, int) and bool(kind & 1))


def _unreadable(data: bytes, format_: str) -> Rejected:
    if ends_early(data, format_):
        what_to_do = "it was cut off or damaged on its way: send it again, or export it anew"
        return Rejected("truncated", f"not an image (truncated after {size_in_words(len(data))}); {what_to_do}")
    if format_ == "PNG":  # of which every kind can be read
        return Rejected("damaged", "a damaged PNG file that can't be read; export it again")
    words = "or of a kind that can't be read (any PNG can); export it again"
    return Rejected("damaged", f"a damaged {format_} file, {words}")


@contextlib.contextmanager
def _refusing_unreadable(data: bytes, format_: str, limits: Limits) -> Iterator[None]:
    """Only around calls of Pillow and codecs: the same exceptions anywhere else are our own bugs."""
    try:
        yield
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise too_many_pixels(limits) from error
    except UNREADABLE as error:
        if BESIDE in str(error):
            words = "too much text or a colour profile too large lies beside its picture; export it without metadata"
            raise Rejected("too_large", words) from error
        raise _unreadable(data, format_) from error


def _as_srgb(
    image: Image.Image, raw: NDArray[np.generic] | Image.Image, icc: bytes | None
) -> tuple[Pixels, str | None]:
    if isinstance(raw, Image.Image):
        if raw.mode != "CMYK":
            words = {"I": "32-bit integers", "F": "floating point numbers"}.get(raw.mode, raw.mode)
            raise Rejected("unsupported", f"its pixels are {words}; export it with 8 or 16 bits per channel in RGB")
        return cmyk_to_rgba(raw, icc)
    pixels = rgba_of(raw)
    if not icc:
        return pixels, None
    return to_srgb(pixels, icc, grey=image.mode in {"1", "L", "LA"} or image.mode.startswith("I;16"))


def _resolution(image: Image.Image) -> float | None:
    dpi = image.info.get("dpi")
    try:
        first = float(dpi[0]) if dpi else math.nan
    except (TypeError, ValueError):  # a TIFF may say it in letters
        return None
    return first if 1 <= first <= 20_000 else None
