"""Our PNG files are what any reader expects."""

import io
import struct

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from services.hasher.png import encode
from services.hasher.raster import STRIP_ROWS
from services.hasher.sniffing import png_fault


@settings(max_examples=60)
@given(st.integers(1, 40), st.integers(1, 40), st.sampled_from([3, 4]), st.randoms(use_true_random=False))
def test_pillow_and_opencv_read_back_every_pixel(width: int, height: int, channels: int, random: object) -> None:
    seed = random.randrange(2**32)  # type: ignore[attr-defined]
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, channels), dtype=np.uint8)
    data = encode(pixels, 400)
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(data))), pixels)
    order = [2, 1, 0, 3][:channels]
    read = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    np.testing.assert_array_equal(np.asarray(read)[..., order], pixels)


@pytest.mark.parametrize("small", [False, True])
def test_rows_follow_each_other_across_the_strips_in_which_they_are_written(small: bool) -> None:
    pixels = np.random.default_rng(1).integers(0, 9, (2 * STRIP_ROWS + 1, 50, 4), dtype=np.uint8)
    data = encode(pixels, 400, small=small)
    assert png_fault(data) is None
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(data))), pixels)


def test_a_pixel_that_is_no_square_says_so() -> None:
    data = encode(np.zeros((8, 8, 4), np.uint8), pixel=(1500, 250))
    assert png_fault(data) is None
    across, down = Image.open(io.BytesIO(data)).info["aspect"]
    assert (across, down) == (250, 1500), "a unit of length holds more pixels where they are less wide"


def test_small_files_are_smaller() -> None:
    pixels = np.random.default_rng(1).integers(0, 2, (300, 300, 4), dtype=np.uint8)
    assert len(encode(pixels, small=True)) < 0.95 * len(encode(pixels))


def test_chunks_and_checksums_are_right() -> None:
    data = encode(np.zeros((3, 2, 4), np.uint8), 400)
    assert png_fault(data) is None
    Image.open(io.BytesIO(data)).verify()
    kinds, position = [], 8
    while position < len(data):
        (length,) = struct.unpack(">I", data[position : position + 4])
        kinds.append(data[position + 4 : position + 8])
        position += 12 + length
    assert kinds == [b"IHDR", b"sRGB", b"pHYs", b"IDAT", b"IEND"]


@pytest.mark.parametrize(("dpi", "per_metre"), [(400, 15748), (300, 11811), (72, 2835), (399.9992, 15748)])
def test_the_resolution_is_written_in_pixels_per_metre(dpi: float, per_metre: int) -> None:
    data = encode(np.zeros((1, 1, 4), np.uint8), dpi)
    assert struct.pack(">4sIIB", b"pHYs", per_metre, per_metre, 1) in data


def test_a_picture_without_a_resolution_claims_none() -> None:
    assert b"pHYs" not in encode(np.zeros((1, 1, 3), np.uint8))
