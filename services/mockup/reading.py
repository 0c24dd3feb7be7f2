"""Reading a template file: every mistake in it is named by its place, in words."""

import json

from pydantic import ValidationError

from services.mockup.faults import Mistaken, NotRenderable
from services.mockup.mistakes import mistakes_of
from services.mockup.template import Bound, Template

MOST_BYTES = 1 << 20


def template(data: bytes) -> Template:
    """Read a template file.

    Raises:
        NotRenderable: with every mistake in it, in words.
    """
    document = _json(data)
    try:
        return Template.model_validate(document)
    except ValidationError as error:
        raise Mistaken(mistakes_of(error, document)) from error


def bound(data: bytes) -> Bound:
    """Read a template with the references to its pictures; raises as above."""
    document = _json(data)
    try:
        return Bound.model_validate(document)
    except ValidationError as error:
        inner = document.get("template") if isinstance(document, dict) else None
        raise Mistaken(mistakes_of(error, inner, inside="template")) from error


def _json(data: bytes) -> object:
    if len(data) > MOST_BYTES:
        raise NotRenderable(f"the template has more than {MOST_BYTES >> 20} MB; pictures go beside it, not into it")
    try:
        return json.loads(data)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise NotRenderable(f"the template is no JSON: look at {where}, or just before it ({error.msg})") from error
    except (ValueError, RecursionError) as error:
        raise NotRenderable(f"the template is no JSON: {error}") from error
