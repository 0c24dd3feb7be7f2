"""Embedded profiles and CMYK end in sRGB."""

import struct
import zlib

import numpy as np
import pytest
from PIL import Image, ImageCms

from services.decoding.png_colours import HDR
from services.hasher.colour import BROKEN_PROFILE, ESTIMATED_CMYK
from services.hasher.decoding import open_picture
from services.hasher.limits import Limits
from tests.images import chunk, raw_png, saved
from tests.unit.hasher.samples import artwork, inks_profile, linear_grey_profile, photo

SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
# Its red and blue primaries change places, so pixels through it do too.
SWAPPED = SRGB.replace(b"rXYZ", b"tmp.", 1).replace(b"bXYZ", b"rXYZ", 1).replace(b"tmp.", b"bXYZ", 1)
LIMITS = Limits()

LINEAR, OF_SRGB = (chunk(b"gAMA", struct.pack(">I", gamma)) for gamma in (100_000, 45_455))
SRGB_PRIMARIES = chunk(b"cHRM", struct.pack(">8I", 31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000))
ADOBE_PRIMARIES = chunk(b"cHRM", struct.pack(">8I", 31270, 32900, 64000, 33000, 21000, 71000, 15000, 6000))
NO_PRIMARIES = chunk(b"cHRM", bytes(32))
ONE_PRIMARY = chunk(b"cHRM", struct.pack(">8I", *[31270, 32900] * 4))
IS_SRGB = chunk(b"sRGB", b"\0")
RED_IS_BLUE = chunk(b"iCCP", b"swapped\0\0" + zlib.compress(SWAPPED))
DISPLAY_P3, CODED_SRGB, PQ = (chunk(b"cICP", bytes((*codes, 0, 1))) for codes in ((12, 13), (1, 13), (9, 16)))


def levels(data: bytes) -> tuple[tuple[int, ...], tuple[str, ...]]:
    """The colour of the first pixel, and the warnings."""
    picture = open_picture(data, LIMITS)
    return tuple(int(level) for level in picture.pixels[0, 0]), picture.warnings


@pytest.mark.parametrize("format_", ["PNG", "JPEG", "TIFF", "WEBP"])
def test_an_embedded_profile_is_converted_to_srgb(format_: str) -> None:
    red = Image.new("RGB", (16, 16), (250, 10, 10))
    colour, warnings = levels(saved(red, format_, icc_profile=SWAPPED))
    assert np.abs(np.subtract(colour[:3], (10, 10, 250))).max() <= 4
    assert warnings == ()


def test_alpha_passes_through_a_profile_unchanged() -> None:
    picture = artwork()
    opened = open_picture(saved(picture, "PNG", icc_profile=SWAPPED), LIMITS).pixels
    np.testing.assert_array_equal(opened[..., 3], picture[..., 3])


def test_an_srgb_profile_changes_no_pixel() -> None:
    picture = artwork()
    np.testing.assert_array_equal(open_picture(saved(picture, "PNG", icc_profile=SRGB), LIMITS).pixels, picture)


@pytest.mark.parametrize("mode", ["L", "LA"])
def test_a_grey_profile_is_converted_to_srgb(mode: str) -> None:
    grey = Image.new("L", (16, 16), 128).convert(mode)
    colour, warnings = levels(saved(grey, "PNG", icc_profile=linear_grey_profile()))
    assert warnings == ()
    assert np.abs(np.subtract(colour, (188, 188, 188, 255))).max() <= 1


@pytest.mark.parametrize(
    "icc",
    [
        b"no profile at all",
        SRGB[:200],
        SRGB.replace(b"RGB ", b"RG\xf9 ", 1),
        linear_grey_profile(),
        inks_profile((1, 2, 3)),
    ],
    ids=["nonsense", "cut off", "not ASCII", "of grey", "of CMYK"],
)
def test_a_profile_that_is_broken_or_for_other_pixels_is_ignored_and_said(icc: bytes) -> None:
    picture = photo()
    opened = open_picture(saved(picture, "TIFF", icc_profile=icc), LIMITS)
    np.testing.assert_array_equal(opened.pixels[..., :3], picture)
    assert opened.warnings == (BROKEN_PROFILE,)


@pytest.mark.parametrize("format_", ["JPEG", "TIFF"])
@pytest.mark.parametrize(
    ("inks", "colour"),
    [
        ((0, 0, 0, 0), (255, 255, 255)),
        ((255, 0, 0, 0), (0, 174, 239)),
        ((0, 255, 255, 0), (237, 28, 36)),
        ((0, 0, 0, 255), (35, 31, 32)),
        ((0, 0, 0, 128), (145, 143, 143)),
    ],
)
def test_cmyk_without_a_profile_looks_like_print_and_says_that_it_is_estimated(
    format_: str, inks: tuple[int, ...], colour: tuple[int, ...]
) -> None:
    """In a JPEG the inks are stored inverted, as Adobe's programs do."""
    options = {"quality": 100} if format_ == "JPEG" else {}
    found, warnings = levels(saved(Image.new("CMYK", (16, 16), inks), format_, **options))
    assert np.abs(np.subtract(found, (*colour, 255))).max() <= 3
    assert warnings == (ESTIMATED_CMYK,)


def test_cmyk_is_converted_by_its_own_profile() -> None:
    """In this profile full cyan prints CIE Lab (50, -60, 50): green."""
    cyan = Image.new("CMYK", (16, 16), (255, 0, 0, 0))
    (red, green, blue, alpha), warnings = levels(saved(cyan, "TIFF", icc_profile=inks_profile((128, 68, 178))))
    assert (green > 120, red < 60, blue < 60, alpha, warnings) == (True, True, True, 255, ())


def test_cmyk_with_a_broken_profile_is_estimated() -> None:
    colour, warnings = levels(saved(Image.new("CMYK", (16, 16)), "TIFF", icc_profile=b"no profile"))
    assert (colour, warnings) == ((255, 255, 255, 255), (BROKEN_PROFILE,))


@pytest.mark.parametrize(
    ("chunks", "said", "meant"),
    [
        ((DISPLAY_P3,), (234, 51, 35), (255, 0, 0)),
        ((LINEAR,), (128, 55, 255), (188, 128, 255)),
        ((OF_SRGB, ADOBE_PRIMARIES), (219, 0, 0), (255, 0, 0)),
        ((DISPLAY_P3, RED_IS_BLUE, LINEAR), (234, 51, 35), (255, 0, 0)),
        ((RED_IS_BLUE, LINEAR), (250, 10, 10), (10, 10, 250)),
        ((IS_SRGB, LINEAR, ADOBE_PRIMARIES), (128, 55, 255), (128, 55, 255)),
        ((OF_SRGB,), (128, 55, 3), (128, 55, 3)),
        ((OF_SRGB, SRGB_PRIMARIES), (128, 55, 3), (128, 55, 3)),
        ((CODED_SRGB,), (128, 55, 3), (128, 55, 3)),
        ((ADOBE_PRIMARIES, chunk(b"gAMA", bytes(4))), (128, 55, 3), (128, 55, 3)),
        ((OF_SRGB, NO_PRIMARIES), (128, 55, 3), (128, 55, 3)),
        ((OF_SRGB, ONE_PRIMARY), (128, 55, 3), (128, 55, 3)),
    ],
)
def test_a_png_is_read_as_browsers_show_it_whichever_way_it_tells_its_colours(
    chunks: tuple[bytes, ...], said: tuple[int, ...], meant: tuple[int, ...]
) -> None:
    colour, warnings = levels(raw_png(1, 1, 8, 2, bytes(said), *chunks))
    assert np.abs(np.subtract(colour[:3], meant)).max() <= 4
    assert warnings == ()


def test_a_grey_png_is_read_by_its_gamma() -> None:
    assert levels(raw_png(1, 1, 8, 0, bytes([128]), LINEAR))[0] == (188, 188, 188, 255)


def test_a_png_of_hdr_colours_is_read_as_srgb_and_said() -> None:
    assert levels(raw_png(1, 1, 8, 2, bytes((128, 55, 3)), PQ)) == ((128, 55, 3, 255), (HDR,))
