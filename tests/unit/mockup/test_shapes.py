"""Cylinders as a camera sees them."""

import math

import numpy as np
import pytest

from services.mockup.faults import NotRenderable
from services.mockup.shapes import Round, cylinder
from tests.unit.mockup.scenery import HALF, laid, mug, on_mug

GRID = np.stack(np.meshgrid(np.linspace(0, 1, 21), np.linspace(0, 1, 21)), axis=-1)


def round_mug() -> Round:
    surface = laid(mug()).surface
    assert isinstance(surface, Round)
    return surface


def test_six_points_give_the_whole_cylinder_as_a_pinhole_camera_sees_it() -> None:
    np.testing.assert_allclose(round_mug().photo(GRID), on_mug(GRID), atol=1e-3)


def test_the_way_back_from_the_photograph_is_exact() -> None:
    surface = round_mug()
    np.testing.assert_allclose(surface.unit(surface.photo(GRID)), GRID, atol=1e-9)


def test_a_tapered_cup_is_met_at_all_six_points_and_has_a_way_back() -> None:
    corners = np.array([(100, 100), (300, 104), (280, 300), (124, 296)], float)
    top, bottom = np.array([203.0, 122.0]), np.array([196.0, 322.0])
    surface = cylinder(corners, top, bottom, 120)
    assert surface.lean != 0
    six = surface.photo(np.array([(0, 0), (1, 0), (1, 1), (0, 1), (0.5, 0), (0.5, 1)], float))
    np.testing.assert_allclose(six, [*corners, top, bottom], atol=1e-3)
    np.testing.assert_allclose(surface.unit(surface.photo(GRID)), GRID, atol=2e-3)


def test_a_print_is_as_wide_as_it_was_before_it_was_rolled_round_the_mug() -> None:
    across = np.linspace(0, 1, 2001)
    line = on_mug(np.stack([across, np.full_like(across, 0.5)], axis=1))
    chord = float(np.linalg.norm(line[0] - line[-1]))
    area = laid(mug())
    assert area.width == pytest.approx(chord * HALF / math.sin(HALF), rel=0.02)
    assert area.width / area.height == pytest.approx(2 * HALF * 1.0 / 1.3, rel=0.08)


@pytest.mark.parametrize(
    ("top", "bottom"), [((200, 300), (200, 100)), ((200, 110), (200, 111)), ((-300, 110), (200, 310))]
)
def test_middles_that_belong_to_other_corners_are_refused_in_words(
    top: tuple[float, float], bottom: tuple[float, float]
) -> None:
    corners = np.array([(100, 100), (300, 100), (300, 300), (100, 300)], float)
    with pytest.raises(NotRenderable, match="`top` lies on the upper edge"):
        cylinder(corners, np.array(top, float), np.array(bottom, float), 90)
