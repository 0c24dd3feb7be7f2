"""A print area of any shape as a mesh that lies where it lay: nobody types twenty points from nothing."""

import numpy as np

from services.mockup.areas import laid_out
from services.mockup.faults import NotRenderable
from services.mockup.template import Area, Mesh, Template


def as_mesh(given: Template, name: str, rows: int, columns: int) -> Template:
    """The template with the areas of that name as meshes of so many points.

    Raises:
        NotRenderable: there is no such area, or its shape is none.
    """
    if name not in [area.name for area in given.areas]:
        names = ", ".join(repr(area.name) for area in given.areas)
        raise NotRenderable(f"there is no print area {name!r}; there are: {names}")
    areas = tuple(_meshed(area, rows, columns) if area.name == name else area for area in given.areas)
    return given.model_copy(update={"areas": areas})


def _meshed(area: Area, rows: int, columns: int) -> Area:
    surface, _ = laid_out(area.shape, (1, 1))
    unit = np.stack(np.meshgrid(np.linspace(0, 1, columns), np.linspace(0, 1, rows)), axis=-1)
    points = surface.photo(unit.reshape(-1, 2)).round(1).reshape(rows, columns, 2)
    mesh = Mesh(kind="mesh", rows=tuple(tuple((float(x), float(y)) for x, y in row) for row in points))
    return area.model_copy(update={"shape": mesh})
