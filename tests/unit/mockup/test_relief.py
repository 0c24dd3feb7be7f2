"""How a print takes the photograph's light, and follows its folds."""

import numpy as np
import numpy.typing as npt
import pytest

from services.mockup.light import linear_rgb, srgb
from services.mockup.rendering import prepare, printed, render
from services.mockup.shapes import Round
from services.mockup.template import Area
from services.mockup.warping import flat_design, warped
from tests.unit.mockup.scenery import box, flat_photo, laid, mug, quad

Pixels = npt.NDArray[np.uint8]
WIDE = (2000, 400)  # a photograph that is not scaled
HERE = (500.0, 100.0, 900.0, 300.0)
GREY = np.full((100, 200, 4), (119, 119, 119, 255), np.uint8)


def drawn(photo: Pixels, *areas: Area, design: Pixels = GREY) -> Pixels:
    background = prepare(photo, areas)
    return render(background, flat_design(design, background.areas))


def half_in_shadow(share: float = 0.5) -> Pixels:
    """A wall of which all to the right of x = 760 has so much of the light."""
    light = linear_rgb(flat_photo(200, WIDE))
    light[:, 760:] *= share
    return srgb(light)


@pytest.mark.parametrize("shape", [pytest.param(quad, id="quad"), pytest.param(mug, id="cylinder")])
def test_flat_grey_stays_flat_in_flat_light_whatever_is_switched_on(shape: object) -> None:
    assert callable(shape)
    area = laid(shape(shading=1, highlights=1, displacement=1, fit="cover"))
    assert area.glow is not None
    assert area.glow.shine is not None
    inside = area.coverage > 0
    shade, shine = area.glow.shade[inside], area.glow.shine[inside]
    np.testing.assert_allclose(shade, 1, atol=1e-5)
    assert shine.max() == 0
    ink = warped(flat_design(GREY, [area]), area)
    assert (srgb(ink[inside][:, :3]) == 119).all()


def test_a_shadow_on_the_photograph_darkens_the_print_by_the_same_share_of_light() -> None:
    picture = drawn(half_in_shadow(0.5), box(*HERE, shading=1))
    lit, dark = linear_rgb(picture[200:201, 600:601])[0, 0], linear_rgb(picture[200:201, 850:851])[0, 0]
    np.testing.assert_allclose(dark / lit, 0.5, rtol=0.04)
    assert picture[200, 600].tolist() == [119] * 3


def test_half_the_strength_is_half_the_shadow() -> None:
    half, none = (drawn(half_in_shadow(0.5), box(*HERE, shading=strength)) for strength in (0.5, 0))
    np.testing.assert_allclose(linear_rgb(half[200:201, 850:851]), linear_rgb(GREY[:1, :1, :3]) * 0.75, rtol=0.03)
    assert none[200, 850].tolist() == [119] * 3


def test_the_prints_light_does_not_depend_on_how_dark_the_cloth_is() -> None:
    light = linear_rgb(half_in_shadow(0.5))
    shades = []
    for level in (1.0, 0.15):
        area = laid(box(*HERE, shading=1), srgb(light * np.float32(level)))
        assert area.glow is not None
        shades.append(area.glow.shade[100, 350])
    assert shades[1] == pytest.approx(shades[0], rel=0.08)


def test_a_reflection_lies_over_black_ink_and_plain_brightness_does_not() -> None:
    photo = flat_photo(200, WIDE)
    photo[:, 600:640] = 255
    black = np.full((100, 200, 4), (0, 0, 0, 255), np.uint8)
    picture = drawn(photo, box(*HERE, highlights=0.5), design=black)
    assert picture[200, 620].min() > 150
    assert picture[200, 800].max() == 0


def test_multiplied_ink_takes_the_colour_of_what_it_is_printed_on() -> None:
    photo = np.full((400, 2000, 3), (240, 200, 120), np.uint8)
    picture = drawn(photo, box(*HERE, blend="multiply"))
    expected = srgb(linear_rgb(photo[:1, :1]) * linear_rgb(GREY[:1, :1, :3]))[0, 0]
    np.testing.assert_allclose(picture[200, 700].astype(int), expected.astype(int), atol=1)


def test_white_ink_is_as_white_as_the_product() -> None:
    area = laid(box(100, 60, 220, 200, fit="cover", white="#e0d8c8"))
    ink = printed(
        warped(flat_design(np.full((50, 50, 4), 255, np.uint8), [area]), area),
        area,
        np.zeros((140, 120, 3), np.float32),
    )
    assert srgb(ink[70, 60, :3]).tolist() == [0xE0, 0xD8, 0xC8]


def test_opacity_lets_the_photograph_through() -> None:
    picture = drawn(flat_photo(200, WIDE), box(*HERE, opacity=0.25))
    expected = linear_rgb(flat_photo(200))[0, 0] * 0.75 + linear_rgb(GREY[:1, :1, :3])[0, 0] * 0.25
    np.testing.assert_allclose(linear_rgb(picture[200:201, 700:701])[0, 0], expected, rtol=0.02)


def folded() -> Pixels:
    """Cloth with one soft fold that runs down at x = 700."""
    x = np.arange(WIDE[0], dtype=np.float32)
    light = linear_rgb(flat_photo(150, WIDE)) * (1 - 0.5 * np.exp(-(((x - 700) / 25) ** 2)))[None, :, None]
    return srgb(light)


def test_a_fold_bends_the_lines_across_it_and_leaves_the_rest_alone() -> None:
    photo = folded()
    straight, moved = (laid(box(*HERE, fit="stretch", displacement=strength), photo) for strength in (0.001, 1))
    assert straight.chart is not None
    assert moved.chart is not None
    shift = (moved.chart - straight.chart) * (400, 200)
    x = np.arange(shift.shape[1]) * 2 + 500 - 1
    middle = shift[shift.shape[0] // 2]
    assert 1 < np.abs(middle[np.abs(x - 700) < 60, 0]).max() < 16
    assert np.abs(middle[np.abs(x - 700) > 150]).max() < 0.2
    assert np.abs(middle[:, 1]).max() < 0.2  # the fold runs down, so nothing moves down
    left, right = middle[np.abs(x - 680) < 3, 0].mean(), middle[np.abs(x - 720) < 3, 0].mean()
    assert left * right < 0  # towards the fold's valley from both sides


def test_a_moved_print_still_covers_its_area_to_the_edge() -> None:
    area = laid(box(640.0, 100.0, 900.0, 300.0, fit="cover", displacement=1), folded())
    ink = warped(flat_design(GREY, [area]), area)
    assert ink[..., 3].min() > 0.999


def test_the_same_template_gives_the_same_bytes() -> None:
    areas = (box(*HERE, shading=0.7, displacement=0.6), box(1000.0, 100.0, 1300.0, 300.0, highlights=0.3))
    assert (drawn(folded(), *areas) == drawn(folded(), *areas)).all()


def test_where_each_pixel_lies_is_worked_out_once_for_all_designs(monkeypatch: pytest.MonkeyPatch) -> None:
    area = laid(mug(shading=1))
    before = warped(flat_design(GREY, [area]), area)

    def again(self: Round, photo: object) -> None:
        raise AssertionError("the way back from the photograph was worked out for a design")

    monkeypatch.setattr(Round, "unit", again)
    assert (warped(flat_design(GREY, [area]), area) == before).all()


def test_what_is_prepared_can_not_be_written_to() -> None:
    area = laid(mug(shading=1, highlights=1))
    assert area.glow is not None
    for array in (area.chart, area.glow.shade, area.glow.shine, area.coverage):
        assert array is not None
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 0
