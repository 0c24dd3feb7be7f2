"""Meshes: a smooth sheet through points on a surface of any form."""

import numpy as np
import pytest

from services.mockup.areas import laid_out
from services.mockup.faults import NotRenderable
from services.mockup.template import Area, Mesh
from tests.unit.mockup.scenery import flag, on_mug

FINE = np.stack(np.meshgrid(np.linspace(0, 1, 40), np.linspace(0, 1, 40)), axis=-1)


def test_a_mesh_meets_its_points_and_has_a_way_back() -> None:
    shape = flag().shape
    assert isinstance(shape, Mesh)
    surface, _ = laid_out(shape, (1, 1))
    v, u = np.mgrid[0:1:5j, 0:1:6j]
    assert np.abs(surface.photo(np.stack([u, v], axis=-1)) - np.array(shape.rows)).max() < 1e-9
    assert np.abs(surface.unit(surface.photo(FINE)) - FINE).max() < 1e-6


def test_a_mesh_of_points_on_a_curve_follows_the_curve_between_them() -> None:
    """Six columns round a mug are enough: a tenth of a pixel is less than anybody marks a point."""
    v, u = np.mgrid[0:1:5j, 0:1:7j]
    mesh = {"kind": "mesh", "rows": on_mug(np.stack([u, v], axis=-1)).tolist()}
    surface, _ = laid_out(Area.model_validate({"shape": mesh}).shape, (1, 1))
    assert np.hypot(*np.moveaxis(surface.photo(FINE) - on_mug(FINE), -1, 0)).max() < 0.5


def test_a_mesh_that_is_folded_over_itself_is_refused_with_the_place() -> None:
    shape = flag().shape
    assert isinstance(shape, Mesh)
    rows = [list(row) for row in shape.rows]
    rows[2][3], rows[2][4] = rows[2][4], rows[2][3]
    with pytest.raises(
        NotRenderable, match=r"folded over itself near row 3, point [45]; give the rows from top to bottom"
    ):
        laid_out(Area.model_validate({"shape": {"kind": "mesh", "rows": rows}}).shape, (1, 1))
