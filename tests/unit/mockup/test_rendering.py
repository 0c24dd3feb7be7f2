"""Whole pictures: where a design goes, what is cut off, and what else is on the photograph."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from services.mockup.areas import print_area
from services.mockup.faults import NotRenderable
from services.mockup.rendering import output_size, prepare, render
from services.mockup.template import Marking
from services.mockup.warping import flat_design, placement
from shared.contracts import Mask
from tests.unit.mockup.scenery import box

Pixels = npt.NDArray[np.uint8]
OPACITY = 0.45  # the old system's, contract section 4
RED, GREEN, BLUE, GREY = (200, 0, 0), (0, 180, 0), (0, 0, 220), (128, 128, 128)
BOX = ((500.0, 100.0), (900.0, 100.0), (900.0, 300.0), (500.0, 300.0))


def photo(height: int = 400, colour: tuple[int, int, int] = GREY) -> Pixels:
    return np.full((height, 2000, 3), colour, np.uint8)


def thirds(width: int, height: int, axis: int) -> Pixels:
    """Red, green and blue: from left to right (axis 1) or from top to bottom (axis 0)."""
    design = np.full((height, width, 4), 255, np.uint8)
    for part, colour in zip(np.array_split(design, 3, axis=axis), (RED, GREEN, BLUE), strict=True):
        part[..., :3] = colour
    return design


def drawn(design: Pixels, *masks: Mask, on: Pixels | None = None, watermark: Pixels | None = None) -> Pixels:
    background = prepare(photo() if on is None else on, masks, watermark)
    return render(background, flat_design(design, background.areas))


def near(pixel: npt.NDArray[np.uint8], colour: tuple[int, int, int]) -> bool:
    return bool(np.abs(pixel.astype(int) - colour).max() <= 2)


def columns_of(picture: Pixels, colour: tuple[int, int, int], row: int) -> tuple[int, int]:
    """First and last column of a colour in a row."""
    where = np.flatnonzero(np.abs(picture[row].astype(int) - colour).max(axis=1) <= 2)
    return int(where[0]), int(where[-1])


def test_a_design_that_is_not_cropped_is_fitted_inside_and_centred() -> None:
    picture = drawn(thirds(300, 300, 1), Mask(polygon=BOX, alignment="left"))
    assert near(picture[200, 590], GREY)
    assert columns_of(picture, RED, 200)[0] == pytest.approx(600, abs=1)
    assert columns_of(picture, BLUE, 200)[1] == pytest.approx(799, abs=1)
    assert near(picture[101, 700], GREEN)
    assert near(picture[298, 700], GREEN)
    assert near(picture[98, 700], GREY)


@pytest.mark.parametrize(
    ("alignment", "left", "right"), [("left", RED, GREEN), ("center", RED, BLUE), ("right", GREEN, BLUE)]
)
def test_a_wider_design_is_cut_by_the_alignment(
    alignment: str, left: tuple[int, int, int], right: tuple[int, int, int]
) -> None:
    # 3 : 1 on a box of 2 : 1, so that a third of the design is cut off: one colour at a side, or half of two
    mask = Mask.model_validate({"polygon": BOX, "is_cropped": True, "alignment": alignment})
    picture = drawn(thirds(900, 300, 1), mask)
    assert near(picture[200, 502], left)
    assert near(picture[200, 897], right)
    if alignment == "center":
        assert columns_of(picture, GREEN, 200) == pytest.approx((600, 799), abs=1)


@pytest.mark.parametrize("alignment", ["left", "center", "right"])
def test_a_taller_design_is_cut_round_its_middle(alignment: str) -> None:
    mask = Mask.model_validate({"polygon": BOX, "is_cropped": True, "alignment": alignment})
    picture = drawn(thirds(400, 300, 0), mask)
    assert near(picture[102, 700], RED)
    assert near(picture[297, 700], BLUE)
    green = np.flatnonzero(np.abs(picture[:, 700].astype(int) - GREEN).max(axis=1) <= 2)
    assert (green[0], green[-1]) == pytest.approx((150, 249), abs=1)


def test_nothing_is_drawn_outside_the_polygon() -> None:
    triangle = Mask(polygon=((500, 100), (900, 100), (500, 300)), is_cropped=True)
    picture = drawn(thirds(400, 200, 1), triangle)
    assert near(picture[110, 510], RED)
    assert near(picture[290, 890], GREY)
    assert 0 < (picture[200] != GREY).any(axis=1).sum() < 205


def test_a_slanting_mask_edge_is_smooth_in_the_finished_picture() -> None:
    slanting = Mask(polygon=((500, 100), (900, 100), (860, 300), (500, 300)), is_cropped=True)
    picture = drawn(np.full((200, 400, 4), 255, np.uint8), slanting)
    edge = picture[110:290, :, 0]
    between = ((edge > 140) & (edge < 245)).sum(axis=1)
    assert (between >= 1).mean() > 0.7  # nearly every row crosses the edge in a pixel that is neither
    assert between.max() <= 2


def test_a_mask_in_the_pixels_of_a_larger_photograph_is_scaled_with_it() -> None:
    large = np.full((800, 4000, 3), GREY, np.uint8)
    mask = Mask(polygon=tuple((2 * x, 2 * y) for x, y in BOX))
    picture = drawn(thirds(600, 300, 1), mask, on=large)
    assert picture.shape == (400, 2000, 3)
    assert columns_of(picture, RED, 200)[0] == pytest.approx(500, abs=1)
    assert columns_of(picture, BLUE, 200)[1] == pytest.approx(899, abs=1)


@pytest.mark.parametrize(
    ("size", "expected"), [((4000, 1000), (2000, 500)), ((300, 600), (1000, 2000)), ((9000, 1), (2000, 1))]
)
def test_the_longest_side_becomes_2000_up_or_down(size: tuple[int, int], expected: tuple[int, int]) -> None:
    assert output_size(*size) == expected


def test_perspective_respects_cropping_and_alignment() -> None:
    quad = ((500.0, 100.0), (900.0, 140.0), (900.0, 280.0), (500.0, 320.0))
    fitted = drawn(thirds(300, 300, 1), Mask(polygon=quad, perspective=True))
    assert near(fitted[210, 505], GREY)
    assert near(fitted[210, 744], GREEN)  # the middle, which perspective moves to the side that is farther away
    left = drawn(thirds(1800, 300, 1), Mask(polygon=quad, perspective=True, is_cropped=True, alignment="left"))
    assert near(left[210, 505], RED)
    assert not (np.abs(left.astype(int) - BLUE).max(axis=2) <= 2).any()


def test_a_margin_stays_free_round_a_contained_design() -> None:
    area = print_area(box(0, 0, 200, 100, margin=0.1), (1, 1), (200, 100))
    assert placement(area, 100, 100) == pytest.approx((0.3, 0.1, 0.7, 0.9))
    stretched = print_area(box(0, 0, 200, 100, margin=0.1, fit="stretch"), (1, 1), (200, 100))
    assert placement(stretched, 100, 100) == pytest.approx((0.05, 0.1, 0.95, 0.9))


def test_overlapping_masks_are_drawn_one_after_the_other() -> None:
    later = Mask(polygon=((700, 100), (1100, 100), (1100, 300), (700, 300)))
    picture = drawn(thirds(600, 300, 1), Mask(polygon=BOX), later)
    assert near(picture[200, 710], RED)
    assert near(picture[200, 690], GREEN)


def test_the_photograph_is_untouched_outside_the_print_areas() -> None:
    rng = np.random.default_rng(5)
    noisy = rng.integers(0, 256, (400, 2000, 3), np.uint8)
    picture = drawn(thirds(600, 300, 1), Mask(polygon=((500, 100), (900, 100), (500, 300))), on=noisy)
    assert (picture[:, :499] == noisy[:, :499]).all()
    assert (picture[280:300, 600:900] == noisy[280:300, 600:900]).all()  # in the box, beyond the diagonal


def test_an_unusable_mask_is_named_by_its_number() -> None:
    with pytest.raises(NotRenderable, match=r"print area 2: .*outside the photograph"):
        prepare(photo(), (Mask(polygon=BOX), Mask(polygon=((3000, 0), (3100, 0), (3100, 90)))))


def test_the_watermark_lies_over_the_design_in_the_middle_at_its_opacity() -> None:
    mark = np.full((30, 300, 4), 255, np.uint8)
    picture = drawn(thirds(600, 300, 1), Mask(polygon=BOX), watermark=mark)
    assert near(picture[200, 390], GREY)
    assert near(picture[200, 410], tuple(round(128 + (255 - 128) * OPACITY) for _ in range(3)))
    assert near(picture[200, 1599], tuple(round(128 + (255 - 128) * OPACITY) for _ in range(3)))
    assert near(picture[200, 1601], GREY)
    over_red = tuple(round(value + (255 - value) * OPACITY) for value in RED)
    assert near(picture[200, 520], over_red)
    rows = np.flatnonzero((picture[:, 1200] != GREY).any(axis=1))
    assert (rows[0], rows[-1]) == (140, 259)


def test_a_half_transparent_watermark_counts_half() -> None:
    mark = np.full((30, 300, 4), (255, 255, 255, 128), np.uint8)
    picture = drawn(thirds(600, 300, 1), watermark=mark)
    assert near(picture[200, 1000], tuple(round(128 + 127 * OPACITY * 128 / 255) for _ in range(3)))


def marked(**facts: Any) -> Pixels:
    mark = np.full((30, 300, 4), 255, np.uint8)
    background = prepare(photo(), (), mark, marking=Marking.model_validate(facts))
    return render(background, flat_design(mark, ()))


def test_a_template_may_have_the_watermark_small_in_a_corner() -> None:
    picture = marked(place="bottom right", width=0.1, opacity=1)
    rows, columns = (np.flatnonzero((picture[..., 0] == 255).any(axis=axis)) for axis in (1, 0))
    assert (rows[0], rows[-1], columns[0], columns[-1]) == (320, 339, 1740, 1939)
    picture = marked(place="top left", width=0.1, opacity=0.5)
    assert near(picture[70, 100], tuple(round(128 + 127 * 0.5) for _ in range(3)))


def test_a_template_may_have_the_watermark_all_over_the_picture() -> None:
    picture = marked(place="tile", width=0.1, opacity=1)
    for part in np.array_split(picture[..., 0] == 255, 8, axis=1):
        assert 0.2 < part.mean() < 0.7
    assert (picture[:, 0] == 255).any()  # it sticks out at the sides
    assert (picture[:, -1] == 255).any()


def test_prepared_arrays_can_not_be_written_to() -> None:
    background = prepare(photo(), (Mask(polygon=BOX),), np.full((30, 300, 4), 255, np.uint8))
    assert background.watermark is not None
    mark = background.watermark
    for array in (background.photo, background.light, background.areas[0].coverage, mark.ink, mark.keep):
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 0
