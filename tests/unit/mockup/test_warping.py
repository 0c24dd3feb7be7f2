"""The quality of a warped design, against an oracle that samples every pixel 8 x 8 times."""

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from services.mockup.areas import PrintArea, print_area
from services.mockup.light import linear_premultiplied, linear_rgb, srgb
from services.mockup.warping import flat_design, placement, warped
from shared.contracts import Mask

QUAD = ((20.3, 15.6), (210.7, 28.2), (205.4, 240.9), (12.8, 225.5))
SIZE = (230, 260)
Bytes = npt.NDArray[np.uint8]


def quad_area() -> PrintArea:
    return print_area(Mask(polygon=QUAD, perspective=True), (1, 1), SIZE)


def line_art(width: int, height: int) -> Bytes:
    rng = np.random.default_rng(3)
    picture = np.zeros((height, width, 4), np.uint8)
    for _ in range(60):
        start, end = ([int(value) for value in rng.integers(0, [width, height])] for _ in range(2))
        colour = (*(int(value) for value in rng.integers(0, 256, 3)), 255)
        cv2.line(picture, start, end, colour, int(rng.integers(1, 8)), cv2.LINE_AA)
        cv2.circle(picture, start, int(rng.integers(5, width // 8)), colour, int(rng.integers(1, 6)), cv2.LINE_AA)
    return picture


def design_to_photo(area: PrintArea, width: int, height: int) -> npt.NDArray[np.float64]:
    left, top, right, bottom = placement(area, width, height)
    into_unit = np.array([[(right - left) / width, 0, left], [0, (bottom - top) / height, top], [0, 0, 1]])
    return area.surface.to_photo @ into_unit


def oracle(design: Bytes, area: PrintArea, samples: int = 8) -> npt.NDArray[np.float64]:
    """Look up each of samples x samples points per pixel in the full-size design, in linear light."""
    height, width = design.shape[:2]
    back = np.linalg.inv(design_to_photo(area, width, height))
    w, h = area.box.size
    x = area.box.left + (np.arange(w * samples) + 0.5) / samples
    y = area.box.top + (np.arange(h * samples) + 0.5) / samples
    grid = np.stack([*np.meshgrid(x, y), np.ones((len(y), len(x)))], axis=-1) @ back.T
    where = (grid[..., :2] / grid[..., 2:] - 0.5).astype(np.float32)
    light = linear_premultiplied(design)
    seen = cv2.remap(light, where[..., 0], where[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
    return np.asarray(seen).reshape(h, samples, w, samples, 4).mean(axis=(1, 3), dtype=np.float64)


def on_paper(covering: npt.NDArray[np.floating], area: PrintArea) -> Bytes:
    covering = covering * area.coverage[..., None]
    paper = linear_rgb(np.full((*covering.shape[:2], 3), (230, 225, 215), np.uint8))
    return srgb((paper * (1 - covering[..., 3:]) + covering[..., :3]).astype(np.float32))


def psnr(one: Bytes, other: Bytes) -> float:
    return float(10 * np.log10(255**2 / np.mean((one.astype(float) - other) ** 2)))


def test_a_design_in_perspective_equals_its_supersampled_oracle() -> None:
    design, area = line_art(900, 1080), quad_area()
    drawn = warped(flat_design(design, [area]), area)
    assert psnr(on_paper(drawn, area), on_paper(oracle(design, area), area)) >= 35


def test_a_design_that_was_reduced_for_a_larger_area_is_nearly_as_good() -> None:
    design, area = line_art(900, 1080), quad_area()
    larger = print_area(Mask(polygon=QUAD, perspective=True), (1.4, 1.4), (322, 364))
    drawn = warped(flat_design(design, [area, larger]), area)
    assert psnr(on_paper(drawn, area), on_paper(oracle(design, area), area)) >= 33


def test_flat_grey_stays_flat() -> None:
    area = quad_area()
    design = np.full((700, 500, 4), (119, 119, 119, 255), np.uint8)
    cropped = print_area(Mask(polygon=QUAD, perspective=True, is_cropped=True), (1, 1), SIZE)
    for one in (area, cropped):
        drawn = warped(flat_design(design, [one]), one)
        opaque = (one.coverage == 1) & (drawn[..., 3] > 0.999)
        assert opaque.mean() > 0.4
        assert (srgb(drawn[..., :3])[opaque] == 119).all()
    assert (drawn[..., 3][cropped.coverage > 0] > 0.999).all()  # up to the very edge


@pytest.mark.parametrize("hidden", [0, 255])
def test_an_opaque_colour_on_transparent_gets_no_fringe_of_what_is_hidden(hidden: int) -> None:
    area = quad_area()
    design = np.full((900, 900, 4), (hidden, hidden, hidden, 0), np.uint8)
    cv2.circle(design, (450, 450), 300, (220, 40, 30, 255), -1)
    drawn = warped(flat_design(design, [area]), area)
    seen = drawn[..., 3] > 0.02
    straight = srgb(drawn[seen][:, :3] / drawn[seen][:, 3:]).astype(int)
    assert (drawn[seen][:, 3] < 0.98).any()
    assert np.abs(straight - (220, 40, 30)).max() <= 3


def test_a_warped_checkerboard_has_its_corners_where_the_homography_says() -> None:
    squares, side = 6, 120
    board = (np.indices((squares, squares)).sum(axis=0) % 2 * 255).astype(np.uint8).repeat(side, 0).repeat(side, 1)
    design = np.dstack([board, board, board, np.full_like(board, 255)])
    area = quad_area()
    drawn = warped(flat_design(design, [area]), area)
    inner = np.array([(x * side, y * side, 1) for y in range(1, squares) for x in range(1, squares)], float)
    expected = inner @ design_to_photo(area, *board.shape).T
    expected = expected[:, :2] / expected[:, 2:] - (area.box.left, area.box.top) - 0.5
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
