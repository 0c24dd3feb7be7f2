"""The designs: what the pipeline is to judge must be what it claims to be, by hashes made here."""

import io
from collections import Counter
from pathlib import Path

import imagehash
import numpy as np
import pytest
from PIL import Image

from services.demo.corpus import kept
from services.demo.designs import DemoFile, family
from services.demo.drawing.clipart import drawing
from services.demo.pictures import PICTURES

MAX_DISTANCE = 5
SEED = 2024
ART = Path(__file__).parents[3] / "services/demo/art"


def drawn(name: str) -> list[DemoFile]:
    names = [picture.name for picture in PICTURES]
    return family(SEED, names.index(name))


def hashes(data: bytes) -> tuple[imagehash.ImageHash, imagehash.ImageHash]:
    """pHash and dHash, 256 bits each, of the canonical picture: cropped, 512 x 512, on mid-grey."""
    with Image.open(io.BytesIO(data)) as file:
        picture = file.convert("RGBA")
    picture = picture.crop(picture.getchannel("A").getbbox()).convert("RGBa").resize((512, 512), Image.Resampling.BOX)
    grey = Image.alpha_composite(Image.new("RGBA", picture.size, (128, 128, 128, 255)), picture.convert("RGBA"))
    return imagehash.phash(grey, hash_size=16), imagehash.dhash(grey, hash_size=16)


def distances(one: bytes, other: bytes) -> tuple[int, ...]:
    return tuple(int(a - b) for a, b in zip(hashes(one), hashes(other), strict=True))


def test_the_text_twins_are_two_designs_by_both_hashes() -> None:
    (former,), (latter,) = drawn("Class of 2024.png"), drawn("Class of 2025.png")
    assert min(distances(former.data, latter.data)) > MAX_DISTANCE


@pytest.mark.parametrize("name", ["geo-fox.png", "stay-groovy.png"])
def test_copies_are_near_by_both_hashes_and_no_two_files_are_equal(name: str) -> None:
    original, copy = drawn(name)
    assert copy.same_as == original.name
    assert copy.expected == "duplicate"
    assert copy.data != original.data
    assert max(distances(original.data, copy.data)) <= MAX_DISTANCE


def test_equal_seeds_draw_equal_files() -> None:
    assert drawn("leopard-print.png") == drawn("leopard-print.png")
    other = family(SEED + 1, [picture.name for picture in PICTURES].index("leopard-print.png"))
    assert other[0].data != drawn("leopard-print.png")[0].data


def test_names_are_used_once() -> None:
    names = [picture.name for picture in PICTURES] + [name for picture in PICTURES for name, *_ in picture.copies]
    assert [name for name, count in Counter(names).items() if count > 1] == []


def test_the_upload_has_about_sixty_files() -> None:
    copies = sum(len(picture.copies) for picture in PICTURES)
    assert 55 <= len(PICTURES) + copies + 3 <= 65


def test_hidden_pixels_keep_a_colour() -> None:
    (file,) = drawn("heart-of-hearts.png")
    with Image.open(io.BytesIO(file.data)) as picture:
        pixels = np.asarray(picture)
    hidden = pixels[pixels[..., 3] == 0]
    assert len(hidden) > 10_000
    assert (hidden == (255, 0, 128, 0)).all()


@pytest.mark.parametrize("name", ["butterfly-ink", "elephant-ink"])
def test_drawings_can_be_printed_in_another_ink(name: str) -> None:
    white = drawing(name, 200, ink="#ffffff")
    assert (white[..., :3] <= white[..., 3:]).all()
    solid = white[white[..., 3] == 255]
    assert len(solid) > 1000
    assert (solid == 255).all()


def test_every_drawing_names_its_source() -> None:
    sources = (ART / "SOURCES.md").read_text(encoding="utf-8")
    assert [path.name for path in ART.glob("*.png") if f"`{path.name}`" not in sources] == []


def test_what_was_drawn_is_kept_until_a_file_is_missing(tmp_path: Path) -> None:
    drawn_times = 0

    def draw(folder: Path) -> list[dict[str, object]]:
        nonlocal drawn_times
        drawn_times += 1
        (folder / "a.png").write_bytes(b"abc")
        return [{"name": "a.png", "size": 3}]

    folder = tmp_path / "designs-1"
    for _ in range(2):
        assert kept(folder, draw) == [{"name": "a.png", "size": 3}]
    assert drawn_times == 1
    (folder / "a.png").write_bytes(b"a")
    kept(folder, draw)
    assert (drawn_times, (folder / "a.png").read_bytes()) == (2, b"abc")


def test_an_interrupted_drawing_leaves_nothing_that_looks_complete(tmp_path: Path) -> None:
    def interrupted(folder: Path) -> list[dict[str, object]]:
        (folder / "a.png").write_bytes(b"abc")
        raise KeyboardInterrupt

    folder = tmp_path / "designs-1"
    with pytest.raises(KeyboardInterrupt):
        kept(folder, interrupted)
    assert not folder.exists()
    assert kept(folder, lambda _: []) == []
