"""Smaller pictures: the mean of what each pixel covers, as OpenCV's slower filter has it."""

import cv2
import numpy as np
import pytest

from services.hasher.raster import Pixels
from services.hasher.shrinking import STRIP_ROWS, shrunk

SIDE = 4 * STRIP_ROWS


def painted(width: int, height: int, patches: int | None = None) -> Pixels:
    """Noise with alpha, premultiplied; or so many large soft patches of it on each side."""
    size = (patches, patches, 4) if patches else (height, width, 4)
    noise = np.random.default_rng(width).integers(0, 256, size, dtype=np.uint8)
    picture = cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC)
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGBA2mRGBA), np.uint8)


@pytest.mark.parametrize(
    ("given", "wanted"),
    [((SIDE + 1, SIDE), (SIDE, SIDE)), ((700, 401), (389, 400)), ((300, 399), (76, 100)), ((90, 70), (30, 67))],
)
def test_it_is_opencvs_own_area_within_two_levels(given: tuple[int, int], wanted: tuple[int, int]) -> None:
    picture = painted(*given)
    made = shrunk(picture, *wanted)
    difference = made.astype(int) - cv2.resize(picture, wanted, interpolation=cv2.INTER_AREA)
    assert made.shape == (*reversed(wanted), 4)
    assert np.abs(difference).max() <= 2
    assert abs(difference.mean()) < 0.1
    assert (made[..., :3] <= made[..., 3:]).all(), "no colour is stronger than its alpha"


@pytest.mark.parametrize("given", [(8 * SIDE, 8 * SIDE), (1030, 2051), (515, 3001), (2047, 999), (9001, SIDE)])
def test_what_is_halved_first_is_still_all_of_the_picture(given: tuple[int, int]) -> None:
    picture = painted(*given, patches=8)
    expected = cv2.resize(picture, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    difference = np.abs(shrunk(picture, SIDE, SIDE).astype(int) - expected)
    assert difference.mean() < 2
    assert difference.max() <= 12, "half a pixel of the steepest slope"


@pytest.mark.parametrize("given", [(SIDE + 3, SIDE + 3), (2 * SIDE, 2 * SIDE), (1029, 1027)])
def test_stripes_as_fine_as_a_pixel_become_grey_and_stay_opaque(given: tuple[int, int]) -> None:
    picture = np.zeros((*given, 4), np.uint8)
    picture[::2], picture[..., 3] = 255, 255
    made = shrunk(picture, SIDE // 2, SIDE // 2)
    assert np.abs(made[..., :3].astype(int) - 128).max() <= 65  # a pixel covers one and a half stripe at least
    assert abs(made[..., :3].mean() - 128) < 2
    assert (made[..., 3] == 255).all()


def test_it_goes_into_a_part_of_a_larger_picture() -> None:
    picture, larger = painted(SIDE + 9, SIDE + 7), np.full((SIDE, SIDE, 4), 77, np.uint8)
    shrunk(picture, SIDE - 9, SIDE - 5, into=larger[4:-1, 3:-6])
    np.testing.assert_array_equal(larger[4:-1, 3:-6], shrunk(picture, SIDE - 9, SIDE - 5))
    larger[4:-1, 3:-6] = 77
    assert (larger == 77).all()
