"""Print areas: exact coverage, and masks that nothing can be drawn into."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.mockup.areas import Box, polygon_coverage, print_area
from services.mockup.faults import NotRenderable
from services.mockup.template import area_of
from shared.contracts import Mask

PHOTO = (400, 300)


def refusal(mask: Mask) -> str:
    with pytest.raises(NotRenderable) as refused:
        print_area(area_of(mask), (1, 1), PHOTO)
    return str(refused.value)


def test_a_mask_edge_is_anti_aliased_by_the_covered_part_of_each_pixel() -> None:
    coverage = polygon_coverage(np.array([(2.25, 1.5), (7.75, 1.5), (7.75, 4.0), (2.25, 4.0)]), Box(0, 0, 10, 5))
    np.testing.assert_allclose(coverage[2], [0, 0, 0.75, 1, 1, 1, 1, 0.75, 0, 0], atol=1e-6)
    np.testing.assert_allclose(coverage[:, 4], [0, 0.5, 1, 1, 0], atol=1e-6)


@given(
    centre=st.tuples(st.floats(-20, 60), st.floats(-20, 60)),
    radius=st.floats(1, 50),
    corners=st.integers(3, 40),
    turn=st.floats(0, math.tau),
)
def test_the_coverage_of_a_polygon_inside_adds_up_to_its_area(
    centre: tuple[float, float], radius: float, corners: int, turn: float
) -> None:
    angles = turn + np.arange(corners) / corners * math.tau
    polygon = np.stack([centre[0] + radius * np.cos(angles), centre[1] + radius * np.sin(angles)], axis=1)
    coverage = polygon_coverage(polygon, Box(-80, -80, 120, 120))
    area = corners / 2 * radius**2 * math.sin(math.tau / corners)
    assert float(coverage.sum(dtype=np.float64)) == pytest.approx(area, rel=0.01, abs=0.3)


def test_what_lies_outside_the_photograph_is_cut_off() -> None:
    area = print_area(area_of(Mask(polygon=((-100, -100), (100, -100), (100, 100), (-100, 100)))), (1, 1), PHOTO)
    assert area.box == Box(0, 0, 100, 100)
    assert (area.coverage == 1).all()
    assert (area.width, area.height) == (200, 200)


def test_a_mask_is_scaled_with_its_photograph() -> None:
    area = print_area(area_of(Mask(polygon=((10, 20), (50, 20), (50, 60), (10, 60)))), (2.0, 2.0), PHOTO)
    assert area.box == Box(20, 40, 100, 120)


@pytest.mark.parametrize(
    ("polygon", "perspective", "words"),
    [
        (((10, 10), (20, 20), (30, 30)), False, "less than one pixel"),
        (((10, 10), (10, 20), (10, 30)), False, "it has no area"),
        (((10, 10), (10.2, 10), (10.2, 10.2)), False, "less than one pixel"),
        (((500, 10), (600, 10), (600, 90)), False, "outside the photograph"),
        (((-90, -90), (-10, -90), (-10, -10)), False, "outside the photograph"),
        (((10, 10), (math.nan, 10), (90, 90)), False, "not a finite number"),
        (((10, 10), (math.inf, 10), (90, 90)), False, "not a finite number"),
        (((10, 10), (90, 90), (90, 10), (10, 90)), True, "sides cross"),
        (((90, 10), (10, 10), (10, 90), (90, 90)), True, "top left, top right, bottom right, bottom left"),
        (((10, 10), (50, 10), (90, 10), (50, 90)), True, "three corners lie on one line"),
        (((10, 10), (90, 10), (30, 30), (10, 90)), True, "sides cross"),
        (((10, 10), (90, 10), (90, 90)), True, "4 corners, this one has 3"),
    ],
)
def test_a_degenerate_mask_is_refused_in_words(
    polygon: tuple[tuple[float, float], ...], perspective: bool, words: str
) -> None:
    assert words in refusal(Mask(polygon=polygon, perspective=perspective))


def test_the_corners_of_a_perspective_area_are_met_exactly() -> None:
    corners = ((1000.3, 20.7), (1370.1, 60.2), (1350.9, 280.4), (1012.6, 250.8))
    area = print_area(area_of(Mask(polygon=corners, perspective=True)), (1, 1), (1400, 300))
    unit = np.array([[0, 0, 1], [1, 0, 1], [1, 1, 1], [0, 1, 1]], float)
    seen = unit @ area.surface.to_photo.T
    np.testing.assert_allclose(seen[:, :2] / seen[:, 2:], corners, atol=1e-3)
