"""Bodies as Etsy reads them: of a repeated field the last one counts, an array is one field with commas."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from starlette.datastructures import UploadFile
from starlette.requests import Request

from services.etsy_fake.state import EtsyError

FORM, MULTIPART, JSON = "application/x-www-form-urlencoded", "multipart/form-data", "application/json"


@dataclass(frozen=True)
class Sent:
    """A file part."""

    name: str
    data: bytes


@dataclass(frozen=True)
class Body:
    """What came."""

    form: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, Sent] = field(default_factory=dict)
    json: Any = None


async def read(request: Request, encoding: str | None) -> Body:
    """The body, if it is written as the operation wants it."""
    given = request.headers.get("content-type", "").partition(";")[0]
    if encoding is None:
        return Body()
    if given != encoding:
        raise EtsyError(400, f"Content-Type {given or 'missing'} is not supported here; expected {encoding}.")
    if encoding == FORM:
        return Body(form=dict(parse_qsl((await request.body()).decode(), keep_blank_values=True)))
    if encoding == JSON:
        return Body(json=await request.json())
    async with request.form() as parts:
        texts = {name: part for name, part in parts.multi_items() if isinstance(part, str)}
        files = {
            name: Sent(part.filename or "", await part.read())
            for name, part in parts.multi_items()
            if isinstance(part, UploadFile)
        }
    return Body(texts, files)


def number(form: Mapping[str, str], name: str) -> int | None:
    """An integer field."""
    text = form.get(name)
    if text is None:
        return None
    if not text.lstrip("-").isdecimal():
        raise EtsyError(400, f"Expected int value for '{name}' (got '{text}')")
    return int(text)


def decimal(form: Mapping[str, str], name: str) -> float | None:
    """A float field."""
    try:
        return float(form[name]) if name in form else None
    except ValueError:
        raise EtsyError(400, f"Expected float value for '{name}' (got '{form[name]}')") from None


def boolean(form: Mapping[str, str], name: str, default: bool) -> bool:
    """A boolean field."""
    text = form.get(name)
    if text is None:
        return default
    if text not in ("true", "false", "0", "1"):
        raise EtsyError(400, f"Expected boolean value for '{name}' (got '{text}')")
    return text in ("true", "1")


def texts(form: Mapping[str, str], name: str) -> list[str] | None:
    """An array of strings; None if it was not sent."""
    if name not in form:
        return None
    if not form[name]:
        raise EtsyError(400, [{"path": f"/{name}", "type": "array_too_short", "message": "Expected at least 1 item"}])
    return form[name].split(",")


def numbers(form: Mapping[str, str], name: str) -> list[int] | None:
    """An array of integers; None if it was not sent."""
    found = texts(form, name)
    if found is not None and not all(text.strip().isdecimal() for text in found):
        raise EtsyError(400, f"There was a problem with /{name} : contains invalid character")
    return None if found is None else [int(text) for text in found]
