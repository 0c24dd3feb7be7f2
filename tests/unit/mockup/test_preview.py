"""A preview shows what a listing would: the picture goes through the hasher's own steps first."""

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter
from typer.testing import CliRunner, Result

from services.cli import app
from services.hasher.limits import Limits
from services.hasher.preparing import prepare
from services.mockup.authoring.folder import Folder, drawn
from services.mockup.pictures import design, jpeg
from services.ops.mockup_print_sizes import OWN_SIZE, without_product
from shared.contracts import PrintSpec
from tests.images import saved

BOX = {"kind": "rectangle", "box": [100, 100, 1100, 700]}
FIT = PrintSpec(width_inches=1, height_inches=1, canvas_width_inches=3, canvas_height_inches=2, stretch=False)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "cup"
    place.mkdir()
    Image.new("RGB", (1200, 800), "white").save(place / "cup.png")
    given = {"presswork_mockup": 1, "name": "Cup", "photograph": "cup.png", "areas": [{"shape": BOX}]}
    (place / "presswork-mockup.json").write_text(json.dumps(given))
    return place


def artwork(blur: float = 0, size: tuple[int, int] = (900, 900)) -> bytes:
    """A ring and a bar, with wide empty margins that differ on each side."""
    picture = Image.new("RGBA", size, (255, 255, 255, 0))
    pen = ImageDraw.Draw(picture)
    pen.ellipse((200, 150, 499, 349), outline=(200, 0, 0, 255), width=30)
    pen.rectangle((300, 220, 399, 279), fill=(0, 0, 160, 255))
    return saved(picture.filter(ImageFilter.GaussianBlur(blur)) if blur else picture)


def preview(folder: Path, data: bytes, *words: str) -> bytes:
    (folder / "rose.png").write_bytes(data)
    said = run(folder, *words)
    assert said.exit_code == 0, said.output
    return (folder / "out.jpg").read_bytes()


def run(folder: Path, *words: str) -> Result:
    given = ["mockup", "preview", str(folder), str(folder / "rose.png"), "-o", str(folder / "out.jpg"), *words]
    return CliRunner().invoke(app, given)


@pytest.mark.parametrize(
    ("words", "spec"),
    [((), OWN_SIZE), (("--size", "digital"), OWN_SIZE), (("--size", "3x1.5"), without_product("3x1.5"))],
    ids=["own", "digital", "inches"],
)
def test_a_preview_is_what_the_mockup_service_draws_of_the_hashers_print_file(
    folder: Path, words: tuple[str, ...], spec: PrintSpec
) -> None:
    place = Folder(folder)
    listed = drawn(place.prepared(place.template()), design(prepare(artwork(), spec, Limits()).print_file))
    assert preview(folder, artwork(), *words) == jpeg(listed)


def test_margins_of_a_picture_are_trimmed_and_it_is_said(folder: Path) -> None:
    seen = np.asarray(Image.open(io.BytesIO(preview(folder, artwork())))).astype(int)
    inked = np.argwhere((seen < 200).any(axis=2))
    high, wide = np.ptp(inked, axis=0) + 1
    assert (high, wide) == pytest.approx((1000, 1500), abs=6)  # 300 x 200 in an area of 1000 x 600, at 2000 of 1200
    assert "rose.png trimmed to what is visible of it (300 x 200 pixels), in its own" in run(folder).output
    assert "trimmed to what is visible of it (300 x 200 pixels), stretched to" in run(folder, "--size", "2x2").output


@pytest.mark.parametrize("spec", [OWN_SIZE, without_product("3x1.5"), FIT], ids=["own", "stretched", "fitted"])
@pytest.mark.parametrize("blur", [0.0, 6.0], ids=["sharp", "soft"])
def test_a_print_file_looks_as_the_picture_that_it_was_made_of(folder: Path, spec: PrintSpec, blur: float) -> None:
    """What is trimmed and laid out already stays so: to the bit if its edge is solid, else to a pixel of the print."""
    once = prepare(artwork(blur), spec, Limits()).print_file
    twice = prepare(once, spec, Limits()).print_file
    place = Folder(folder)
    ready = place.prepared(place.template())
    one, two = (drawn(ready, design(data)).astype(int) for data in (once, twice))
    if not blur:
        assert (design(once) == design(twice)).all()
    assert np.abs(one - two).max() <= (3 if blur else 0)


def test_a_picture_that_an_upload_would_be_refused_for_is_shown_with_a_remark(folder: Path) -> None:
    preview(folder, saved(Image.new("RGBA", (300, 200), (200, 0, 0, 255))))
    assert "rose.png: an upload of it would be refused: blank" in run(folder).output


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (saved(Image.new("RGBA", (300, 200))), "rose.png: every pixel is transparent"),
        (b"no picture", "rose.png: not an image; export it as PNG or JPEG"),
        (None, "rose.png can't be read: No such file"),
    ],
    ids=["transparent", "text", "missing"],
)
def test_what_can_not_be_printed_is_refused_in_words(folder: Path, data: bytes | None, words: str) -> None:
    if data is not None:
        (folder / "rose.png").write_bytes(data)
    said = run(folder)
    assert (said.exit_code, words in said.output) == (1, True), said.output
    assert not (folder / "out.jpg").exists()


@pytest.mark.parametrize("size", ["mug", "0x3", "3", "3 x 4"])
def test_a_folder_takes_inches_only(folder: Path, size: str) -> None:
    (folder / "rose.png").write_bytes(artwork())
    said = run(folder, "--size", size)
    assert said.exit_code == 1
    assert f"{size!r} is no print size; give inches, as in 9.5x4.33" in said.output


def test_a_preview_is_not_written_under_the_name_of_a_png(folder: Path) -> None:
    (folder / "rose.png").write_bytes(artwork())
    said: Any = CliRunner().invoke(
        app, ["mockup", "preview", str(folder), str(folder / "rose.png"), "-o", str(folder / "rose.png")]
    )
    assert said.exit_code == 2
    assert "the picture is a JPEG; name it .jpg" in said.output.replace("\n", " ")
    assert (folder / "rose.png").read_bytes() == artwork()
