"""The second look: what is a copy and what is another design."""

from collections.abc import Callable, Sequence
from itertools import product

import cv2
import numpy as np
import pytest
from PIL import Image, ImageFilter

from services.dedup.candidates.key_search import RADIUS
from services.dedup.candidates.keys import keys_of, laid
from services.dedup.candidates.texture import texture
from services.dedup.pixels.aligning import align
from services.dedup.pixels.differences import Difference, difference
from services.dedup.pixels.likeness import likeness, likeness_by
from services.dedup.pixels.picture import Picture, picture_of
from services.dedup.pixels.planes import Pixels
from services.dedup.pixels.tones import tones_of
from tests.accuracy.copies import resized, without_profile
from tests.accuracy.designs import inverted
from tests.unit.dedup.art import (
    BLUE,
    COPIES,
    RED,
    brighter,
    captioned,
    cropped,
    design,
    fade,
    glow,
    leaf,
    noisy,
    on,
    paged,
    pale_bars,
    picture,
    poster,
    sheet,
    star,
    stripes,
    tiles,
)

ORIGINAL = picture(design())
GREEN = (0, 160, 40)
FOUND = ("re_encode", "near_copy")


@pytest.mark.parametrize("kind", COPIES)
def test_a_copy_is_one_from_either_side(kind: str) -> None:
    copy = picture(COPIES[kind](design()))
    assert likeness(copy, ORIGINAL) in FOUND
    assert likeness(ORIGINAL, copy) in FOUND


@pytest.mark.parametrize("strips", [(0, 0, 0.1, 0), (0, 0.1, 0, 0), (0.15, 0, 0, 0.1), (0, 0.2, 0, 0.05)])
@pytest.mark.parametrize("make", [design, sheet])
def test_a_copy_on_a_page_that_it_touches_is_found_and_is_one(
    make: Callable[[], Image.Image], strips: Sequence[float]
) -> None:
    original, copy = picture(make()), picture(paged(make(), *strips))
    assert _found_within(copy, original) <= RADIUS
    assert likeness(copy, original) in FOUND
    assert likeness(original, copy) in FOUND


def test_a_copy_that_was_cropped_and_laid_on_white_is_one() -> None:
    """All of its sides show parts of art."""
    copy = picture(on(cropped(stripes(), 0.02), (255, 255, 255)))
    assert likeness(copy, picture(stripes())) in FOUND


@pytest.mark.parametrize("colour", [(200, 60, 60), (90, 120, 90)])
def test_a_copy_on_a_coloured_page_is_found_by_its_see_through_original(colour: tuple[int, int, int]) -> None:
    copy = picture(paged(design(), 0.1, 0.1, 0.1, 0.1, colour=colour))
    assert _found_within(copy, ORIGINAL) <= RADIUS
    assert likeness(copy, ORIGINAL) in FOUND


CUTS = [(24, 0, 800, 780), (0, 24, 790, 776), (9, 22, 776, 800), (20, 14, 790, 778)]


@pytest.mark.parametrize("side", [100, 130, 160])
@pytest.mark.parametrize("box", CUTS)
def test_a_pattern_that_was_cropped_is_one(side: int, box: tuple[int, int, int, int]) -> None:
    """Cut between its motifs, a strip of ground is taken for its page, and without it the rest lies elsewhere."""
    original, copy = picture(tiles(side)), picture(tiles(side).crop(box))
    assert likeness(copy, original) in FOUND
    assert likeness(original, copy) in FOUND


@pytest.mark.parametrize("side", [70, 100, 130, 160])
@pytest.mark.parametrize("box", CUTS)
def test_a_pattern_that_was_cropped_is_found_wherever_it_was_cut(side: int, box: tuple[int, int, int, int]) -> None:
    """Its lowest frequencies tell nothing but that."""
    original, copy = picture(tiles(side)), picture(tiles(side).crop(box))
    assert _found_within(copy, original) <= RADIUS
    assert _found_within(original, copy) <= RADIUS


@pytest.mark.parametrize("box", [(36, 36, 1200, 1200), (0, 0, 1164, 1164), (36, 0, 1200, 1164), (0, 36, 1164, 1200)])
def test_what_was_cropped_at_two_sides_that_meet_is_found(box: tuple[int, int, int, int]) -> None:
    """It has moved towards them: a zoom about its middle does not bring it back."""
    original, copy = picture(star(12, 5)), picture(star(12, 5).crop(box))
    assert _found_within(copy, original) <= RADIUS
    assert _found_within(original, copy) <= RADIUS


def test_only_what_is_the_same_all_over_has_a_key_of_its_texture() -> None:
    alone, repeated = (picture(each) for each in (sheet(), tiles(100)))
    for seen, expected in ((alone, False), (repeated, True)):
        assert any(texture(grey) is not None for grey, _ in laid(seen)) == expected


def _found_within(copy: Picture, original: Picture) -> int:
    mine, theirs = keys_of(copy), keys_of(original)
    return min((one ^ other).bit_count() for one in mine.plain + mine.zoomed for other in theirs.plain)


def test_a_picture_in_hand_is_seen_as_a_fresh_one_after_all_it_was_compared_with() -> None:
    for change in COPIES.values():
        copy = picture(change(design()))
        for one, other in ((copy, ORIGINAL), (ORIGINAL, copy)):
            assert _figures(one, other) == _figures(Picture(one.rgba), Picture(other.rgba))
    assert np.array_equal(ORIGINAL.rgba, picture(design()).rgba)


def _figures(one: Picture, other: Picture) -> Difference:
    pair = align(one, other)
    assert pair
    return difference(pair, tones_of(pair))


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


@pytest.mark.parametrize("saved", [lambda image: image, lambda image: resized(image, 0.5), noisy])
def test_a_copy_that_lost_its_colour_profile_is_one_from_either_side(
    saved: Callable[[Image.Image], Image.Image],
) -> None:
    copy = picture(saved(without_profile(design(ink=GREEN, heart=RED))))
    original = picture(design(ink=GREEN, heart=RED))
    assert likeness(copy, original) == likeness(original, copy) == "near_copy"


@pytest.mark.parametrize(("words", "heart"), [("CLASS OF 2025", RED), ("CLASS OF 2024", BLUE)])
def test_another_design_that_lost_its_colour_profile_is_no_copy(words: str, heart: tuple[int, int, int]) -> None:
    twin, known = picture(without_profile(design(words, GREEN, heart))), picture(design(ink=GREEN, heart=RED))
    assert likeness(twin, known) not in FOUND
    assert likeness(known, twin) not in FOUND


def test_a_digit_of_a_copy_without_its_profile_is_looked_at_close_up() -> None:
    known = picture(design("Est. 2024", GREEN, letters=20))
    assert likeness(picture(without_profile(design("Est. 2024", GREEN, letters=20))), known) in FOUND
    assert likeness(picture(without_profile(design("Est. 2025", GREEN, letters=20))), known) not in FOUND


@pytest.mark.parametrize(
    ("one", "other"),
    [((250, 219, 216), (252, 243, 207)), ((232, 218, 239), (214, 234, 248)), ((27, 38, 49), (59, 42, 26))],
)
def test_another_colourway_of_a_pale_or_dark_ground_is_another_design(
    one: tuple[int, int, int], other: tuple[int, int, int]
) -> None:
    known, new = (picture(on(design(ink=(120, 120, 120)), ground)) for ground in (one, other))
    assert likeness(new, known) == likeness(known, new) == "colour_variant"
    assert likeness(picture(brighter(on(design(ink=(120, 120, 120)), one), 0.95)), known) in FOUND


@pytest.mark.parametrize("letters", [20, 24])
def test_a_year_so_small_that_little_of_it_is_left_makes_another_design(letters: int) -> None:
    one, other = (design(f"CLASS OF {year}", letters=letters) for year in (2024, 2025))
    assert likeness(picture(other), picture(one)) not in FOUND
    assert likeness(picture(resized(one, 0.5)), picture(one)) in FOUND


CAPTIONS = pytest.mark.parametrize(
    ("letters", "year", "saved"),
    [
        (20, 2029, noisy),
        (24, 2025, noisy),
        (24, 2021, lambda image: resized(image, 0.5)),
        (24, 2025, lambda image: cropped(image, 0.01)),
        (28, 2020, lambda image: cropped(image, 0.01)),
        (36, 2021, lambda image: cropped(image, 0.01)),
    ],
)


@CAPTIONS
def test_another_digit_in_a_small_caption_is_another_design_however_it_was_saved(
    letters: int, year: int, saved: Callable[[Image.Image], Image.Image]
) -> None:
    known = picture(design("Est. 2024", letters=letters))
    twin = picture(saved(design(f"Est. {year}", letters=letters)))
    assert likeness(twin, known) not in FOUND
    assert likeness(known, twin) not in FOUND
    assert likeness(picture(saved(design("Est. 2024", letters=letters))), known) in FOUND


@CAPTIONS
def test_another_digit_in_a_small_caption_is_another_design_where_nothing_was_kept_close_up(
    letters: int, year: int, saved: Callable[[Image.Image], Image.Image]
) -> None:
    """As of designs of earlier releases: one window differs more than any other, from one side at least."""
    known = Picture(picture(design("Est. 2024", letters=letters)).rgba)
    twin = Picture(picture(saved(design(f"Est. {year}", letters=letters))).rgba)
    assert likeness(twin, known) not in FOUND
    assert likeness(known, twin) not in FOUND


PLACE, PLACES = "47.6062 N 122.3321 W", ["47.6062 N 122.3324 W", "47.6062 N 122.8321 W"]


@pytest.mark.parametrize(("line", "letters"), [(PLACES[0], 20), *product(PLACES, [24, 28])])
@pytest.mark.parametrize("saved", [lambda image: image, lambda image: resized(image, 0.7), lambda i: brighter(i, 1.03)])
def test_another_digit_that_only_a_closer_look_shows_is_another_design(
    line: str, letters: int, saved: Callable[[Image.Image], Image.Image]
) -> None:
    """A hundredth of the poster high: two pixels, of the picture that all are compared by."""
    known, twin = picture(poster(PLACE, letters)), picture(saved(poster(line, letters)))
    assert likeness(twin, known) == likeness(known, twin) == "text_variant"
    assert likeness(picture(saved(poster(PLACE, letters))), known) in FOUND


@pytest.mark.parametrize("saved", [noisy, lambda image: cropped(image, 0.01)])
@pytest.mark.parametrize("others", [{"above": "41.6062 N"}, {"above": "41.6062 N", "aside": "Est. 2025"}])
def test_another_digit_in_more_than_one_place_is_another_design_however_it_was_saved(
    others: dict[str, str], saved: Callable[[Image.Image], Image.Image]
) -> None:
    """None of them is the only one that differs so much."""
    same = {"above": "47.6062 N", "aside": "Est. 2024"}
    known, twin = (
        picture(poster("122.3321 W", 40, **same)),
        picture(saved(poster("122.3371 W", 40, **same | others))),
    )
    assert likeness(twin, known) == likeness(known, twin) == "text_variant"
    assert likeness(picture(saved(poster("122.3321 W", 40, **same))), known) in FOUND


@pytest.mark.parametrize("saved", [noisy, lambda image: cropped(image, 0.01)])
def test_a_letter_that_differs_by_much_is_seen_close_up_though_it_does_so_in_two_places(
    saved: Callable[[Image.Image], Image.Image],
) -> None:
    east = PLACE.replace("W", "E")
    known, twin = picture(poster(PLACE, 28, above=PLACE)), picture(saved(poster(east, 28, above=east)))
    assert likeness(twin, known) == likeness(known, twin) == "text_variant"
    assert likeness(picture(saved(poster(PLACE, 28, above=PLACE))), known) in FOUND


def test_a_digit_that_hardly_stands_out_from_afar_is_looked_at_close_up_from_either_side() -> None:
    known, twin = picture(poster(PLACE, 28)), picture(cropped(poster("41.6062 N 122.3321 W", 28), 0.01))
    assert likeness(twin, known) == likeness(known, twin) == "text_variant"


@pytest.mark.parametrize("kept", [b"", b"no picture"])
def test_what_can_be_seen_from_afar_only_is_judged_from_there(kept: bytes) -> None:
    """Earlier releases kept no picture close up, and a file may be damaged."""
    known, twin = picture(poster(PLACE, 24)), picture(poster(PLACES[0], 24))
    assert likeness(twin, Picture(known.rgba, kept)) == likeness(Picture(twin.rgba, kept), known) == "re_encode"


def test_a_digit_that_hardly_differs_is_said_to_be_another_text() -> None:
    known, twin = picture(design("Est. 2024", letters=24)), picture(noisy(design("Est. 2025", letters=24)))
    assert likeness(twin, known) == likeness(known, twin) == "text_variant"


GREY, PINK, NIGHT = (90, 90, 90), (200, 90, 90), (20, 20, 160)


@pytest.mark.parametrize(
    ("ink", "other", "letters", "saved"),
    [(GREY, PINK, 30, lambda i: i), (GREY, PINK, 30, noisy), (GREY, PINK, 40, noisy), ((20, 20, 30), NIGHT, 30, noisy)],
)
def test_a_small_line_in_another_colour_is_another_design_however_it_was_saved(
    ink: tuple[int, int, int],
    other: tuple[int, int, int],
    letters: int,
    saved: Callable[[Image.Image], Image.Image],
) -> None:
    known = picture(captioned(ink, letters))
    twin = picture(saved(captioned(other, letters)))
    assert likeness(twin, known) == likeness(known, twin) == "colour_variant"
    assert likeness(picture(saved(captioned(ink, letters))), known) in FOUND


def test_a_small_line_in_another_colour_is_seen_where_nothing_was_kept_close_up_and_nothing_else_was_changed() -> None:
    known, twin = (Picture(picture(captioned(ink, 30)).rgba) for ink in ((20, 20, 30), NIGHT))
    assert likeness(twin, known) == likeness(known, twin) == "colour_variant"


def test_colours_of_fine_lines_are_not_held_against_a_blurred_copy() -> None:
    soft = design().convert("RGBa").filter(ImageFilter.GaussianBlur(3)).convert("RGBA")
    assert likeness(picture(soft), ORIGINAL) in FOUND
    assert likeness(ORIGINAL, picture(soft)) in FOUND


@pytest.mark.parametrize("make", [design, sheet, lambda: star(81, 22)])
def test_what_lacks_more_than_a_copy_may_is_another_design(make: Callable[[], Image.Image]) -> None:
    """It lies on the other as a copy does, and nothing on it differs."""
    part, whole = picture(cropped(make(), 0.08)), picture(make())
    assert likeness(part, whole) == likeness(whole, part) == "different"
    assert likeness(picture(cropped(make(), 0.03)), whole) in FOUND


@pytest.mark.parametrize(("colour", "other"), [((250, 224, 150), (248, 160, 196)), ((200, 190, 140), (210, 160, 170))])
def test_another_pale_colour_is_another_design_and_no_toned_copy(
    colour: tuple[int, int, int], other: tuple[int, int, int]
) -> None:
    one, twin = (picture(leaf(each)) for each in (colour, other))
    assert likeness(twin, one) == "colour_variant"
    assert likeness(picture(COPIES["darker"](leaf(colour))), one) in FOUND


@pytest.mark.parametrize("make", [design, sheet])
def test_a_design_that_is_a_fifth_darker_is_another_colourway(make: Callable[[], Image.Image]) -> None:
    """Evenly, so that nothing is left apart once tones are matched: how much they were matched by tells."""
    known = picture(make())
    assert likeness(picture(brighter(make(), 0.8)), known) == likeness(known, picture(brighter(make(), 0.8)))
    assert likeness(picture(brighter(make(), 0.8)), known) == "colour_variant"
    assert likeness(picture(brighter(make(), 0.9)), known) in FOUND


@pytest.mark.parametrize("saturation", [0.95, 1.05])
def test_tones_bring_pale_colours_that_moved_apart_no_further_off(saturation: float) -> None:
    pair = align(picture(pale_bars(saturation)), picture(pale_bars(1)))
    assert pair is not None
    toned = tones_of(pair).applied(pair.other)
    assert cv2.absdiff(toned, pair.one).max() <= cv2.absdiff(pair.other, pair.one).max()


def from_one_side(one: Picture, other: Picture) -> str:
    pair = align(one, other)
    assert pair is not None
    return likeness_by(difference(pair, tones_of(pair)))


def test_a_copy_whose_lights_were_clipped_is_one_whichever_was_known_first() -> None:
    original, copy = picture(glow()), picture(brighter(glow(), 1.15))
    assert [from_one_side(copy, original), from_one_side(original, copy)] == ["near_copy", "colour_variant"]
    assert [likeness(copy, original), likeness(original, copy)] == ["near_copy", "near_copy"]


@pytest.mark.parametrize("angle", [0.0, 0.7, 3.4, 5.5])
@pytest.mark.parametrize("change", [lambda i: i, noisy, lambda i: brighter(i, 1.03), lambda i: cropped(i, 0.02)])
def test_a_copy_of_a_gradient_is_one_though_nothing_tells_how_it_lies(
    change: Callable[[Image.Image], Image.Image], angle: float
) -> None:
    """Along its lines of one colour it can be moved at will, and looks the same."""
    inks = (110, 70, 40), (240, 110, 140), (200, 30, 45)
    original = picture(fade(angle, *inks))
    assert likeness(picture(change(fade(angle, *inks))), original) in FOUND
    for other in (fade(angle + 0.5, *inks), fade(angle, inks[0], BLUE, inks[2]), fade(angle + np.pi, *inks)):
        assert likeness(picture(other), original) not in FOUND


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
