"""What pydantic found wrong with a template file, in words: a line for each mistake, with its place and what to do."""

import json
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Any, NamedTuple

from pydantic import BaseModel, ValidationError

from services.mockup.template import (
    PROPORTIONS,
    Area,
    Crop,
    Cylinder,
    Garment,
    Marking,
    Mesh,
    Polygon,
    Quad,
    Rectangle,
    Template,
)

Place = tuple[int | str, ...]
Problem = Mapping[str, Any]


class Part(NamedTuple):
    """A part of a template, and what it is called."""

    model: type[BaseModel]
    called: str


SHAPES = {
    "rectangle": Part(Rectangle, "a rectangle"),
    "polygon": Part(Polygon, "a polygon"),
    "quad": Part(Quad, "a quad"),
    "cylinder": Part(Cylinder, "a cylinder"),
    "mesh": Part(Mesh, "a mesh"),
}
PARTS = SHAPES | {
    "areas": Part(Area, "a print area"),
    "garment": Part(Garment, "a garment"),
    "watermark": Part(Marking, "a watermark"),
    "crop": Part(Crop, "a crop"),
}
WHOLE = Part(Template, "a template")
KINDS = ", ".join(repr(kind) for kind in SHAPES)

WORDS = {  # by pydantic's name for the mistake, with its own facts; what is not here keeps pydantic's words
    "missing": "it is missing",  # all of it
    "string_type": "it is {given}; give text, in quotes",
    "string_too_short": "it is empty; give a name",
    "string_too_long": "it is too long; give at most {max_length} letters",
    "float_type": "it is {given}; give a number",
    "float_parsing": "it is {given}; give a number",
    "finite_number": "it is {given}; give a finite number",
    "greater_than_equal": "it is {given}; give at least {ge:g}",
    "greater_than": "it is {given}; give more than {gt:g}",
    "less_than_equal": "it is {given}; give at most {le:g}",
    "literal_error": "it is {given}; give {expected}",
    "tuple_type": "it is {given}; give a list, in brackets",
    "too_short": "it has too few entries; give {min_length} or more",
    "too_long": "it has too many entries; give at most {max_length}",
    "dict_type": "it is {given}; give names and values, in braces",
    "model_type": "it is {given}; give names and values, in braces (docs/mockups.md has an example)",
    "model_attributes_type": "it is {given}; give names and values, in braces",
    "union_tag_invalid": "there is no kind {tag!r}; give one of " + KINDS,
    "union_tag_not_found": "'kind' is missing; give one of " + KINDS,
    "value_error": "{error}",
}
SHOWN_CHARS = 60


def mistakes_of(error: ValidationError, document: object, *, inside: str = "") -> tuple[str, ...]:
    """Each mistake once: a misspelt name is not missing as well. `inside` is where in what was read the template is."""
    groups: dict[Place, list[Problem]] = {}
    for problem in error.errors():
        if _only_follows(problem):
            continue
        place = problem["loc"][1:] if inside and problem["loc"][:1] == (inside,) else problem["loc"]
        groups.setdefault(place[:-1], []).append({**problem, "loc": place})
    return tuple(
        _shown_anywhere(f"{_called(place, document)}: {words}")
        for parent, problems in groups.items()
        for place, words in _mistakes(parent, problems)
    )


def _only_follows(problem: Problem) -> bool:
    """Pydantic counts what is left of a list without its faulty entries: one area with a slip is none."""
    return problem["type"] == "too_short" and bool(len(problem["input"]) >= problem["ctx"]["min_length"])


def _mistakes(parent: Place, problems: Sequence[Problem]) -> Iterator[tuple[Place, str]]:
    """Of one part of the template."""
    lacking = [problem["loc"][-1] for problem in problems if problem["type"] == "missing" and problem["loc"]]
    extra = [problem["loc"][-1] for problem in problems if problem["type"] == "extra_forbidden"]
    if lacking and isinstance(lacking[0], int):  # of a list with so many entries
        yield parent, f"it has {lacking[0]} of {lacking[-1] + 1} entries; give all of them"
    else:
        for words in _names(parent, lacking, extra):
            yield parent, words
    for problem in problems:
        if problem["type"] not in {"missing", "extra_forbidden"} or not problem["loc"]:
            yield problem["loc"], _value(problem)


def _names(parent: Place, lacking: list[str], extra: list[str]) -> Iterator[str]:
    part = next((PARTS[name] for name in reversed(parent) if name in PARTS), WHOLE)
    for name in extra:
        meant = (get_close_matches(name, lacking, 1) or get_close_matches(name, part.model.model_fields, 1) or [""])[0]
        needed = meant or (lacking[0] if lacking else "")
        if needed in lacking:
            lacking.remove(needed)
        known = f"did you mean {meant!r}?" if meant else f"it needs {needed!r}" if needed else "take it out"
        yield f"{name!r} is no setting of {part.called}; {known}"
    for name in lacking:
        yield f"{name!r} is missing; docs/mockups.md says what {part.called} needs"


def _value(problem: Problem) -> str:
    facts, given = problem.get("ctx", {}), _shown(problem["input"])
    if problem["type"] == "string_pattern_mismatch":
        return f"it is {given}; give {_pattern(facts['pattern'])}"
    words = WORDS.get(problem["type"])
    return str(problem["msg"]) if words is None else words.format(given=given, **facts)


def _pattern(pattern: str) -> str:
    if pattern == PROPORTIONS:
        return "width to height, like 4:3"
    if pattern.startswith("^#"):
        return "a colour as #rrggbb, like #e9e7e2"
    return "the name of a picture that lies beside the template, without its folder"


def _shown(given: object) -> str:
    text = json.dumps(given, ensure_ascii=False, default=str)
    return text if len(text) <= SHOWN_CHARS else f"{text[:SHOWN_CHARS]} ..."


def _shown_anywhere(words: str) -> str:
    """Half of a sign, as JSON can write it, is no text: a terminal and an answer refuse it."""
    return words.encode(errors="backslashreplace").decode()


def _called(place: Place, document: object) -> str:
    """`print area 2 (card), shape, top`: entries of a list are counted from 1."""
    words: list[str] = []
    for index, part in enumerate(place):
        if index == 1 and place[0] == "areas" and isinstance(part, int):
            words[0] = f"print area {part + 1}{_own_name(document, part)}"
        elif isinstance(part, int):
            words[-1] += f", {part + 1}" if isinstance(place[index - 1], int) else f" {part + 1}"
        elif index == 0 or place[index - 1] != "shape":  # what follows is the shape's kind
            words.append(part)
    return ", ".join(words) or "the template"


def _own_name(document: object, index: int) -> str:
    try:
        name = document["areas"][index]["name"]  # type: ignore[index]
    except (KeyError, TypeError, IndexError):
        return ""
    return f" ({_shown(name)[1:-1]})" if isinstance(name, str) else ""
