"""Untrusted bytes become pixels or a refusal in words."""

import io
import re
import resource
import struct
import sys
import zlib

import imagecodecs
import numpy as np
import pytest
from PIL import Image, ImageOps

from services.hasher.decoding import open_picture
from services.hasher.limits import Limits
from services.hasher.pixels import rgba_of
from services.hasher.rejection import Rejected
from services.hasher.sniffing import misnamed
from tests.images import chunk, raw_png, saved
from tests.unit.hasher.samples import Pixels, artwork, as_pillow_reads, bomb, photo

LIMITS = Limits()
CMYK_WITH_ALPHA = imagecodecs.tiff_encode(
    np.zeros((20, 20, 5), np.uint8), photometric="separated", planarconfig="contig", extrasample=2
)
TWELVE_BITS = imagecodecs.jpeg_encode(np.zeros((20, 20), np.uint16), bitspersample=12)
RGBA = Image.fromarray(artwork())
RGB = Image.fromarray(photo())
FORMATS = {name: saved(RGB, name) for name in ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "AVIF")}
BYTES = np.random.default_rng(3).integers(0, 256, 64 * 40 * 8, dtype=np.uint8).tobytes()


def opened(data: bytes) -> Pixels:
    return open_picture(data, LIMITS).pixels


def refusal(data: bytes, limits: Limits = LIMITS) -> Rejected:
    with pytest.raises(Rejected) as caught:
        open_picture(data, limits)
    return caught.value


@pytest.mark.parametrize(
    ("name", "data"),
    {
        "PNG RGBA": saved(RGBA, "PNG"),
        "PNG RGB": saved(RGB, "PNG"),
        "PNG grey": saved(RGB.convert("L"), "PNG"),
        "PNG LA": saved(RGBA.convert("LA"), "PNG"),
        "PNG palette": saved(RGB.convert("P"), "PNG"),
        "PNG palette with tRNS": saved(RGBA.quantize(16), "PNG"),
        "PNG 1 bit": saved(RGB.convert("1"), "PNG"),
        "PNG grey with a transparent level": raw_png(64, 40, 8, 0, BYTES[: 64 * 40], chunk(b"tRNS", b"\0" + BYTES[:1])),
        "JPEG": saved(RGB, "JPEG", quality=85),
        "JPEG 4:4:4": saved(RGB, "JPEG", quality=95, subsampling=0),
        "JPEG progressive": saved(RGB, "JPEG", progressive=True),
        "JPEG grey": saved(RGB.convert("L"), "JPEG"),
        "JPEG of RGB components": saved(RGB, "JPEG", keep_rgb=True),
        "WEBP lossy": saved(RGBA, "WEBP", quality=80),
        "WEBP lossless": saved(RGBA, "WEBP", lossless=True, exact=True),
        "WEBP opaque": saved(RGB, "WEBP"),
        "TIFF": saved(RGBA, "TIFF"),
        "TIFF LZW": saved(RGBA, "TIFF", compression="tiff_lzw"),
        "TIFF of JPEG strips": saved(RGB, "TIFF", compression="jpeg"),
        "TIFF fax": saved(RGB.convert("1"), "TIFF", compression="group4"),
        "GIF": saved(RGBA, "GIF"),
        "BMP": saved(RGB, "BMP"),
        "BMP 32 bit": saved(RGBA, "BMP"),
        "AVIF": saved(RGBA, "AVIF"),
    }.items(),
)
def test_every_format_gives_the_pixels_that_pillow_gives(name: str, data: bytes) -> None:
    picture = open_picture(data, LIMITS)
    assert picture.format == name.split(maxsplit=1)[0]
    assert picture.warnings == ()
    assert picture.pixels.dtype == np.uint8
    np.testing.assert_array_equal(picture.pixels, as_pillow_reads(data))


@pytest.mark.parametrize(("colour_type", "channels"), [(0, 1), (2, 3), (4, 2), (6, 4)])
def test_sixteen_bits_are_scaled_and_not_clipped(colour_type: int, channels: int) -> None:
    packed = BYTES[: 64 * 40 * channels * 2]
    wide = np.frombuffer(packed, ">u2").reshape(40, 64, channels).squeeze()
    expected = rgba_of((wide >> 8).astype(np.uint8))
    np.testing.assert_array_equal(opened(raw_png(64, 40, 16, colour_type, packed)), expected)


def test_a_sixteen_bit_grey_tiff_is_scaled() -> None:
    ramp = np.linspace(0, 65535, 64 * 40).astype(np.uint16).reshape(40, 64)
    np.testing.assert_array_equal(opened(saved(Image.fromarray(ramp), "TIFF"))[..., 0], ramp >> 8)


def test_a_sixteen_bit_tiff_whose_channels_lie_one_behind_the_other_is_no_noise() -> None:
    wide = np.frombuffer(BYTES[: 40 * 64 * 6], np.uint16).reshape(3, 40, 64)
    data = imagecodecs.tiff_encode(wide, photometric="rgb", planarconfig="separate", compression=1)
    np.testing.assert_array_equal(opened(data)[..., :3], np.moveaxis(wide >> 8, 0, -1))


def test_a_sixteen_bit_grey_tiff_whose_zero_is_white_is_no_negative() -> None:
    ramp = np.linspace(0, 65535, 64 * 40).astype(np.uint16).reshape(40, 64)
    white_is_zero = saved(Image.fromarray(ramp), "TIFF", tiffinfo={0x0106: 0})
    np.testing.assert_array_equal(opened(white_is_zero)[..., 0], 255 - (ramp >> 8))


@pytest.mark.parametrize("bits", [1, 2, 4])
def test_the_transparent_level_of_a_png_with_few_greys_is_found(bits: int) -> None:
    levels = np.unpackbits(np.frombuffer(BYTES[: 40 * 64 * bits // 8], np.uint8)).reshape(40, 64, bits)
    level = levels @ (1 << np.arange(bits)[::-1])
    data = raw_png(64, 40, bits, 0, BYTES[: 40 * 64 * bits // 8], chunk(b"tRNS", struct.pack(">H", 1)))
    np.testing.assert_array_equal(opened(data)[..., 3], np.where(level == 1, 0, 255))


@pytest.mark.parametrize(("colour_type", "channels"), [(0, 1), (2, 3)])
def test_the_transparent_colour_of_a_sixteen_bit_png_is_found(colour_type: int, channels: int) -> None:
    packed = BYTES[: 64 * 40 * channels * 2]
    data = raw_png(64, 40, 16, colour_type, packed, chunk(b"tRNS", packed[: channels * 2]))
    assert opened(data)[0, 0, 3] == 0
    assert opened(data)[..., 3].mean() > 250


@pytest.mark.parametrize("format_", ["PNG", "JPEG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied(format_: str, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = saved(RGB, format_, exif=exif, **({"lossless": True} if format_ == "WEBP" else {}))
    stored = Image.open(io.BytesIO(data))
    np.testing.assert_array_equal(opened(data)[..., :3], np.asarray(ImageOps.exif_transpose(stored)))


def test_a_late_exif_chunk_turns_a_png() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    data = saved(RGB, "PNG")
    late = data[:-12] + chunk(b"eXIf", exif.tobytes().removeprefix(b"Exif\0\0")) + data[-12:]
    np.testing.assert_array_equal(opened(late)[..., :3], np.rot90(np.asarray(RGB), -1))


def test_a_damaged_exif_block_costs_only_the_turn() -> None:
    data = saved(RGB, "PNG")
    broken = data[:33] + chunk(b"eXIf", b"II*\0\xff") + data[33:]
    picture = open_picture(broken, LIMITS)
    assert "EXIF" in picture.warnings[0]
    np.testing.assert_array_equal(picture.pixels[..., :3], np.asarray(RGB))


@pytest.mark.parametrize("format_", ["GIF", "WEBP", "PNG", "TIFF"])
def test_of_several_frames_the_first_is_used_and_said(format_: str) -> None:
    small = Image.fromarray(photo(48, 32))
    data = saved(small, format_, save_all=True, append_images=[ImageOps.invert(small)])
    picture = open_picture(data, LIMITS)
    assert any("only the first was used" in words for words in picture.warnings)
    np.testing.assert_array_equal(picture.pixels, as_pillow_reads(data))


@pytest.mark.parametrize(("format_", "options"), [("PNG", {}), ("JPEG", {}), ("TIFF", {})])
def test_the_files_own_resolution_is_read(format_: str, options: dict[str, object]) -> None:
    assert open_picture(saved(RGB, format_, dpi=(300, 300), **options), LIMITS).dpi == pytest.approx(300, abs=0.01)
    assert open_picture(saved(RGB, "PNG"), LIMITS).dpi is None


def test_a_resolution_that_is_no_number_is_none() -> None:
    ratio, letters = (struct.pack("<HHI", 0x011A, type_, 1) for type_ in (5, 2))
    data = saved(RGB, "TIFF", dpi=(300, 300))
    assert ratio in data
    assert open_picture(data.replace(ratio, letters), LIMITS).dpi is None


@pytest.mark.parametrize("format_", FORMATS)
@pytest.mark.parametrize("share", [0.02, 0.3, 0.6, 0.95])
def test_a_truncated_file_is_refused(format_: str, share: float) -> None:
    whole = FORMATS[format_]
    refused = refusal(whole[: max(16, int(len(whole) * share))])
    assert refused.code in {"truncated", "damaged"}
    assert refused.reason.endswith(
        "; it was cut off or damaged on its way: send it again, or export it anew"
        if refused.code == "truncated"
        else "; export it again"
    )


def test_the_refusal_says_where_the_file_breaks_off() -> None:
    whole = saved(photo(400, 300), "PNG")
    assert refusal(whole[:41_234]).reason == (
        "not an image (truncated after 41 kB); it was cut off or damaged on its way: send it again, or export it anew"
    )


def test_a_jpeg_without_its_end_is_refused_although_decoders_fill_it_up() -> None:
    thumbnail = Image.Exif()
    thumbnail[0x010E] = b"\xff\xd8 a thumbnail has an end of its own \xff\xd9".decode("latin-1")
    whole = saved(RGB, "JPEG", exif=thumbnail)
    assert opened(whole).shape == (200, 240, 4)
    assert refusal(whole[:-2]).code == "truncated"
    assert refusal(whole[:-200]).code == "truncated"


def test_a_flipped_bit_in_a_png_is_refused() -> None:
    data = bytearray(saved(RGB, "PNG"))
    data[len(data) // 2] ^= 1
    assert refusal(bytes(data)).code == "damaged"


def test_a_png_whose_pixels_are_missing_behind_good_checksums_is_refused() -> None:
    whole = raw_png(64, 40, 8, 6, BYTES[: 64 * 40 * 4])
    tall = whole[:16] + struct.pack(">II", 64, 400) + whole[24:29]
    assert refusal(whole[:8] + chunk(b"IHDR", tall[16:]) + whole[33:]).code in {"truncated", "damaged"}


@pytest.mark.parametrize(
    ("data", "code", "words"),
    [
        (b"", "empty", "empty"),
        (b"hello", "not_an_image", "not an image"),
        (b"<!DOCTYPE html><html><body>404</body></html>", "unsupported", "web page"),
        (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", "unsupported", "PDF"),
        (b"8BPS\0\x01" + bytes(30), "unsupported", "Photoshop"),
        (b"gimp xcf v011\0" + bytes(30), "unsupported", "a GIMP file (XCF)"),
        (b"\0\0\1\0\1\0" + bytes(30), "unsupported", "an icon file (ICO)"),
        (b'<?xml version="1.0"?>\n<!-- made by hand -->\n<svg xmlns="x"/>', "unsupported", "SVG"),
        (b'  <svg xmlns="http://www.w3.org/2000/svg"/>', "unsupported", "SVG"),
        (b"\0\0\0\x18ftypheic" + bytes(30), "unsupported", "HEIC"),
        (b"PK\x03\x04" + bytes(30), "unsupported", "zip"),
        (b"\x89PNG\r\n\x1a\n" + bytes(60), "damaged", "damaged PNG"),
        (raw_png(1, 1, 8, 6, bytes(4)).replace(struct.pack(">II", 1, 1), bytes(8), 1), "damaged", "damaged PNG"),
        (
            b"BM" + struct.pack("<IIIIiiHHIIIIII", 54, 0, 54, 40, 0, 0, 1, 24, 0, 0, 0, 0, 0, 0),
            "damaged",
            "damaged BMP",
        ),
        (saved(Image.new("F", (20, 20)), "TIFF"), "unsupported", "floating point"),
        (saved(RGB, "TIFF", tiffinfo={254: 1}), "unsupported", "begins with a small preview"),
        (saved(RGB, "TIFF", tiffinfo={50706: b"\1\4\0\0"}), "unsupported", "begins with a small preview"),
        (saved(RGB, "TIFF")[:8] + b"CR\2\0" + bytes(30), "unsupported", "a camera's raw photograph"),
        (CMYK_WITH_ALPHA, "damaged", "or of a kind that can't be read (any PNG can); export it again"),
        (TWELVE_BITS, "damaged", "or of a kind that can't be read (any PNG can); export it again"),
    ],
)
def test_what_is_no_picture_is_refused_in_words(data: bytes, code: str, words: str) -> None:
    refused = refusal(data)
    assert refused.code == code
    assert words in refused.reason
    assert re.search(r"; (export|upload) ", refused.reason), "it says what to do"


def test_a_bomb_is_refused_from_its_header() -> None:
    data = bomb()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert refusal(data).code == "too_many_pixels"
    unit = 1 if sys.platform == "darwin" else 1024
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * unit < 50e6, "900 MB if it was decoded"


def beside(data: bytes, kind: bytes, head: bytes, size: int) -> bytes:
    """A PNG with one more chunk: `size` bytes, compressed."""
    return data[:33] + chunk(kind, head + zlib.compress(bytes(size))) + data[33:]


@pytest.mark.parametrize(
    ("kind", "head"),
    [(b"zTXt", b"Raw profile type xmp\0\0"), (b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0"), (b"iCCP", b"printer\0\0")],
)
def test_what_lies_beside_the_pixels_of_a_png_may_be_as_long_as_programs_write_it(kind: bytes, head: bytes) -> None:
    """A picture's edit history takes megabytes, and so does a printer's colour profile."""
    plain = saved(artwork(), "PNG")
    picture = open_picture(beside(plain, kind, head, 6 << 20), Limits())
    np.testing.assert_array_equal(picture.pixels, open_picture(plain, Limits()).pixels)


@pytest.mark.parametrize(("kind", "head"), [(b"zTXt", b"Comment\0\0"), (b"iCCP", b"printer\0\0")])
def test_a_bomb_beside_the_pixels_is_refused_as_what_it_is(kind: bytes, head: bytes) -> None:
    refused = refusal(beside(saved(artwork(), "PNG"), kind, head, 40 << 20))
    assert refused.code == "too_large"
    assert "text or a colour profile" in refused.reason
    assert "export it without" in refused.reason


@pytest.mark.parametrize("format_", FORMATS)
def test_our_own_limits_hold_for_every_format(format_: str) -> None:
    data = FORMATS[format_]
    assert refusal(data, Limits(max_pixels=240 * 200 - 1)).code == "too_many_pixels"
    assert refusal(data, Limits(max_side=239)).code == "too_many_pixels"
    assert refusal(data, Limits(max_bytes=len(data) - 1)).code == "too_large"
    open_picture(data, Limits(max_pixels=240 * 200, max_side=240, max_bytes=len(data)))


@pytest.mark.parametrize(
    ("filename", "format_", "warned"),
    [
        ("rose.png", "PNG", False),
        ("ROSE.JPEG", "JPEG", False),
        ("rose.png", "JPEG", True),
        ("rose.psd", "PNG", True),
        ("rose", "PNG", False),
        ("rose v1.2", "PNG", False),
    ],
)
def test_a_name_that_promises_another_format_is_a_warning(filename: str, format_: str, *, warned: bool) -> None:
    assert (misnamed(filename, format_) is not None) is warned


@pytest.mark.filterwarnings("ignore::UserWarning")  # Pillow's, about tags of damaged TIFFs
def test_mutated_files_are_read_or_refused_and_nothing_else() -> None:
    random = np.random.default_rng(11)
    files = [saved(Image.fromarray(artwork(64, 48)), name) for name in ("PNG", "WEBP", "TIFF", "GIF", "BMP", "AVIF")]
    files += [saved(Image.fromarray(photo(64, 48)), "JPEG"), saved(Image.fromarray(photo(64, 48)).convert("P"), "PNG")]
    limits = Limits(max_pixels=100_000)
    for turn in range(400):
        data = bytearray(files[turn % len(files)])
        for position in random.integers(0, min(len(data), 400), 3):
            data[position] = random.integers(0, 256)
        try:
            assert open_picture(bytes(data), limits).pixels.shape[2] == 4
        except Rejected as refused:
            assert refused.reason  # noqa: PT017 - either end is right
