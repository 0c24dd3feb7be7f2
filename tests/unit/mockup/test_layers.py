"""Foregrounds and garment colours."""

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from services.mockup.areas import Box
from services.mockup.faults import NotRenderable
from services.mockup.layers import Dye, dyed
from services.mockup.light import linear_rgb, luminance, srgb
from services.mockup.rendering import prepare, render
from services.mockup.warping import flat_design
from tests.unit.mockup.scenery import box, flat_photo

Pixels = npt.NDArray[np.uint8]
WIDE = (2000, 400)
HERE = box(500.0, 100.0, 900.0, 300.0)
HERE_BOX = Box(500, 100, 900, 300)
RED = np.full((100, 200, 4), (200, 0, 0, 255), np.uint8)


def drawn(front: Pixels) -> Pixels:
    background = prepare(flat_photo(128, WIDE), (HERE,), front=front)
    return render(background, flat_design(RED, background.areas))


def test_what_stands_before_the_design_hides_it() -> None:
    finger = np.zeros((400, 2000, 4), np.uint8)
    finger[50:200, 600:700] = (90, 60, 50, 255)
    picture = drawn(finger)
    assert picture[150, 650].tolist() == [90, 60, 50]
    assert picture[60, 650].tolist() == [90, 60, 50]  # outside the print area as well
    assert picture[150, 750].tolist() == [200, 0, 0]


def test_a_foreground_far_from_the_print_area_is_there_as_well_and_takes_no_memory() -> None:
    twig = np.zeros((400, 2000, 4), np.uint8)
    twig[300:390, 1700:1950] = (10, 90, 20, 255)
    background = prepare(flat_photo(128, WIDE), (HERE,), front=twig)
    assert background.foreground is None
    assert background.region == HERE_BOX
    picture = render(background, flat_design(RED, background.areas))
    assert picture[350, 1800].tolist() == [10, 90, 20]
    assert picture[150, 750].tolist() == [200, 0, 0]


@pytest.mark.parametrize("hidden", [0, 255])
def test_the_edge_of_the_foreground_has_no_fringe_of_what_is_hidden_in_it(hidden: int) -> None:
    large = np.full((800, 4000, 4), (hidden, hidden, hidden, 0), np.uint8)
    cv2.circle(large, (1400, 400), 150, (200, 0, 0, 255), -1)
    picture = drawn(large)
    assert (np.abs(picture[130:270, 620:780].astype(int) - (200, 0, 0)) <= 1).all()


def test_half_transparent_glass_mixes_in_linear_light() -> None:
    glass = np.full((400, 2000, 4), (255, 255, 255, 128), np.uint8)
    seen = linear_rgb(drawn(glass)[150:151, 750:751])[0, 0]
    share = 128 / 255
    np.testing.assert_allclose(seen, linear_rgb(RED[:1, :1, :3])[0, 0] * (1 - share) + share, atol=0.01)


def test_a_foreground_of_other_proportions_is_refused_in_words() -> None:
    with pytest.raises(NotRenderable, match=r"the foreground has 300 x 300 pixels, which are other proportions"):
        drawn(np.zeros((300, 300, 4), np.uint8))


def shirt() -> tuple[Pixels, Pixels]:
    """Light grey cloth with a fold that takes half its light, on white; and its mask."""
    light = linear_rgb(flat_photo(190, (200, 100)))
    light[:, 120:140] *= 0.5
    light[:, :40] = 1
    mask = np.zeros((100, 200), np.uint8)
    mask[:, 40:] = 255
    return srgb(light), mask


@pytest.mark.parametrize("code", ["#101828", "#c01830", "#f4f0e8"])
def test_a_garment_gets_its_colour_and_keeps_its_folds(code: str) -> None:
    photo, mask = shirt()
    new = dyed(photo, Dye(mask, code))
    assert np.abs(new[50, 80].astype(int) - tuple(bytes.fromhex(code[1:]))).max() <= 1
    bright = luminance(linear_rgb(new))
    assert bright[50, 130] / bright[50, 80] == pytest.approx(0.5, rel=0.08)
    assert (new[:, :38] == photo[:, :38]).all()


def test_a_mask_that_is_too_wide_gives_the_wall_beside_dark_cloth_no_glowing_rim() -> None:
    photo = flat_photo(40, WIDE)
    photo[:, 1000:] = 170  # the wall, of which 10 pixels are in the mask
    mask = np.zeros((400, 2000), np.uint8)
    mask[:, :1010] = 255
    light = linear_rgb(dyed(photo, Dye(mask, "#d8c3a5")))
    assert light[200, 1005].max() <= 1.55 * light[200, 500].max()


def test_a_mask_in_a_smaller_size_does_as_well() -> None:
    photo, mask = shirt()
    small = np.asarray(cv2.resize(mask, (100, 50), interpolation=cv2.INTER_AREA), np.uint8)
    new = dyed(photo, Dye(small, "#145028"))
    assert np.abs(new[50, 80].astype(int) - (20, 80, 40)).max() <= 1


def test_an_empty_mask_is_refused_in_words() -> None:
    photo, mask = shirt()
    with pytest.raises(NotRenderable, match="paint white where the garment is"):
        dyed(photo, Dye(mask * 0, "#010203"))
