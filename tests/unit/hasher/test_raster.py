"""Operations on pixels: fast ways give what the plain ones give, across the strips in which they work."""

import cv2
import numpy as np
import pytest

from services.hasher.raster import (
    STRIP_ROWS,
    Pixels,
    crop_to_alpha,
    make_straight,
    premultiplied,
    resized,
    strongest_alpha,
)

HEIGHT, WIDTH = 3 * STRIP_ROWS + 7, 2 * STRIP_ROWS + 5


def noise(seed: int = 1) -> Pixels:
    return np.random.default_rng(seed).integers(0, 256, (HEIGHT, WIDTH, 4), dtype=np.uint8)


@pytest.mark.parametrize("at_least", [1, 2, 32, 200, 255])
@pytest.mark.parametrize(("top", "left"), [(0, 0), (STRIP_ROWS, STRIP_ROWS), (HEIGHT - 1, WIDTH - 1), (70, 3)])
def test_the_box_holds_every_pixel_that_reaches_the_alpha_and_ends_at_them(top: int, left: int, at_least: int) -> None:
    picture = np.zeros((HEIGHT, WIDTH, 4), np.uint8)
    picture[..., :3] = 255  # colour under clear pixels is not seen
    picture[..., 3] = at_least - 1
    picture[top, left, 3] = at_least
    picture[HEIGHT - 2, WIDTH // 2, 3] = 255
    rows, columns = np.nonzero(picture[..., 3] >= at_least)
    found = crop_to_alpha(picture, at_least)
    np.testing.assert_array_equal(
        found, picture[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1], strict=True
    )


def test_nothing_is_seen_where_no_pixel_reaches_the_alpha() -> None:
    assert crop_to_alpha(np.full((HEIGHT, WIDTH, 4), 31, np.uint8), 32) is None


def test_a_crop_can_be_cropped_again() -> None:
    picture = noise()[5:, 9:-3]
    picture[:80, :, 3] = 0
    np.testing.assert_array_equal(crop_to_alpha(picture, 1), picture[80:])


@pytest.mark.parametrize("strongest", [0, 1, 63, 64, 255])
def test_the_strongest_alpha_is_found_wherever_it_is(strongest: int) -> None:
    picture = np.zeros((HEIGHT, WIDTH, 4), np.uint8)
    picture[-1, -1] = strongest
    assert strongest_alpha(picture, enough=64) == strongest


@pytest.mark.parametrize("clear_and_opaque", [0, 0.9, 0.999, 1])
def test_straight_is_what_opencv_makes_of_every_pixel(clear_and_opaque: float) -> None:
    chance = np.random.default_rng(5)
    picture = np.tile(noise(), (7, 2, 1))  # more than a strip of pixels
    extreme = chance.choice(np.array([0, 255], np.uint8), picture.shape[:2])
    picture[..., 3] = np.where(chance.random(picture.shape[:2]) < clear_and_opaque, extreme, picture[..., 3])
    expected = cv2.cvtColor(picture, cv2.COLOR_mRGBA2RGBA)
    assert make_straight(picture) is picture
    np.testing.assert_array_equal(picture, expected)


def test_one_clear_pixel_is_enough_to_weigh_colours() -> None:
    picture = noise()
    picture[..., 3] = 255
    assert premultiplied(picture) is picture
    picture[-1, -1] = (9, 9, 9, 0)
    np.testing.assert_array_equal(premultiplied(picture)[-1, -1], (0, 0, 0, 0))


@pytest.mark.parametrize("size", [(256, 256), (515, 300), (100, 800), (60, 70), (64, 128)])
def test_what_is_resized_goes_into_a_part_of_a_larger_picture(size: tuple[int, int]) -> None:
    picture = noise()[: 2 * STRIP_ROWS, : 2 * STRIP_ROWS]
    width, height = size
    larger = np.full((height + 9, width + 9, 4), 77, np.uint8)
    resized(picture, width, height, into=larger[4:-5, 3:-6])
    np.testing.assert_array_equal(larger[4:-5, 3:-6], resized(picture, width, height))
    larger[4:-5, 3:-6] = 77
    assert (larger == 77).all()
