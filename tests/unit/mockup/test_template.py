"""The format: what it takes, and how it says no."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from services.mockup.faults import Mistaken, NotRenderable
from services.mockup.reading import bound, template
from services.mockup.template import Area, Cylinder, Quad, Template, area_of
from shared.contracts import Mask

DOCS = Path(__file__).parents[3] / "docs" / "mockups.md"
KINDS = "'rectangle', 'polygon', 'quad', 'cylinder', 'mesh'"
BOX = {"kind": "rectangle", "box": [1, 2, 30, 40]}


def few(given: int, needed: int) -> str:
    return f"it has {given} of {needed} entries; give all of them"


def refusal(**changes: Any) -> str:
    given = {"presswork_mockup": 1, "name": "Cup", "photograph": "cup.jpg", "areas": [{"shape": BOX}]}
    with pytest.raises(NotRenderable) as refused:
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
        (
            {"areas": [{"shape": BOX}, {"name": "card", "shape": BOX | {"box": [1, 2, 3]}}]},
            f"print area 2 (card), shape, box: {few(3, 4)}",
        ),
        (
            {"areas": [{"shape": {"kind": "quad", "corners": [[1, 2], [3]]}}]},
            f"print area 1, shape, corners 2: {few(1, 2)}; print area 1, shape, corners: {few(2, 4)}",
        ),
        (
            {"areas": [{"shape": {"kind": "circle"}}]},
            f"print area 1, shape: there is no kind 'circle'; give one of {KINDS}",
        ),
        (
            {"areas": [{"shape": {"box": [1, 2, 3, 4]}}]},
            f"print area 1, shape: 'kind' is missing; give one of {KINDS}",
        ),
        (
            {"areas": [{"shape": {"kind": "quad", "box": [1, 2, 3, 4]}}]},
            "print area 1, shape: 'box' is no setting of a quad; it needs 'corners'",
        ),
        (
            {"areas": [{"shape": BOX, "shadnig": 1}]},
            "print area 1: 'shadnig' is no setting of a print area; did you mean 'shading'?",
        ),
        (
            {"areas": [{"shpae": BOX}]},
            "print area 1: 'shpae' is no setting of a print area; did you mean 'shape'?",
        ),
        ({"areas": [{"name": "x"}]}, "print area 1 (x): 'shape' is missing; docs/mockups.md says what"),
        ({"zoom": 1}, "the template: 'zoom' is no setting of a template; take it out"),
        ({"areas": [{"shape": BOX, "shading": 1.5}]}, "print area 1, shading: it is 1.5; give at most 1"),
        (
            {"areas": [{"shape": BOX, "fit": "fill"}]},
            "print area 1, fit: it is \"fill\"; give 'contain', 'cover' or 'stretch'",
        ),
        ({"areas": [{"shape": BOX, "opacity": "much"}]}, 'print area 1, opacity: it is "much"; give a number'),
        (
            {"areas": [{"shape": BOX | {"box": [1, 2, 3, float("nan")]}}]},
            "print area 1, shape, box 4: it is NaN; give a finite number",
        ),
        (
            {"areas": [{"shape": {"kind": "polygon", "points": [[1, 2], [3, 4]]}}]},
            "print area 1, shape, points: it has too few entries; give 3 or more",
        ),
        (
            {"areas": [{"shape": {"kind": "mesh", "rows": [[[1, 1], [2, 1]], [[1, 2], [2, 2], [3, 2]]]}}]},
            "print area 1, shape: all rows need the same number of points",
        ),
        ({"areas": []}, "areas: it has too few entries; give 1 or more"),
        ({"areas": "front"}, 'areas: it is "front"; give a list, in brackets'),
        ({"name": ""}, "name: it is empty; give a name"),
        ({"name": 7}, "name: it is 7; give text, in quotes"),
        ({"photograph": "../../etc/passwd"}, "photograph: it is \"../../etc/passwd\"; give the name of a picture that"),
        ({"photograph": "a/b.jpg"}, "photograph: it is \"a/b.jpg\"; give the name of a picture that lies beside"),
        ({"crop": {"proportions": "4x3"}}, 'crop, proportions: it is "4x3"; give width to height, like 4:3'),
        (
            {"garment": {"mask": "m.png", "colours": {"Red": "red"}}},
            'garment, colours, Red: it is "red"; give a colour as #rrggbb, like #e9e7e2',
        ),
        (
            {"garment": {"mask": "m.png", "colours": {"Red": "#ff0000"}, "colour": "Blue"}},
            "garment: there is no colour 'Blue'; there are Red",
        ),
        ({"presswork_mockup": 9}, "presswork_mockup: it is 9; give 1"),
    ],
    ids=[
        "box", "corners", "kind", "no kind", "another kind", "typo", "needed typo", "lacking", "unknown", "range",
        "choice", "number", "nan", "few points", "ragged", "no areas", "list", "empty", "text", "outside", "below",
        "proportions", "word", "colour", "version",
    ],
)  # fmt: skip
def test_a_mistake_is_one_line_with_its_place_and_what_to_do(changes: dict[str, Any], words: str) -> None:
    said = refusal(**changes)
    assert said.startswith(words)
    assert said.count(":") == words.count(":"), "nothing more is said that only follows from it"


def test_a_misspelt_setting_that_is_needed_is_not_missing_as_well() -> None:
    with pytest.raises(Mistaken) as refused:
        template(json.dumps({"presswork_mockup": 1, "name": "Cup", "photo": "cup.jpg", "areas": []}).encode())
    assert refused.value.mistakes == (
        "the template: 'photo' is no setting of a template; did you mean 'photograph'?",
        "areas: it has too few entries; give 1 or more",
    )


def test_mistakes_in_a_template_with_its_pictures_have_the_same_words() -> None:
    with pytest.raises(NotRenderable) as refused:
        bound(json.dumps({"template": {"areas": [{"name": "x", "shape": {"kind": "circle"}}]}}).encode())
    assert "print area 1 (x), shape: there is no kind 'circle'" in str(refused.value)
    assert "the template: 'photograph' is missing" in str(refused.value)


@pytest.mark.parametrize("whole", [b"[]", b"7", b'"cup"', b"null"])
def test_what_is_no_template_at_all_is_refused_in_words(whole: bytes) -> None:
    with pytest.raises(NotRenderable, match=r"^the template: it is .*; give names and values, in braces"):
        template(whole)


def test_pictures_without_a_template_are_refused_in_words() -> None:
    with pytest.raises(NotRenderable, match=r"^the template: it is missing"):
        bound(b'{"pictures": {}}')


@pytest.mark.parametrize("lone", ['"\\ud800"', '{"areas": ["\\ud800"]}', '{"garment": {"colours": {"\\ud800": 1}}}'])
def test_what_no_terminal_and_no_answer_can_show_is_told_by_its_number(lone: str) -> None:
    with pytest.raises(NotRenderable) as told:
        template(lone.encode())
    str(told.value).encode()


def test_a_slip_in_the_json_is_told_with_its_line() -> None:
    with pytest.raises(NotRenderable, match="look at line 2, column 1, or just before it"):
        template(b'{"name": "Cup"\n"photograph": "cup.jpg"}')


@pytest.mark.parametrize("data", [b"", b"{", b"[" * 100_000, b"\xff\xfe"], ids=["empty", "cut", "deep", "bytes"])
def test_what_is_no_json_is_refused(data: bytes) -> None:
    with pytest.raises(NotRenderable, match="the template is no JSON"):
        template(data)


def test_what_is_far_too_long_is_refused_unread() -> None:
    with pytest.raises(NotRenderable, match="more than 1 MB"):
        template(b" " * (1 << 20) + b"{}")


def test_a_mask_of_the_editor_is_an_area_with_defaults() -> None:
    corners = ((1.0, 2.0), (9.0, 2.0), (9.0, 8.0), (1.0, 8.0))
    fitted = area_of(Mask(polygon=corners, alignment="left"))
    assert (fitted.fit, fitted.align, fitted.shading, fitted.shape.kind) == ("contain", "center", 0, "polygon")
    cut = area_of(Mask(polygon=corners, alignment="left", is_cropped=True, perspective=True))
    assert (cut.fit, cut.align, cut.shape) == ("cover", "left", Quad(kind="quad", corners=corners))
