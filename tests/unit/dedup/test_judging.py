"""The second look: what is a copy and what is another design."""

import cv2
import numpy as np
import pytest

from services.dedup.judging import judged
from services.dedup.keys import keys_of
from services.dedup.picture import picture_of
from tests.unit.dedup.art import BLUE, COPIES, design, inverted, leaf, picture, resized, star

ORIGINAL = picture(design())
FOUND = ("re_encode", "near_copy")


@pytest.mark.parametrize("kind", COPIES)
def test_a_copy_is_one_from_either_side(kind: str) -> None:
    copy = picture(COPIES[kind](design()))
    assert judged(copy, ORIGINAL) in FOUND
    assert judged(ORIGINAL, copy) in FOUND


def test_saved_again_is_told_from_changed() -> None:
    assert judged(picture(COPIES["half the size"](design())), ORIGINAL) == "re_encode"
    assert judged(picture(COPIES["cropped by 3 %"](design())), ORIGINAL) == "near_copy"
    assert judged(picture(COPIES["brighter"](design())), ORIGINAL) == "near_copy"


@pytest.mark.parametrize("words", ["CLASS OF 2025", "CLASS OF 2021", "GLASS OF 2024"])
def test_another_text_is_another_design(words: str) -> None:
    assert judged(picture(design(words)), ORIGINAL) == "text_variant"


@pytest.mark.parametrize(("points", "step"), [(78, 23), (90, 24)])
def test_fine_lines_that_run_otherwise_are_another_design(points: int, step: int) -> None:
    one, other = star(81, 22), star(points, step)
    assert judged(picture(other), picture(one)) not in FOUND
    assert judged(picture(resized(one, 0.5)), picture(one)) in FOUND


def test_another_colour_is_another_design() -> None:
    assert judged(picture(design(heart=BLUE)), ORIGINAL) == "colour_variant"


@pytest.mark.parametrize("letters", [20, 24])
def test_a_year_so_small_that_little_of_it_is_left_makes_another_design(letters: int) -> None:
    one, other = (design(f"CLASS OF {year}", letters=letters) for year in (2024, 2025))
    assert judged(picture(other), picture(one)) not in FOUND
    assert judged(picture(resized(one, 0.5)), picture(one)) in FOUND


@pytest.mark.parametrize(("colour", "other"), [((250, 224, 150), (248, 160, 196)), ((200, 190, 140), (210, 160, 170))])
def test_another_pale_colour_is_another_design_and_no_toned_copy(
    colour: tuple[int, int, int], other: tuple[int, int, int]
) -> None:
    one, twin = (picture(leaf(each)) for each in (colour, other))
    assert judged(twin, one) == "colour_variant"
    assert judged(picture(COPIES["darker"](leaf(colour))), one) in FOUND


def test_mirrored_and_inverted_art_is_found_and_is_another_design() -> None:
    for twin, way in ((picture(design()).mirrored(), "mirrored"), (picture(inverted(design())), "inverted")):
        assert judged(twin, ORIGINAL) not in FOUND
        near = [(a ^ b).bit_count() for a in getattr(keys_of(twin), way) for b in keys_of(ORIGINAL).plain]
        assert min(near) <= 4
    assert judged(picture(design()).mirrored().mirrored(), ORIGINAL) in FOUND
    assert judged(picture(inverted(design())).inverted(), ORIGINAL) in FOUND


def test_an_earlier_releases_canonical_picture_is_not_looked_at() -> None:
    old = cv2.imencode(".png", np.zeros((512, 512, 3), np.uint8))[1].tobytes()
    assert picture_of(old) is None
    assert picture_of(b"no picture") is None
