"""The format: what it takes, and how it says no."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from services.mockup.faults import Unusable
from services.mockup.reading import template
from services.mockup.template import Area, Cylinder, Quad, Template, area_of
from shared.contracts import Mask

DOCS = Path(__file__).parents[3] / "docs" / "mockups.md"
BOX = {"kind": "rectangle", "box": [1, 2, 30, 40]}


def refusal(**changes: Any) -> str:
    given = {"presswork_mockup": 1, "name": "Cup", "photograph": "cup.jpg", "areas": [{"shape": BOX}]}
    with pytest.raises(Unusable) as refused:
        template(json.dumps(given | changes).encode())
    return str(refused.value)


def test_the_example_in_the_docs_is_a_template_and_names_every_setting() -> None:
    example = re.search(r"```json\n(.*?)```", DOCS.read_text(), re.DOTALL)
    assert example
    given = template(example[1].encode())
    assert [area.shape.kind for area in given.areas] == ["cylinder", "quad"]
    said = set(re.findall(r'"(\w+)":', example[1]))
    assert set(Area.model_fields) | set(Cylinder.model_fields) <= said | {"points", "box"}
    assert set(Template.model_fields) <= said
    assert given.layers == ("fingers.png", "sleeve-mask.png", "logo.png")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"areas": [{"shape": BOX}, {"shape": BOX | {"box": [1, 2, 3]}}]}, "areas 2, shape, rectangle, box"),
        ({"areas": [{"shape": {"kind": "circle"}}]}, "areas 1, shape: Input tag 'circle'"),
        ({"areas": [{"shape": BOX, "shadnig": 1}]}, "areas 1, shadnig: Extra inputs are not permitted"),
        ({"areas": [{"shape": BOX, "shading": 1.5}]}, "areas 1, shading: Input should be less than or equal to 1"),
        ({"areas": [{"shape": BOX | {"box": [1, 2, 3, float("nan")]}}]}, "finite"),
        ({"photograph": "../../etc/passwd"}, "photograph: String should match"),
        ({"photograph": "a/b.jpg"}, "photograph: String should match"),
        ({"garment": {"mask": "m.png", "colours": {"Red": "red"}}}, "garment, colours, Red"),
        ({"garment": {"mask": "m.png", "colours": {"Red": "#ff0000"}, "colour": "Blue"}}, "no colour 'Blue'"),
        ({"presswork_mockup": 9}, "presswork_mockup: Input should be 1"),
    ],
    ids=["box", "kind", "typo", "range", "nan", "outside", "below", "word", "colour", "version"],
)
def test_a_mistake_is_named_by_its_place(changes: dict[str, Any], words: str) -> None:
    assert words in refusal(**changes)


@pytest.mark.parametrize("data", [b"", b"{", b"[" * 100_000, b"\xff\xfe"], ids=["empty", "cut", "deep", "bytes"])
def test_what_is_no_json_is_refused(data: bytes) -> None:
    with pytest.raises(Unusable, match="the template is no JSON"):
        template(data)


def test_what_is_far_too_long_is_refused_unread() -> None:
    with pytest.raises(Unusable, match="more than 1 MB"):
        template(b" " * (1 << 20) + b"{}")


def test_a_mask_of_the_editor_is_an_area_with_defaults() -> None:
    corners = ((1.0, 2.0), (9.0, 2.0), (9.0, 8.0), (1.0, 8.0))
    fitted = area_of(Mask(polygon=corners, alignment="left"))
    assert (fitted.fit, fitted.align, fitted.shading, fitted.shape.kind) == ("contain", "center", 0, "polygon")
    cut = area_of(Mask(polygon=corners, alignment="left", is_cropped=True, perspective=True))
    assert (cut.fit, cut.align, cut.shape) == ("cover", "left", Quad(kind="quad", corners=corners))
