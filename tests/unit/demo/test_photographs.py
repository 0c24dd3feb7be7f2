"""The demo's photographs: drawn the same each time, with a usable print area of even tone."""

import io
import json

import numpy as np
import pytest
from PIL import Image

from services.demo.photographs import Photograph, jpeg, photographs, watermark
from services.demo.scenes import mug, poster
from services.mockup.authoring.linting import Findings, look_through
from services.mockup.reading import template
from services.mockup.shapes import cylinder


@pytest.fixture(scope="module")
def drawn() -> tuple[Photograph, ...]:
    return photographs()


def test_there_is_a_mug_a_poster_and_a_shirt_of_about_2400_px(drawn: tuple[Photograph, ...]) -> None:
    assert [photograph.name for photograph in drawn] == ["Mug", "Framed poster", "T-shirt"]
    for photograph in drawn:
        image = Image.open(io.BytesIO(photograph.image))
        assert (image.format, image.mode, max(image.size)) == ("JPEG", "RGB", 2400)


def test_the_same_seed_draws_the_same_bytes(drawn: tuple[Photograph, ...]) -> None:
    pixels, corners = poster.draw(7)
    assert jpeg(pixels) == drawn[1].image
    assert corners == drawn[1].mask.polygon


def test_a_print_area_lies_on_the_plain_cloth_or_glaze_of_the_product(drawn: tuple[Photograph, ...]) -> None:
    for photograph in drawn:
        grey = np.asarray(Image.open(io.BytesIO(photograph.image)).convert("L")).astype(float)
        corners = np.array(photograph.mask.polygon)
        assert corners.min() > 0
        assert (corners < (grey.shape[1], grey.shape[0])).all()
        middle = corners.mean(axis=0)
        surface = grey[tuple(slice(int(at) - 100, int(at) + 100) for at in middle[::-1])]
        for corner in corners + 0.02 * (middle - corners):  # a little inside each corner
            x, y = corner.astype(int)
            # the table, the wall and the paper around are further off than the product's own shading
            assert abs(grey[y - 4 : y + 4, x - 4 : x + 4].mean() - surface.mean()) < 55, photograph.name
        assert surface.std() < 8, photograph.name


def test_white_art_and_black_ink_are_seen_on_every_product(drawn: tuple[Photograph, ...]) -> None:
    for photograph in drawn:
        grey = np.asarray(Image.open(io.BytesIO(photograph.image)).convert("L")).astype(float)
        (left, top), (right, bottom) = (edge(photograph.mask.polygon, axis=0).astype(int) for edge in (np.min, np.max))
        ground = grey[top:bottom, left:right]
        assert np.quantile(ground, 0.1) > 80, photograph.name  # ink is drawn as 20 to 40
        assert np.quantile(ground, 0.9) < 170, photograph.name  # and white paint as 220 in shade


def test_the_poster_is_seen_in_perspective(drawn: tuple[Photograph, ...]) -> None:
    poster = drawn[1].mask
    (_, top_left), (_, top_right), (_, bottom_right), (_, bottom_left) = poster.polygon
    assert poster.perspective
    assert bottom_left - top_left > 1.05 * (bottom_right - top_right)  # the nearer side is longer


def test_the_mugs_and_the_shirts_templates_are_sound_and_larger_than_their_masks(
    drawn: tuple[Photograph, ...],
) -> None:
    for photograph in (drawn[0], drawn[2]):
        given = template(json.dumps(photograph.template).encode())
        found = Findings()
        look_through(given, np.asarray(Image.open(io.BytesIO(photograph.image))), found)
        assert (found.errors, found.remarks) == ([], [])
    assert drawn[1].template is None


def test_the_print_round_the_mug_is_where_the_mug_was_drawn() -> None:
    facing = np.arctan2(mug.CAMERA.eye[0], mug.CAMERA.eye[2])
    around = np.linspace(-mug.WRAP_HALF_ANGLE, mug.WRAP_HALF_ANGLE, 9) + facing
    shape = mug.wrap()
    corners, top, bottom = (np.array(shape[name], float) for name in ("corners", "top", "bottom"))
    surface = cylinder(corners, top, bottom, float(str(shape["angle"])))
    for v, height in ((0.0, mug.WRAP_HIGH), (0.5, (mug.WRAP_HIGH + mug.WRAP_LOW) / 2), (1.0, mug.WRAP_LOW)):
        seen = mug.CAMERA.project([(np.sin(angle), height, np.cos(angle)) for angle in around])
        unit = np.stack([np.linspace(0, 1, 9), np.full(9, v)], axis=1)
        np.testing.assert_allclose(surface.photo(unit), seen, atol=0.1)


def test_the_watermark_is_see_through_and_holds_its_words() -> None:
    image = Image.open(io.BytesIO(watermark("SAMPLE")))
    alpha = np.asarray(image)[..., 3]
    assert (image.format, image.mode) == ("PNG", "RGBA")
    assert 0.05 < (alpha > 0).mean() < 0.5
    assert watermark("SAMPLE") != watermark("Presswork")
