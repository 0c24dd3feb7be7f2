"""A cropped picture at print size."""

import io

import cv2
import numpy as np
import pytest
from PIL import Image

from services.hasher.limits import Limits
from services.hasher.preparing import prepare
from services.hasher.printing import Layout, lay_out, layout, lost_in_specks, too_few_pixels
from services.hasher.raster import crop_to_alpha, premultiplied
from services.hasher.rejection import Rejected
from shared.contracts import PrintSpec
from tests.images import saved
from tests.unit.hasher.samples import DIGITAL, FIT, STRETCH, Pixels, artwork, photo

LIMITS = Limits()
CUP = PrintSpec(width_inches=9.5, height_inches=4.33, canvas_width_inches=9.5, canvas_height_inches=4.33)


def printed(picture: Pixels, spec: PrintSpec) -> Pixels:
    height, width = picture.shape[:2]
    return lay_out(picture, layout(spec, width, height, None), LIMITS)


def test_a_cup_wrap_is_stretched_to_its_exact_size_at_400_dpi() -> None:
    design = prepare(saved(artwork(), "PNG"), CUP, LIMITS)
    image = Image.open(io.BytesIO(design.print_file))
    assert (image.size, image.mode) == ((3800, 1732), "RGBA")
    assert image.info["dpi"] == pytest.approx((399.9992, 399.9992))
    assert (design.width, design.height, design.dpi) == (3800, 1732, 400)


@pytest.mark.parametrize(
    ("spec", "size", "expected"),
    [
        (STRETCH, (10, 900), Layout(600, 200, 600, 200, 400)),
        (FIT, (300, 100), Layout(600, 200, 800, 700, 400)),
        (FIT, (100, 300), Layout(133, 400, 800, 700, 400)),
        (FIT, (5000, 1), Layout(600, 1, 800, 700, 400)),
        (FIT.model_copy(update={"canvas_width_inches": 1}), (300, 100), Layout(400, 133, 400, 700, 400)),
        (FIT.model_copy(update={"dpi": 300}), (300, 200), Layout(450, 300, 600, 525, 300)),
    ],
)
def test_layouts(spec: PrintSpec, size: tuple[int, int], expected: Layout) -> None:
    assert layout(spec, *size, source_dpi=72) == expected


@pytest.mark.parametrize(
    ("spec", "size", "told"),
    [
        (CUP, (1425, 650), []),  # 150 dpi
        (CUP, (600, 600), ["only 600 x 600 px of artwork for a print of 3800 x 1732: at 63 dpi"]),
        (CUP, (4000, 300), ["at 69 dpi"]),
        (DIGITAL, (600, 600), []),
    ],
)
def test_a_picture_that_is_enlarged_too_far_says_so(spec: PrintSpec, size: tuple[int, int], told: list[str]) -> None:
    width, height = size
    plan = layout(spec, width, height, None)
    found = list(too_few_pixels(np.zeros((height, width, 4), np.uint8), plan))
    assert len(found) == len(told)
    assert all(words in warning for words, warning in zip(told, found, strict=True))


def test_a_fitted_picture_is_centred_on_a_transparent_canvas() -> None:
    canvas = printed(cv2.cvtColor(photo(300, 100), cv2.COLOR_RGB2RGBA).astype(np.uint8), FIT)
    assert canvas.shape == (700, 800, 4)
    visible = np.argwhere(canvas[..., 3])
    assert visible.min(axis=0).tolist() == [250, 100]
    assert visible.max(axis=0).tolist() == [449, 699]
    assert not canvas[canvas[..., 3] == 0].any(), "nothing is hidden under transparency"


@pytest.mark.parametrize("size", [(600, 200), (300, 100), (100, 100)])
def test_around_a_picture_the_canvas_is_clear_whatever_was_in_its_memory(
    monkeypatch: pytest.MonkeyPatch, size: tuple[int, int]
) -> None:
    picture = cv2.cvtColor(photo(*size), cv2.COLOR_RGB2RGBA).astype(np.uint8)
    monkeypatch.setattr(np, "empty", lambda shape, dtype: np.full(shape, 77, dtype))
    canvas = printed(picture, FIT)
    assert set(np.unique(canvas[..., 3])) == {0, 255}
    assert not canvas[canvas[..., 3] == 0].any()


def test_a_digital_design_is_only_cropped_and_keeps_its_own_resolution() -> None:
    picture = artwork()
    design = prepare(saved(picture, "PNG", dpi=(150, 150)), DIGITAL, LIMITS)
    image = Image.open(io.BytesIO(design.print_file))
    np.testing.assert_array_equal(np.asarray(image), crop_to_alpha(picture))
    assert design.dpi == 150
    assert image.info["dpi"] == pytest.approx((150, 150), abs=0.02)


def test_a_digital_design_without_a_resolution_gets_the_print_resolution() -> None:
    assert prepare(saved(artwork(), "PNG"), DIGITAL, LIMITS).dpi == 400


def test_a_picture_that_already_has_its_size_keeps_every_pixel() -> None:
    picture = artwork(600, 200)
    np.testing.assert_array_equal(printed(picture, STRETCH), picture)


@pytest.mark.parametrize("hidden", [0, 255])
@pytest.mark.parametrize("size", [(150, 150), (4000, 3000), (150, 3000)])
def test_what_lies_under_transparency_never_bleeds_into_edges(hidden: int, size: tuple[int, int]) -> None:
    picture = np.full((size[1], size[0], 4), hidden, np.uint8)
    picture[..., 3] = 0
    cv2.ellipse(picture, (size[0] // 2, size[1] // 2), (size[0] // 3, size[1] // 3), 0, 0, 360, (255, 0, 0, 255), -1)
    print_ = printed(picture, STRETCH)
    seen = print_[print_[..., 3] > 0]
    assert len(seen) > 1000
    assert (seen[:, :3] == (255, 0, 0)).all()


def test_half_transparent_colours_survive_resizing() -> None:
    picture = np.empty((90, 70, 4), np.uint8)
    picture[:] = (200, 100, 50, 128)
    assert np.abs(printed(picture, STRETCH).astype(int) - (200, 100, 50, 128)).max() <= 1


def test_reducing_averages_what_falls_into_a_pixel() -> None:
    stripes = np.zeros((400, 1200, 4), np.uint8)
    stripes[..., 3] = 255
    stripes[:, ::2, :3] = 255
    assert np.abs(printed(stripes, STRETCH)[..., :3].astype(int) - 128).max() <= 1


def test_an_axis_that_shrinks_is_averaged_while_the_other_grows() -> None:
    stripes = np.zeros((2000, 30, 4), np.uint8)
    stripes[..., 3] = 255
    stripes[::2, :, :3] = 255
    assert np.abs(printed(stripes, STRETCH)[..., :3].astype(int) - 128).max() <= 1


def test_premultiplying_rounds_to_the_nearest_level() -> None:
    colour, alpha = np.meshgrid(np.arange(256), np.arange(256))
    table = np.dstack([colour, colour, colour, alpha]).astype(np.uint8)
    np.testing.assert_array_equal(premultiplied(table)[..., 0], np.rint(colour * alpha / 255))


def test_a_print_too_large_for_memory_is_refused_before_it_is_made() -> None:
    banner = STRETCH.model_copy(update={"width_inches": 200, "height_inches": 24})
    with pytest.raises(Rejected, match="80000 x 9600 px") as caught:
        printed(artwork(), banner)
    assert caught.value.code == "print_too_large"


def test_a_fully_transparent_picture_is_refused() -> None:
    with pytest.raises(Rejected, match="transparent"):
        prepare(saved(np.full((50, 50, 4), (9, 9, 9, 0), np.uint8), "PNG"), STRETCH, LIMITS)


def test_specks_that_nobody_sees_and_that_make_a_print_smaller_are_said() -> None:
    picture = np.zeros((900, 1000, 4), np.uint8)
    picture[300:600, 200:600] = artwork(400, 300, seed=4)
    seen = crop_to_alpha(picture, at_least=8)
    assert seen is not None
    picture[5, 10] = picture[-5, -10] = (90, 90, 90, 3)
    words = f"only {seen.shape[1]} x {seen.shape[0]} of 981 x 891 px"
    assert any(words in warning for warning in prepare(saved(picture, "PNG"), STRETCH, LIMITS).warnings)


@pytest.mark.parametrize("alpha", [3, 255])
def test_of_art_that_is_faint_everywhere_or_fades_out_no_specks_are_said(alpha: int) -> None:
    disc = np.zeros((2000, 2000), np.uint8)
    cv2.circle(disc, (1000, 1000), 500, alpha, -1)
    shadow = np.zeros((2000, 2000, 4), np.uint8)
    shadow[..., 3] = cv2.GaussianBlur(disc, (0, 0), 60)
    visible = crop_to_alpha(shadow)
    assert visible is not None
    assert list(lost_in_specks(visible)) == []


def test_a_speck_is_refused() -> None:
    picture = np.zeros((500, 500, 4), np.uint8)
    picture[100:105, 200:208] = (9, 9, 9, 255)
    picture[102, 204] = 255
    with pytest.raises(Rejected, match="8 x 5 px") as caught:
        prepare(saved(picture, "PNG"), STRETCH, LIMITS)
    assert caught.value.code == "too_small"
