"""The contact sheet: every mockup once, in order."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from services.demo.contact_sheet import HEADER, MARGIN, TILE, contact_sheet, design_number, mockups

RED, BLUE = (200, 30, 30), (30, 30, 200)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for number in (100, 999, 1000):
        for picture in range(2):
            colour = RED if picture == 0 else BLUE
            Image.new("RGB", (400, 300), colour).save(tmp_path / f"DTF {number} Art_{number}_BG_{picture}.jpg")
    (tmp_path / "notes.txt").write_text("not a mockup")
    Image.new("RGB", (9, 9)).save(tmp_path / "holiday.jpg")
    return tmp_path


def test_mockups_come_by_number_and_photograph(folder: Path) -> None:
    assert [[path.name for path in strip] for strip in mockups(folder)] == [
        [f"DTF {number} Art_{number}_BG_{picture}.jpg" for picture in range(2)] for number in (100, 999, 1000)
    ]


def test_an_empty_or_missing_folder_has_no_mockups(tmp_path: Path) -> None:
    assert mockups(tmp_path) == []
    assert mockups(tmp_path / "nowhere") == []


def test_each_mockup_is_on_the_sheet(folder: Path) -> None:
    sheet = contact_sheet(mockups(folder), "Three designs", {"DTF 100": "rose.png"})
    pixels = np.asarray(sheet).astype(int)
    for colour in (RED, BLUE):
        near = (np.abs(pixels - colour) < 40).all(axis=2)
        assert near.sum() == pytest.approx(3 * TILE * TILE, rel=0.02)


def test_the_sheet_grows_with_the_number_of_designs(folder: Path) -> None:
    strips = mockups(folder)
    three, thirty = contact_sheet(strips, "3"), contact_sheet(strips * 10, "30")
    assert thirty.height > 5 * (three.height - HEADER - MARGIN)


def test_without_mockups_there_is_no_sheet() -> None:
    with pytest.raises(ValueError, match="no mockups"):
        contact_sheet([], "none")


def test_a_design_is_called_by_kind_and_number() -> None:
    assert design_number("DTF 100 Art_100_BG_0.jpg") == design_number("DTF 100 Art_100.png") == "DTF 100"
