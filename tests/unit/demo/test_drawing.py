"""The drawing tools: alpha as PNG files have it, lettering that fits, files that hold what was drawn."""

import io

import cv2
import numpy as np
import pytest
from PIL import Image

from services.demo import encoding
from services.demo.drawing.canvas import CLEAR, Canvas
from services.demo.drawing.lettering import arched, block_shadow, outline, words
from services.demo.drawing.noise import worn


@pytest.fixture
def dot() -> Canvas:
    canvas = Canvas(200, 200)
    canvas.circle(500, 500, 300, "#ff8000")
    return canvas


def test_an_edge_keeps_its_colour_and_loses_only_alpha(dot: Canvas) -> None:
    pixels = dot.finished()
    edge = pixels[(pixels[..., 3] > 40) & (pixels[..., 3] < 255)]
    assert len(edge) > 50
    assert np.abs(edge[:, :3].astype(int) - (255, 128, 0)).max() <= 255 / 40 + 1  # one step of premultiplied colour


def test_what_is_clear_has_no_colour(dot: Canvas) -> None:
    pixels = dot.finished()
    assert not pixels[pixels[..., 3] == 0].any()


def test_shapes_in_clear_are_holes(dot: Canvas) -> None:
    dot.circle(500, 500, 100, CLEAR)
    pixels = dot.finished()
    assert pixels[100, 100, 3] == 0
    assert pixels[100, 60, 3] == 255


def test_a_stamp_is_cut_off_at_the_border_and_outside_it_nothing_happens(dot: Canvas) -> None:
    before = dot.pixels.copy()
    mask = np.full((40, 40), 255, np.uint8)
    dot.stamp(mask, 2000, 500, "#000000")
    assert np.array_equal(dot.pixels, before)
    dot.stamp(mask, 0, 0, "#0000ff")
    assert tuple(dot.pixels[10, 10]) == (0, 0, 255, 255)
    assert not dot.pixels[22, 22].any()


def test_pictures_are_laid_over_what_is_there(dot: Canvas) -> None:
    glass = np.zeros((200, 200, 4), np.uint8)
    glass[...] = (0, 0, 128, 128)  # half of blue, premultiplied
    dot.paint(glass, 500, 500)
    assert dot.finished()[100, 100].tolist() == pytest.approx([127, 64, 128, 255], abs=2)


def test_words_are_as_wide_and_high_as_asked() -> None:
    assert words("PRESSWORK", 640).shape[1] == 640
    assert words("PRESSWORK", 640, height=90).shape == (90, 640)


def test_a_nought_looks_like_the_capital_letter() -> None:
    assert np.array_equal(words("2O24", 300), words("2024", 300))


def test_arched_text_stands_above_or_below_the_centre() -> None:
    line = words("ROUND", 200)
    for below in (False, True):
        bent = arched(line, 150, below=below)
        middle = bent.shape[0] // 2
        upper, lower = bent[:middle].sum(dtype=np.int64), bent[middle:].sum(dtype=np.int64)
        assert (lower if below else upper) > 20 * (upper if below else lower)


def test_outlines_and_shadows_contain_their_letters() -> None:
    letters = words("AB", 120)
    grown, shadow = outline(letters, 6), block_shadow(letters, 13)
    inside = grown[8 : 8 + letters.shape[0], 8 : 8 + letters.shape[1]]
    assert (inside[letters > 200] == 255).all()
    assert np.array_equal(shadow[: letters.shape[0], : letters.shape[1]] >= letters, np.ones_like(letters, bool))
    assert (shadow[13:, 13:][letters > 200] >= 200).all()


def test_wear_takes_about_the_share_that_was_asked_for() -> None:
    gone = worn(np.random.default_rng(1), 800, 800, share=0.05)
    assert 0.03 < (gone > 127).mean() < 0.07


@pytest.mark.parametrize("channels", [3, 4])
@pytest.mark.parametrize("depth", [np.uint8, np.uint16])
def test_png_files_hold_the_pixels(channels: int, depth: type[np.unsignedinteger]) -> None:
    pixels = np.random.default_rng(5).integers(0, np.iinfo(depth).max, (60, 90, channels), depth, endpoint=True)
    back = cv2.imdecode(np.frombuffer(encoding.png(pixels), np.uint8), cv2.IMREAD_UNCHANGED)
    order = [2, 1, 0, 3][:channels]
    assert np.array_equal(back[..., order], pixels)


def test_png_files_say_400_dpi() -> None:
    with Image.open(io.BytesIO(encoding.png(np.zeros((4, 4, 4), np.uint8)))) as picture:
        assert picture.info["dpi"] == pytest.approx((400, 400), abs=0.01)


def test_palette_files_hold_indexes_and_a_clear_colour() -> None:
    indexes = np.array([[0, 1], [2, 0]], np.uint8)
    data = encoding.palette_png(indexes, ("#ff0000", "#00ff00", "#0000ff"), clear=2)
    with Image.open(io.BytesIO(data)) as picture:
        assert picture.mode == "P"
        assert np.asarray(picture.convert("RGBA")).tolist() == [
            [[255, 0, 0, 255], [0, 255, 0, 255]],
            [[0, 0, 255, 0], [255, 0, 0, 255]],
        ]


def test_saving_again_changes_the_file_but_no_pixel(dot: Canvas) -> None:
    pixels = dot.finished()
    again = encoding.re_encoded(pixels, "somebody")
    assert again != encoding.png(pixels)
    with Image.open(io.BytesIO(again)) as picture:
        assert picture.info["Author"] == "somebody"
        assert np.array_equal(np.asarray(picture), pixels)


def test_reducing_keeps_the_colour_of_edges(dot: Canvas) -> None:
    small = encoding.resized(dot.finished(), 0.75)
    assert small.shape == (150, 150, 4)
    seen = small[small[..., 3] > 60]
    assert np.abs(seen[:, :3].astype(int) - (255, 128, 0)).max() <= 6
