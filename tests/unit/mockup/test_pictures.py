"""Uploaded photographs of every kind, and print files."""

import struct
import zlib
from collections.abc import Callable

import imagecodecs
import numpy as np
import pytest
from PIL import Image, ImageCms

from services.decoding.png_colours import HDR
from services.mockup import pictures
from services.mockup.faults import NotRenderable
from services.mockup.pictures import design, jpeg, layer, photograph
from tests.images import chunk, raw_png, saved

Encode = Callable[..., bytes]


def png_claiming(width: int, height: int) -> bytes:
    """A PNG whose header promises more than follows."""
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    checksum = struct.pack(">I", zlib.crc32(header))
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + header + checksum + b"\0\0\0\0IEND\xaeB`\x82"


@pytest.mark.parametrize("format_", ["PNG", "JPEG", "WEBP"])
def test_the_usual_formats_are_read(encoded: Encode, format_: str) -> None:
    pixels, warnings = photograph(encoded((200, 100, 50), format_=format_))
    assert pixels.shape == (80, 200, 3)
    assert np.abs(pixels[40, 100].astype(int) - (200, 100, 50)).max() <= 6
    assert warnings == ()


def test_a_rotated_photograph_is_turned_upright() -> None:
    lying = Image.new("RGB", (60, 20), (0, 0, 0))
    lying.paste((255, 255, 255), (0, 0, 20, 20))
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned: what is on the left belongs on top
    pixels, _ = photograph(saved(lying, "JPEG", exif=exif, quality=95))
    assert pixels.shape == (60, 20, 3)
    assert pixels[5, 10].min() > 240
    assert pixels[50, 10].max() < 15


def one_row(bits: int, colours: int, row: bytes, *beside: bytes) -> bytes:
    """One row of pixels, as they stand in the file; four of grey, two of RGB."""
    return raw_png(2 if colours else 4, 1, bits, colours, row, *(chunk(each[:4], each[4:]) for each in beside))


@pytest.mark.parametrize(
    ("bits", "row", "key"),
    [
        (2, bytes([0b00_01_10_11]), 1),
        (4, bytes([0x05, 0xAF]), 5),
        (8, bytes([0, 85, 170, 255]), 85),
        (16, struct.pack(">4H", 0, 0x5555, 0xAAAA, 0xFFFF), 0x5555),
    ],
)
def test_the_grey_that_stands_for_transparency_is_transparent_in_a_file_of_any_depth(
    bits: int, row: bytes, key: int
) -> None:
    data = one_row(bits, 0, row, b"tRNS" + struct.pack(">H", key))

    assert layer(data)[0, :, 3].tolist() == [255, 0, 255, 255]
    assert photograph(data)[0][0, :, 0].tolist() == [0, 255, 170, 255]


def test_the_colour_that_stands_for_transparency_is_transparent_in_a_file_of_16_bits() -> None:
    row = struct.pack(">6H", 0x1234, 0x5678, 0x9ABC, 0xFFFF, 0, 0)

    found = layer(one_row(16, 2, row, b"tRNS" + struct.pack(">3H", 0x1234, 0x5678, 0x9ABC)))

    assert found[0].tolist() == [[0x12, 0x56, 0x9A, 0], [255, 0, 0, 255]]


@pytest.mark.parametrize(
    ("beside", "told"),
    [(b"cICP" + bytes((12, 13, 0, 1)), ()), (b"cICP" + bytes((9, 16, 0, 1)), (HDR,))],
)
def test_colours_that_a_photograph_says_without_a_profile_are_heeded(beside: bytes, told: tuple[str, ...]) -> None:
    """Of Display P3 the green is more vivid than of sRGB; what is HDR is shown as it is, and told."""
    pixels, warnings = photograph(one_row(8, 2, bytes([60, 200, 90] * 2), beside))

    assert warnings == told
    assert (pixels[0, 0, 0] < 30) == (not told)


def test_grey_under_a_gamma_of_its_own_is_made_lighter_or_darker() -> None:
    linear = one_row(8, 0, bytes([0, 55, 128, 255]), b"gAMA" + struct.pack(">I", 100_000))

    pixels, warnings = photograph(linear)

    assert warnings == ()
    assert np.abs(pixels[0, :, 1].astype(int) - (0, 128, 188, 255)).max() <= 3


def test_a_photograph_may_bring_a_long_edit_history() -> None:
    history = chunk(b"zTXt", b"Raw profile type xmp\0\0" + zlib.compress(bytes(6 << 20)))
    picture = saved(Image.new("RGB", (10, 10), "red"))
    assert photograph(picture[:33] + history + picture[33:])[0].shape == (10, 10, 3)


def test_transparent_parts_of_a_photograph_become_white_and_palettes_are_looked_up() -> None:
    image = Image.new("RGBA", (10, 10), (200, 0, 0, 255))
    image.paste((0, 0, 0, 0), (0, 0, 5, 10))
    for data in (saved(image), saved(image.quantize(4))):
        pixels, _ = photograph(data)
        assert pixels[5, 2].min() >= 254
        assert np.abs(pixels[5, 8].astype(int) - (200, 0, 0)).max() <= 2


def test_16_bit_grey_is_scaled_and_not_clipped() -> None:
    grey = np.full((4, 6), 0x8040, np.uint16)
    pixels, _ = photograph(imagecodecs.png_encode(grey))
    assert (pixels == 0x80).all()


def test_cmyk_without_a_profile_is_read_with_a_warning() -> None:
    pixels, warnings = photograph(saved(Image.new("CMYK", (8, 8), (0, 0, 0, 0)), "JPEG"))
    assert pixels.min() > 250
    assert "CMYK without a colour profile" in warnings[0]


def test_an_embedded_profile_is_applied_and_a_broken_one_is_a_warning(encoded: Encode) -> None:
    lab_like = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    pixels, warnings = photograph(encoded((200, 100, 50), icc_profile=lab_like))
    assert np.abs(pixels[0, 0].astype(int) - (200, 100, 50)).max() <= 1
    assert warnings == ()
    pixels, warnings = photograph(encoded((200, 100, 50), icc_profile=b"no profile"))
    assert (pixels[0, 0] == (200, 100, 50)).all()
    assert "colour profile can't be used" in warnings[0]


def test_what_is_no_photograph_is_refused_in_words(encoded: Encode) -> None:
    whole = encoded((1, 2, 3), (600, 600), "JPEG")
    for data, words in (
        (b"", "not a picture"),
        (b"%PDF-1.7", "not a picture"),
        (encoded((1, 2, 3), format_="GIF"), "PNG, JPEG or WEBP"),
        (whole[: len(whole) // 2], "damaged or incomplete"),
        (png_claiming(10_000, 7_000), "more than 60 million pixels"),
        (png_claiming(60_000, 60_000), "more than 60 million pixels"),
        (png_claiming(10, 10), "damaged or incomplete"),
    ):
        with pytest.raises(NotRenderable, match=words):
            photograph(data)


def test_a_watermark_keeps_its_alpha(encoded: Encode) -> None:
    assert layer(encoded((250, 240, 230, 60)))[0, 0].tolist() == [250, 240, 230, 60]
    assert layer(encoded((250, 240, 230)))[0, 0].tolist() == [250, 240, 230, 255]


@pytest.mark.parametrize(
    ("channels", "expected"),
    [
        ((7,), [7, 7, 7, 255]),
        ((7, 9), [7, 7, 7, 9]),
        ((1, 2, 3), [1, 2, 3, 255]),
        ((1, 2, 3, 4), [1, 2, 3, 4]),
    ],
)
@pytest.mark.parametrize("depth", [np.uint8, np.uint16])
def test_a_print_file_of_any_png_kind_becomes_rgba(
    channels: tuple[int, ...], expected: list[int], depth: type[np.uint8 | np.uint16]
) -> None:
    pixels = np.full((3, 5, len(channels)), channels, depth) * depth(257 if depth is np.uint16 else 1)
    picture = design(imagecodecs.png_encode(np.squeeze(pixels)))
    assert picture.dtype == np.uint8
    assert picture.shape == (3, 5, 4)
    assert picture[1, 1].tolist() == expected


def test_a_damaged_or_gigantic_print_file_is_refused(encoded: Encode) -> None:
    whole = encoded((1, 2, 3, 4), (300, 300))
    with pytest.raises(NotRenderable, match="damaged"):
        design(whole[: len(whole) // 2])
    with pytest.raises(NotRenderable, match="more than 250 million"):
        design(png_claiming(40_000, 40_000))


def test_jpegs_of_one_picture_are_one_file() -> None:
    picture = np.random.default_rng(1).integers(0, 256, (50, 70, 3), np.uint8)
    assert jpeg(picture) == jpeg(picture.copy())


def test_a_picture_of_much_grain_is_made_smaller_and_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    grain = np.random.default_rng(5).integers(0, 256, (64, 64, 3), np.uint8)
    plain = np.full_like(grain, 128)
    large = len(jpeg(grain))
    same = jpeg(plain)
    monkeypatch.setattr(pictures, "ENOUGH_BYTES", large - 1)
    assert 0.7 * large < len(jpeg(grain)) < 0.95 * large
    assert jpeg(plain) == same
