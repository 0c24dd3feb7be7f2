"""The linter and the preview, as commands on a folder."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner, Result

from services.cli import app

Encode = Callable[..., bytes]
Made = Callable[..., Path]
BOX = {"kind": "rectangle", "box": [400, 100, 1200, 500]}
CROSSED = {"kind": "quad", "corners": [[400, 100], [1200, 500], [1200, 100], [400, 500]]}
QUAD = {"kind": "quad", "corners": [[400, 100], [1200, 80], [1210, 500], [390, 520]]}
ROUND = {"kind": "cylinder", "corners": [[400, 100], [1200, 100], [1200, 500], [400, 500]]}


def run(*words: object) -> Result:
    return CliRunner().invoke(app, ["mockup", *(str(word) for word in words)])


@pytest.fixture
def made(tmp_path: Path, encoded: Encode) -> Made:
    """A template's folder with one area, changed as said; `pictures` are colours by name."""

    def make(
        area: dict[str, Any] | None = None, pictures: dict[str, tuple[int, ...]] | None = None, **changes: Any
    ) -> Path:
        given = {
            "presswork_mockup": 1,
            "name": "Cup",
            "photograph": "cup.png",
            "areas": [{"shape": BOX} | (area or {})],
        }
        (tmp_path / "presswork-mockup.json").write_text(json.dumps(given | changes))
        for name, colour in ({"cup.png": (128, 128, 128)} | (pictures or {})).items():
            (tmp_path / name).write_bytes(encoded(colour, (2000, 600)))
        return tmp_path

    return make


def test_a_sound_template_has_nothing_said_against_it(made: Made) -> None:
    said = run("lint", made())
    assert said.exit_code == 0, said.output
    assert "no errors, 0 remarks" in said.output


@pytest.mark.parametrize(
    ("area", "words"),
    [
        ({"name": "back", "shape": CROSSED}, "error: print area 1 (back): its sides cross"),
        ({"shape": {"kind": "rectangle", "box": [3000, 0, 3500, 90]}}, "it lies outside the photograph"),
        ({"shape": ROUND | {"top": [800, 480], "bottom": [800, 490]}}, "the middles of its upper and lower edge"),
    ],
    ids=["crossed", "outside", "middles"],
)
def test_what_no_mockup_can_be_made_from_is_an_error(made: Made, area: dict[str, Any], words: str) -> None:
    said = run("lint", made(area))
    assert said.exit_code == 1
    assert words in said.output


@pytest.mark.parametrize(
    ("area", "words"),
    [
        ({"shape": {"kind": "rectangle", "box": [1800, 100, 2100, 500]}}, "a part of it lies outside"),
        ({"shape": {"kind": "rectangle", "box": [400, 100, 500, 180]}}, "100 x 80 pixels in the finished picture"),
        ({"size_inches": [4, 8]}, "check the corners and the size"),
        ({"blend": "multiply", "shading": 0.5}, "shading adds nothing"),
        ({"blend": "multiply", "white": "#eeeeee"}, "leave `white` out"),
        ({"fit": "cover", "margin": 0.1}, "leaves no margin"),
        ({"shape": ROUND | {"top": [800, 110], "bottom": [800, 520]}, "displacement": 1}, "a cylinder has no folds"),
    ],
    ids=["sticking out", "small", "proportions", "multiply", "white", "margin", "round"],
)
def test_what_will_look_wrong_is_a_remark(made: Made, area: dict[str, Any], words: str) -> None:
    said = run("lint", made(area))
    assert said.exit_code == 0, said.output
    assert "remark: " in said.output
    assert words in said.output


def test_an_area_that_a_crop_cuts_is_a_remark(made: Made) -> None:
    beside = {"proportions": "1:1", "middle": [1400, 300]}
    assert "a part of it lies outside the picture" in run("lint", made(crop=beside)).output
    elsewhere = {"proportions": "1:1", "middle": [1600, 300]}
    assert (
        "error: print area 1 (front): it lies outside the photograph or its crop"
        in run("lint", made(crop=elsewhere)).output
    )


def test_a_preview_is_cut_to_the_proportions_around_the_print_areas_with_its_layers(
    made: Made, encoded: Encode, tmp_path: Path
) -> None:
    folder = made({"shape": {"kind": "rectangle", "box": [1300, 100, 1700, 500]}}, foreground="hand.png")
    hand = np.zeros((300, 1000, 4), np.uint8)  # half the photograph's size, over the left half of the print area
    hand[:, 600:750] = (0, 0, 200, 255)
    Image.fromarray(hand).save(folder / "hand.png")
    (tmp_path / "red.png").write_bytes(encoded((200, 0, 0, 255), (300, 300)))
    said = run("preview", folder, tmp_path / "red.png", "-o", tmp_path / "out.jpg", "--proportions", "1:1")
    assert said.exit_code == 0, said.output
    with Image.open(tmp_path / "out.jpg") as picture:
        assert picture.size == (2000, 2000)  # of 1200 to 1800 across
        seen = np.asarray(picture).astype(int)
    assert seen[1000, 700].argmax() == 2
    assert seen[1000, 1300].argmax() == 0
    assert np.abs(seen[1000, [150, 1850]][1] - 128).max() < 6
    assert "give width and height" in run("preview", folder, tmp_path / "red.png", "--proportions", "4x3").output


def test_an_area_becomes_a_mesh_that_lies_where_it_lay(made: Made) -> None:
    folder = made({"name": "front", "shape": QUAD})
    said = run("mesh", folder, "front", "--rows", 3, "--columns", 4)
    assert said.exit_code == 0, said.output
    assert "no errors, 0 remarks" in run("lint", folder).output
    assert "presswork-mockup.json: front is a mesh of 3 x 4 points now" in said.output
    text = (folder / "presswork-mockup.json").read_text()
    rows = json.loads(text)["areas"][0]["shape"]["rows"]
    assert [len(row) for row in rows] == [4, 4, 4]
    assert (rows[0][0], rows[2][3]) == ([400, 100], [1210, 500])
    assert "[400.0, 100.0]" in text  # a point on one line, for the hand that moves it
    assert "there are: 'front'" in run("mesh", folder, "back").output


def test_the_template_that_a_mesh_replaces_is_kept_each_time(made: Made) -> None:
    folder = made({"name": "front", "shape": QUAD})
    template = folder / "presswork-mockup.json"
    before = template.read_bytes()
    assert "as it was: " in run("mesh", folder, "front").output
    between = template.read_bytes()
    assert "presswork-mockup.json.bak1" in run("mesh", folder, "front", "--rows", 9).output
    assert (folder / "presswork-mockup.json.bak").read_bytes() == before
    assert (folder / "presswork-mockup.json.bak1").read_bytes() == between
    assert run("mesh", folder, "back").exit_code == 1
    assert sorted(path.name for path in folder.glob("*.bak*")) == [f"{template.name}.bak", f"{template.name}.bak1"]


def test_each_mistake_in_a_template_is_one_line(made: Made) -> None:
    said = run("lint", made({"shape": CROSSED, "fit": "fill", "shadnig": 1}, crop={"proportions": "4x3"}))
    assert said.exit_code == 1
    assert said.output.splitlines() == [
        "error: print area 1: 'shadnig' is no setting of a print area; did you mean 'shading'?",
        "error: print area 1, fit: it is \"fill\"; give 'contain', 'cover' or 'stretch'",
        'error: crop, proportions: it is "4x3"; give width to height, like 4:3',
    ]


def test_a_wrong_print_area_brings_no_complaint_about_the_others(made: Made) -> None:
    """The crop lies around all areas, so the far one would move it off the sound one."""
    areas = [{"name": "far", "shape": {"kind": "rectangle", "box": [40000, 100, 41200, 500]}}, {"shape": BOX}]
    said = run("lint", made(areas=areas, crop={"proportions": "1:1"}))
    assert [line.partition(":")[2] for line in said.output.splitlines()] == [
        " print area 1 (far): it lies outside the photograph or its crop; draw it in the photograph's own pixels"
    ]


def test_every_picture_that_is_not_there_is_an_error_of_its_own(made: Made) -> None:
    missing = {
        "foreground": "hand.png",
        "garment": {"mask": "mask.png", "colours": {"Red": "#ff0000"}},
        "watermark": {"picture": "logo.png"},
    }
    folder = made({"name": "back", "shape": CROSSED}, **missing)
    errors = run("lint", folder).output.splitlines()
    words = "there is no such file; put it there, or mend its name"
    assert errors[0].startswith("error: print area 1 (back): its sides cross")
    assert errors[1:4] == [
        f"error: the foreground can't be used: {folder / 'hand.png'} can't be read: {words}",
        f"error: the garment's mask can't be used: {folder / 'mask.png'} can't be read: {words}",
        f"error: the watermark can't be used: {folder / 'logo.png'} can't be read: {words}",
    ]
    (folder / "cup.png").unlink()
    assert [line.count(words) for line in run("lint", folder).output.splitlines()] == [1, 1, 1, 1]


def test_a_watermark_is_looked_at(made: Made) -> None:
    said = run("lint", made(watermark={"place": "tile"}))
    assert said.exit_code == 0
    assert "remark: the watermark names no picture" in said.output
    (made(watermark={"picture": "logo.png"}) / "logo.png").write_bytes(b"no picture")
    said = run("lint", made(watermark={"picture": "logo.png"}))
    assert said.output.splitlines() == [
        "error: the watermark can't be used: it is not a picture; upload it as PNG, JPEG or WEBP"
    ]


def test_layers_that_can_not_be_used_are_errors(made: Made) -> None:
    opaque = made(pictures={"hand.png": (10, 20, 30)}, foreground="hand.png")
    assert "the foreground has no transparent part" in run("lint", opaque).output
    garment = {"mask": "mask.png", "colours": {"Red": "#ff0000"}}
    black = made(pictures={"mask.png": (0,)}, garment=garment)
    assert "error: the garment's mask is empty" in run("lint", black).output
    (black / "mask.png").unlink()
    assert "mask.png can't be read" in run("lint", black).output


def test_a_folder_without_a_template_or_photograph_says_so(made: Made, tmp_path: Path) -> None:
    assert "presswork-mockup.json can't be read" in run("lint", tmp_path).output
    (made() / "cup.png").write_bytes(b"no picture")
    assert "cup.png: it is not a picture" in run("lint", tmp_path).output


def test_a_preview_shows_design_and_outlines(made: Made, encoded: Encode, tmp_path: Path) -> None:
    folder, out = made(), tmp_path / "out.jpg"
    (tmp_path / "design.png").write_bytes(encoded((200, 0, 0, 255), (400, 200)))
    for words, changed in ((), False), (("--outlines",), True):
        said = run("preview", folder, tmp_path / "design.png", "-o", out, *words)
        assert said.exit_code == 0, said.output
        picture = np.asarray(Image.open(out)).astype(int)
        assert np.abs(picture[310, 810] - (200, 0, 0)).max() < 12
        assert (np.abs(picture[300, 400] - (255, 40, 120)).max() < 60) == changed


def test_a_preview_in_a_colour_that_there_is_not_names_those_that_there_are(made: Made, encoded: Encode) -> None:
    folder = made(pictures={"mask.png": (255,)}, garment={"mask": "mask.png", "colours": {"Red": "#a00000"}})
    (folder / "design.png").write_bytes(encoded((0, 0, 0, 255)))
    said = run("preview", folder, folder / "design.png", "--colour", "Blue")
    assert said.exit_code == 1
    assert "does not come in 'Blue'; its colours are: Red" in said.output
    said = run("preview", folder, folder / "design.png", "--colour", "Red", "-o", folder / "out.jpg")
    assert said.exit_code == 0, said.output
    assert np.abs(np.asarray(Image.open(folder / "out.jpg"))[300, 50].astype(int) - (160, 0, 0)).max() < 8
