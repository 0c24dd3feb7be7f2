"""The second look: what is a copy and what is another design."""

import cv2
import numpy as np
import pytest

from services.dedup.aligning import align
from services.dedup.comparing import Difference, difference
from services.dedup.keys import keys_of
from services.dedup.likeness import _beside, likeness
from services.dedup.picture import Picture, Pixels, picture_of
from tests.unit.dedup.art import BLUE, COPIES, brighter, design, glow, inverted, leaf, picture, resized, star

ORIGINAL = picture(design())
FOUND = ("re_encode", "near_copy")


@pytest.mark.parametrize("kind", COPIES)
def test_a_copy_is_one_from_either_side(kind: str) -> None:
    copy = picture(COPIES[kind](design()))
    assert likeness(copy, ORIGINAL) in FOUND
    assert likeness(ORIGINAL, copy) in FOUND


def test_a_picture_in_hand_is_seen_as_a_fresh_one_after_all_it_was_compared_with() -> None:
    for change in COPIES.values():
        copy = picture(change(design()))
        for one, other in ((copy, ORIGINAL), (ORIGINAL, copy)):
            assert _figures(one, other) == _figures(Picture(one.rgba), Picture(other.rgba))
    assert np.array_equal(ORIGINAL.rgba, picture(design()).rgba)


def _figures(one: Picture, other: Picture) -> Difference:
    pair = align(one, other)
    assert pair
    return difference(pair)


def test_saved_again_is_told_from_changed() -> None:
    assert likeness(picture(COPIES["half the size"](design())), ORIGINAL) == "re_encode"
    assert likeness(picture(COPIES["cropped by 3 %"](design())), ORIGINAL) == "near_copy"
    assert likeness(picture(COPIES["brighter"](design())), ORIGINAL) == "near_copy"


@pytest.mark.parametrize("words", ["CLASS OF 2025", "CLASS OF 2021", "GLASS OF 2024"])
def test_another_text_is_another_design(words: str) -> None:
    assert likeness(picture(design(words)), ORIGINAL) == "text_variant"


@pytest.mark.parametrize(("points", "step"), [(78, 23), (90, 24)])
def test_fine_lines_that_run_otherwise_are_another_design(points: int, step: int) -> None:
    one, other = star(81, 22), star(points, step)
    assert likeness(picture(other), picture(one)) not in FOUND
    assert likeness(picture(resized(one, 0.5)), picture(one)) in FOUND


def test_another_colour_is_another_design() -> None:
    assert likeness(picture(design(heart=BLUE)), ORIGINAL) == "colour_variant"


@pytest.mark.parametrize("letters", [20, 24])
def test_a_year_so_small_that_little_of_it_is_left_makes_another_design(letters: int) -> None:
    one, other = (design(f"CLASS OF {year}", letters=letters) for year in (2024, 2025))
    assert likeness(picture(other), picture(one)) not in FOUND
    assert likeness(picture(resized(one, 0.5)), picture(one)) in FOUND


@pytest.mark.parametrize(("colour", "other"), [((250, 224, 150), (248, 160, 196)), ((200, 190, 140), (210, 160, 170))])
def test_another_pale_colour_is_another_design_and_no_toned_copy(
    colour: tuple[int, int, int], other: tuple[int, int, int]
) -> None:
    one, twin = (picture(leaf(each)) for each in (colour, other))
    assert likeness(twin, one) == "colour_variant"
    assert likeness(picture(COPIES["darker"](leaf(colour))), one) in FOUND


def test_a_copy_whose_lights_were_clipped_is_one_whichever_was_known_first() -> None:
    original, copy = picture(glow()), picture(brighter(glow(), 1.15))
    assert [_beside(copy, original), _beside(original, copy)] == ["near_copy", "colour_variant"]
    assert [likeness(copy, original), likeness(original, copy)] == ["near_copy", "near_copy"]


def test_mirrored_and_inverted_art_is_found_and_is_another_design() -> None:
    for twin, way in ((picture(design()).mirrored(), "mirrored"), (picture(inverted(design())), "inverted")):
        assert likeness(twin, ORIGINAL) not in FOUND
        near = [(a ^ b).bit_count() for a in getattr(keys_of(twin), way) for b in keys_of(ORIGINAL).plain]
        assert min(near) <= 4
    assert likeness(picture(design()).mirrored().mirrored(), ORIGINAL) in FOUND
    assert likeness(picture(inverted(design())).inverted(), ORIGINAL) in FOUND


@pytest.mark.parametrize("shape", [(512, 512, 3), (512, 512, 4), (256, 256, 3), (256, 256)], ids=str)
def test_an_earlier_releases_canonical_picture_is_not_looked_at(shape: tuple[int, ...]) -> None:
    assert picture_of(_png(np.zeros(shape, np.uint8))) is None


def test_what_is_no_picture_is_not_looked_at() -> None:
    whole = _png(np.full((256, 256, 4), 9, np.uint8))
    assert picture_of(whole) is not None
    for broken in (b"", b"no picture", whole[: len(whole) // 2]):
        assert picture_of(broken) is None


def _png(pixels: Pixels) -> bytes:
    return cv2.imencode(".png", pixels)[1].tobytes()
