"""The quality of a warped design, against an oracle that samples every pixel 8 x 8 times."""

from collections.abc import Callable

import cv2
import numpy as np
import pytest

from services.mockup.areas import PrintArea, print_area
from services.mockup.light import srgb
from services.mockup.template import Area, area_of
from services.mockup.warping import BAND_ROWS, flat_design, placement, warped
from shared.contracts import Mask
from tests.unit.mockup.scenery import QUAD, box, flag, laid, line_art, mug, on_paper, oracle, psnr, quad

SIZE = (230, 260)
SHAPES = [pytest.param(quad, id="quad"), pytest.param(mug, id="cylinder"), pytest.param(flag, id="mesh")]


def quad_area() -> PrintArea:
    return print_area(area_of(Mask(polygon=QUAD, perspective=True)), (1, 1), SIZE)


@pytest.mark.parametrize("shape", SHAPES)
def test_a_design_on_any_shape_equals_its_supersampled_oracle(shape: Callable[..., Area]) -> None:
    design, area = line_art(900, 1080), laid(shape())
    drawn = warped(flat_design(design, [area]), area)
    assert psnr(on_paper(drawn, area), on_paper(oracle(design, area), area)) >= 35


@pytest.mark.parametrize("shape", SHAPES)
def test_a_stretched_design_equals_its_supersampled_oracle_too(shape: Callable[..., Area]) -> None:
    design, area = line_art(900, 1080), laid(shape(fit="stretch"))
    drawn = warped(flat_design(design, [area]), area)
    assert psnr(on_paper(drawn, area), on_paper(oracle(design, area), area)) >= 33


def test_a_design_that_was_reduced_for_a_larger_area_is_nearly_as_good() -> None:
    design, area = line_art(900, 1080), quad_area()
    larger = print_area(area_of(Mask(polygon=QUAD, perspective=True)), (1.4, 1.4), (322, 364))
    drawn = warped(flat_design(design, [area, larger]), area)
    assert psnr(on_paper(drawn, area), on_paper(oracle(design, area), area)) >= 33


@pytest.mark.parametrize("shape", SHAPES)
def test_flat_grey_stays_flat(shape: Callable[..., Area]) -> None:
    design = np.full((700, 500, 4), (119, 119, 119, 255), np.uint8)
    cropped = laid(shape(fit="cover"))
    for one in (laid(shape()), cropped):
        drawn = warped(flat_design(design, [one]), one)
        opaque = (one.coverage == 1) & (drawn[..., 3] > 0.999)
        assert opaque.mean() > 0.4
        assert (srgb(drawn[..., :3])[opaque] == 119).all()
    assert (drawn[..., 3][cropped.coverage > 0] > 0.999).all()  # up to the very edge


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("hidden", [0, 255])
def test_an_opaque_colour_on_transparent_gets_no_fringe_of_what_is_hidden(
    hidden: int, shape: Callable[..., Area]
) -> None:
    area = laid(shape())
    design = np.full((900, 900, 4), (hidden, hidden, hidden, 0), np.uint8)
    cv2.circle(design, (450, 450), 300, (220, 40, 30, 255), -1)
    drawn = warped(flat_design(design, [area]), area)
    seen = drawn[..., 3] > 0.02
    straight = srgb(drawn[seen][:, :3] / drawn[seen][:, 3:]).astype(int)
    assert (drawn[seen][:, 3] < 0.98).any()
    assert np.abs(straight - (220, 40, 30)).max() <= 3


@pytest.mark.parametrize("shape", SHAPES)
def test_a_warped_checkerboard_has_its_corners_where_the_shape_says(shape: Callable[..., Area]) -> None:
    squares, side = 6, 120
    board = (np.indices((squares, squares)).sum(axis=0) % 2 * 255).astype(np.uint8).repeat(side, 0).repeat(side, 1)
    design = np.dstack([board, board, board, np.full_like(board, 255)])
    area = laid(shape())
    drawn = warped(flat_design(design, [area]), area)
    inner = np.array([(x, y) for y in range(1, squares) for x in range(1, squares)], float) / squares
    left, top, right, bottom = placement(area, *board.shape)
    expected = area.surface.photo(inner * (right - left, bottom - top) + (left, top))
    expected = expected - (area.box.left, area.box.top) - 0.5
    start = expected.astype(np.float32).reshape(-1, 1, 2) + np.float32(1.2)
    stop = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 60, 0.001)
    # In light and not in bytes: sRGB's curve would push every edge towards the dark squares.
    grey = (np.clip(drawn[..., 0], 0, 1) * 255).astype(np.uint8)
    found = np.asarray(cv2.cornerSubPix(grey, start, (6, 6), (-1, -1), stop)).reshape(-1, 2)
    assert np.linalg.norm(found - expected, axis=1).max() < 0.25


def test_a_small_design_is_enlarged_and_stays_opaque() -> None:
    area = quad_area()
    design = np.full((12, 10, 4), (10, 200, 90, 255), np.uint8)
    drawn = warped(flat_design(design, [area]), area)
    assert drawn[..., 3].max() == pytest.approx(1, abs=1e-5)
    assert (drawn[..., 3] * area.coverage).sum() == pytest.approx(area.coverage.sum() * 0.93, rel=0.1)


def test_bands_in_which_a_design_is_clear_are_clear_whatever_was_in_their_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    design = np.full((3 * BAND_ROWS + 9, 50, 4), 255, np.uint8)
    design[BAND_ROWS : 2 * BAND_ROWS] = 0
    monkeypatch.setattr(np, "empty", lambda shape, dtype: np.full(shape, 7, dtype))
    light = flat_design(design, [laid(box(0, 0, 300, 900))]).light
    assert light.shape == design.shape
    np.testing.assert_array_equal(light, design / 255)
