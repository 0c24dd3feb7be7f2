"""Photoshop mockups, made here with psd-tools, as templates."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from services.cli import app
from services.mockup.authoring.folder import Folder, drawn
from services.mockup.authoring.photoshop import imported
from services.mockup.faults import NotRenderable
from services.mockup.pictures import design
from services.mockup.template import Mesh

psd_tools = pytest.importorskip("psd_tools")
SIZE = (800, 600)
CORNERS = (200.0, 100.0, 620.0, 140.0, 600.0, 480.0, 210.0, 500.0)


def filled(colour: tuple[int, ...], size: tuple[int, int] = SIZE) -> Image.Image:
    return Image.new("RGBA", size, colour)


def smart(layer: Any, corners: tuple[float, ...], style: bytes = b"warpNone", *more: Any) -> None:
    """Make a smart object of a pixel layer: what Photoshop writes beside its pixels."""
    from psd_tools.constants import PlacedLayerType, Tag  # noqa: PLC0415 - only where psd-tools is
    from psd_tools.psd.descriptor import DescriptorBlock2, Enumerated  # noqa: PLC0415

    warp = DescriptorBlock2(classID=b"warp", items=[(b"warpStyle", Enumerated(typeID=b"warpStyle", enum=style)), *more])
    layer.tagged_blocks.set_data(
        Tag.PLACED_LAYER1, uuid=b"0001", layer_type=PlacedLayerType.RASTER, transform=corners, warp=warp
    )


@pytest.fixture
def mockup(tmp_path: Path) -> Path:
    """A wall, the design on it in perspective, a multiplied shadow over both, and a finger before all."""
    from psd_tools.constants import BlendMode  # noqa: PLC0415

    document = psd_tools.PSDImage.new("RGB", SIZE)
    document.create_pixel_layer(filled((230, 225, 215, 255)), name="wall")
    design = document.create_pixel_layer(filled((0, 200, 0, 255), (400, 300)), name="Your design", top=120, left=210)
    smart(design, CORNERS)
    document.create_pixel_layer(
        filled((120, 120, 120, 255), (200, 600)), name="shadow", left=400, blend_mode=BlendMode.MULTIPLY
    )
    document.create_pixel_layer(filled((90, 60, 50, 255), (60, 300)), name="finger", top=300, left=250)
    path = tmp_path / "poster.psd"
    document.save(path)
    return path


def test_a_smart_object_becomes_a_print_area_without_its_own_picture(mockup: Path, tmp_path: Path) -> None:
    found = imported(mockup, tmp_path / "poster")
    (area,) = found.template.areas
    assert (area.name, area.blend, area.opacity, area.shading) == ("Your design", "normal", 1, 0.8)
    assert area.shape.kind == "quad"
    assert sum(area.shape.corners, ()) == CORNERS
    assert found.remarks == ()
    photo = np.asarray(Image.open(tmp_path / "poster" / "photo.png").convert("RGB")).astype(int)
    assert photo[150, 300].tolist() == [230, 225, 215]  # neither the design's green
    assert photo[350, 280].tolist() == [230, 225, 215]  # nor the finger, which stands before the next design
    assert photo[150, 500].tolist() == pytest.approx([108, 106, 101], abs=2)  # but the shadow


def test_a_design_drawn_into_it_lies_under_shadow_and_finger(mockup: Path, tmp_path: Path, encoded: Any) -> None:
    found = imported(mockup, tmp_path / "poster")
    folder = Folder(tmp_path / "poster")
    assert folder.template() == found.template
    picture = drawn(folder.prepared(found.template), design(encoded((200, 0, 0, 255), (400, 330)))).astype(int)
    lit, dark, finger = (picture[round(y * 2.5), round(x * 2.5)] for x, y in ((350, 250), (500, 250), (280, 350)))
    assert lit.tolist() == pytest.approx([200, 0, 0], abs=3)
    assert 90 < dark[0] < 150
    assert finger.tolist() == pytest.approx([90, 60, 50], abs=2)


def test_a_folder_that_has_a_template_is_not_written_over(mockup: Path, tmp_path: Path) -> None:
    imported(mockup, tmp_path / "poster")
    kept = {path.name: path.read_bytes() for path in (tmp_path / "poster").iterdir()}
    with pytest.raises(
        NotRenderable, match=r"presswork-mockup\.json is there already and would be lost; name a new folder"
    ):
        imported(mockup, tmp_path / "poster")
    assert {path.name: path.read_bytes() for path in (tmp_path / "poster").iterdir()} == kept


def test_what_is_not_taken_over_is_said(tmp_path: Path) -> None:
    document = psd_tools.PSDImage.new("RGB", SIZE)
    document.create_pixel_layer(filled((255, 255, 255, 255)), name="mug")
    layer = document.create_pixel_layer(filled((0, 0, 0, 255), (100, 100)), name="wrap", top=50, left=50)
    smart(layer, (50.0, 50.0, 150.0, 50.0, 150.0, 150.0, 50.0, 150.0), b"warpArc")
    document.save(tmp_path / "mug.psd")
    said = CliRunner().invoke(app, ["mockup", "from-psd", str(tmp_path / "mug.psd"), str(tmp_path / "mug")])
    assert said.exit_code == 0, said.output
    assert "remark: wrap: it is warped" in said.output
    written = json.loads((tmp_path / "mug" / "presswork-mockup.json").read_text())
    assert written["areas"] == [{"name": "wrap", "shape": {"kind": "rectangle", "box": [50, 50, 150, 150]}}]


def test_a_custom_warp_becomes_a_mesh(tmp_path: Path) -> None:
    """The control points of a plain sheet, but for the inner ones of the upper edge, which are 20 of 100 higher."""
    from psd_tools.psd.descriptor import Descriptor, Double, ObjectArray, UnitFloats  # noqa: PLC0415 - as above

    y, x = (axis.ravel() * 100 / 3 for axis in np.mgrid[0:4, 0:4].astype(float))
    y[1:3] -= 20
    axes = [(key, UnitFloats(unit=b"#Pxl", values=list(values))) for key, values in ((b"Hrzn", x), (b"Vrtc", y))]
    points = ObjectArray(items_count=16, classID=b"rationalPoint", items=axes)
    envelope = Descriptor(classID=b"customEnvelopeWarp", items=[(b"meshPoints", points)])
    sides = [(b"Top ", 0), (b"Left", 0), (b"Btom", 100), (b"Rght", 100)]
    bounds = Descriptor(classID=b"classFloatRect", items=[(key, Double(float(at))) for key, at in sides])
    document = psd_tools.PSDImage.new("RGB", SIZE)
    document.create_pixel_layer(filled((255, 255, 255, 255)), name="cloth")
    layer = document.create_pixel_layer(filled((0, 0, 0, 255), (200, 200)), name="print", top=100, left=100)
    corners = (100.0, 100.0, 300.0, 100.0, 300.0, 300.0, 100.0, 300.0)
    smart(layer, corners, b"warpCustom", (b"bounds", bounds), (b"customEnvelopeWarp", envelope))
    document.save(tmp_path / "flag.psd")
    found = imported(tmp_path / "flag.psd", tmp_path / "flag")
    shape = found.template.areas[0].shape
    assert isinstance(shape, Mesh)
    assert shape.rows[0][0] == (100, 100)
    assert shape.rows[0][3] == pytest.approx((200, 70))  # 3/4 of 20, twice as large
    assert shape.rows[6][3] == pytest.approx((200, 300))
    assert "became a mesh" in found.remarks[0]


def test_a_file_without_a_place_for_a_design_is_refused_in_words(tmp_path: Path) -> None:
    document = psd_tools.PSDImage.new("RGB", SIZE)
    document.create_pixel_layer(filled((255, 255, 255, 255)), name="wall")
    document.save(tmp_path / "wall.psd")
    with pytest.raises(NotRenderable, match=r"wall.psd has no visible smart object.*there are: none"):
        imported(tmp_path / "wall.psd", tmp_path / "wall")
    assert not (tmp_path / "wall").exists()
    (tmp_path / "bad.psd").write_bytes(b"8BPS and no more")
    with pytest.raises(NotRenderable, match=r"bad\.psd can't be read as a Photoshop file"):
        imported(tmp_path / "bad.psd", tmp_path / "bad")
