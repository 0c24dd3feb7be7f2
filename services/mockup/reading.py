"""Reading a template file: every mistake in it is named by its place, in words."""

import json

from pydantic import ValidationError

from services.mockup.faults import Unusable
from services.mockup.template import Bound, Template

MOST_BYTES = 1 << 20


def template(data: bytes) -> Template:
    """Read a template file.

    Raises:
        Unusable: with every mistake in it, in words.
    """
    try:
        return Template.model_validate(_json(data))
    except ValidationError as error:
        raise _mistakes(error) from error


def bound(data: bytes) -> Bound:
    """Read a template with the references to its pictures; raises as above."""
    try:
        return Bound.model_validate(_json(data))
    except ValidationError as error:
        raise _mistakes(error) from error


def _json(data: bytes) -> object:
    if len(data) > MOST_BYTES:
        raise Unusable(f"the template has more than {MOST_BYTES >> 20} MB; pictures go beside it, not into it")
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as error:
        raise Unusable(f"the template is no JSON: {error}") from error


def _mistakes(error: ValidationError) -> Unusable:
    said = [(_place(problem["loc"]), problem["msg"].removeprefix("Value error, ")) for problem in error.errors()]
    return Unusable("; ".join(f"{place}: {words}" for place, words in said))


def _place(parts: tuple[int | str, ...]) -> str:
    """`areas 2, shape, top`: entries of a list are counted from 1."""
    words = ""
    for part in parts:
        words += f" {part + 1}" if isinstance(part, int) else f"{', ' if words else ''}{part}"
    return words or "the template"
