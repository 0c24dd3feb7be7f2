"""Colours into sRGB: embedded profiles through LittleCMS, CMYK without one by its inks."""

import functools
import io

import cv2
import numpy as np
from PIL import Image, ImageChops, ImageCms, ImageFilter

from services.hasher.raster import Pixels

BROKEN_PROFILE = "its colour profile is damaged or made for other pixels and was ignored; colours may be off"
ESTIMATED_CMYK = "CMYK without a colour profile: its colours are estimated; export it as sRGB to be sure"

# Offset printing's solid inks and overprints as sRGB (paper, C, M, C+M, Y, C+Y, M+Y, C+M+Y), and what is left of
# them under solid black: the usual screen colours of coated web offset (SWOP).
INKS = (
    (255, 255, 255),
    (0, 174, 239),
    (236, 0, 140),
    (46, 49, 146),
    (255, 242, 0),
    (0, 166, 81),
    (237, 28, 36),
    (54, 50, 48),
)
BLACK_INK = (35, 31, 32)

# What LittleCMS raises for a profile that is damaged or made for other pixels (ValueError: a name that is not ASCII)
UNUSABLE = (OSError, ValueError, ImageCms.PyCMSError)


def to_srgb(rgba: Pixels, icc: bytes, *, grey: bool) -> tuple[Pixels, str | None]:
    """The same picture (H, W, 4) in sRGB, and a warning if the profile can't be used. `grey`: R = G = B."""
    try:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(icc))
        space = profile.profile.xcolor_space.strip()
        if space == "RGB":
            return (rgba if _is_srgb(icc) else np.asarray(_converted(Image.fromarray(rgba), profile))), None
        if space == "GRAY" and grey:
            rgb = np.asarray(_converted(Image.fromarray(np.ascontiguousarray(rgba[..., 0])), profile))
            return np.ascontiguousarray(np.dstack([rgb, rgba[..., 3]])), None
    except UNUSABLE:
        return rgba, BROKEN_PROFILE
    return rgba, BROKEN_PROFILE


def cmyk_to_rgba(cmyk: Image.Image, icc: bytes | None) -> tuple[Pixels, str | None]:
    """A CMYK picture as opaque sRGB (H, W, 4), and a warning if its colours had to be estimated."""
    if icc:
        try:
            rgb = _converted(cmyk, ImageCms.ImageCmsProfile(io.BytesIO(icc)))
        except UNUSABLE:
            return _opaque(_by_inks(cmyk)), BROKEN_PROFILE
        return _opaque(rgb), None
    return _opaque(_by_inks(cmyk)), ESTIMATED_CMYK


def _converted(image: Image.Image, profile: ImageCms.ImageCmsProfile) -> Image.Image:
    output = "RGBA" if image.mode == "RGBA" else "RGB"
    transform = ImageCms.buildTransform(
        profile,
        ImageCms.createProfile("sRGB"),
        image.mode,
        output,
        renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
        flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
    )
    converted = ImageCms.applyTransform(image, transform)
    if converted is None:
        raise ImageCms.PyCMSError("no picture came back")
    return converted


@functools.lru_cache(maxsize=8)
def _is_srgb(icc: bytes) -> bool:
    """Whether a profile is one of the many spellings of sRGB: it leaves a grid of colours where they are.

    Saves a pass over every pixel for most files. Two steps of 255 are rounding.
    """
    ramp = np.arange(0, 256, 17, dtype=np.uint8)
    grid = np.stack(np.meshgrid(ramp, ramp, ramp, indexing="ij"), axis=-1).reshape(-1, 16, 3)
    converted = _converted(Image.fromarray(grid), ImageCms.ImageCmsProfile(io.BytesIO(icc)))
    return int(np.abs(np.asarray(converted, dtype=np.int16) - grid).max()) <= 2


def _by_inks(cmyk: Image.Image) -> Image.Image:
    """Neugebauer's equations: mix the colours of the eight overprints by their share of the paper, then black."""
    cyan, magenta, yellow, black = cmyk.split()
    table = [level / 255 for colour in INKS for level in colour]
    mixed = Image.merge("RGB", (cyan, magenta, yellow)).filter(ImageFilter.Color3DLUT(2, table))
    shade = [black.point([round(255 - ink * (255 - rest) / 255) for ink in range(256)]) for rest in BLACK_INK]
    return ImageChops.multiply(mixed, Image.merge("RGB", shade))


def _opaque(rgb: Image.Image) -> Pixels:
    return np.asarray(cv2.cvtColor(np.asarray(rgb), cv2.COLOR_RGB2RGBA), dtype=np.uint8)
