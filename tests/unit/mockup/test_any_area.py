"""Whatever corners are given: an area is refused in words, or what is drawn into it is a picture."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from services.mockup.areas import Box, polygon_coverage
from services.mockup.faults import NotRenderable
from services.mockup.rendering import printed
from services.mockup.template import Area
from services.mockup.warping import flat_design, warped
from tests.unit.mockup.scenery import SIZE, laid

NOISE = np.random.default_rng(1)
PHOTO = NOISE.integers(0, 256, (SIZE[1], SIZE[0], 3), np.uint8)
DESIGN = NOISE.integers(0, 256, (40, 60, 4), np.uint8)
ENLARGED = 30_000  # pixels of a side, beyond which a design is only made larger

coordinate = st.one_of(st.floats(-50, 400), st.floats(-1e6, 1e6), st.sampled_from([0.0, 1e-9, -1e6, 1e6]))
point = st.tuples(coordinate, coordinate)
sound = st.tuples(
    *[st.tuples(st.floats(x - 40, x + 40), st.floats(y - 40, y + 40)) for x, y in ((60, 60), (220, 60))],
    *[st.tuples(st.floats(x - 40, x + 40), st.floats(y - 40, y + 40)) for x, y in ((220, 200), (60, 200))],
)
slack = st.tuples(st.floats(-25, 25), st.floats(-25, 25))
rows = st.one_of(
    st.lists(st.lists(point, min_size=3, max_size=3), min_size=2, max_size=4),
    st.lists(slack, min_size=12, max_size=12).map(
        lambda moves: [
            [(60 + 70 * c + moves[4 * r + c][0], 60 + 70 * r + moves[4 * r + c][1]) for c in range(4)] for r in range(3)
        ]
    ),
)
corners = st.one_of(sound, sound, st.tuples(point, point, point, point))
shape = st.one_of(
    st.fixed_dictionaries({"kind": st.just("polygon"), "points": st.lists(point, min_size=3, max_size=9)}),
    st.fixed_dictionaries({"kind": st.just("quad"), "corners": corners}),
    st.fixed_dictionaries(
        {
            "kind": st.just("cylinder"),
            "corners": corners,
            "top": st.one_of(point, st.tuples(st.floats(100, 180), st.floats(20, 120))),
            "bottom": st.one_of(point, st.tuples(st.floats(100, 180), st.floats(160, 260))),
            "angle": st.floats(5, 170),
        }
    ),
    st.fixed_dictionaries({"kind": st.just("mesh"), "rows": rows}),
)
strengths = st.fixed_dictionaries({name: st.floats(0, 1) for name in ("shading", "highlights", "displacement")})


@settings(max_examples=40)
@given(shape=shape, strengths=strengths, fit=st.sampled_from(["contain", "cover", "stretch"]))
def test_an_area_is_refused_or_drawn(shape: dict[str, Any], strengths: dict[str, float], fit: str) -> None:
    try:
        area = laid(Area.model_validate({"shape": shape, "fit": fit} | strengths), PHOTO)
    except (ValidationError, NotRenderable):
        return
    if max(area.density) > ENLARGED:
        return
    ink = printed(warped(flat_design(DESIGN, [area]), area), area, np.zeros((*area.coverage.shape, 3), np.float32))
    assert np.isfinite(ink).all()
    assert ink.min() > -1e-3
    assert ink.max() < 1.01


def test_an_outline_that_would_take_all_memory_is_refused_in_words() -> None:
    zigzag = np.array([(x, 0.0 if x % 2 else 4000.0) for x in range(1000)])
    with pytest.raises(NotRenderable, match="draw it with fewer points"):
        polygon_coverage(zigzag, Box(0, 0, 1000, 2000))
