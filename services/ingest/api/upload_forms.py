"""The fields that the frontend sends beside its files: read out of a form, and described for the documentation page."""

import json
from typing import Any, TypeVar
from uuid import UUID

from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from services.ingest.api.receiving import Form, missing
from services.ingest.catalog.fields import StartingNumber
from shared.contracts import Duplicates

MAX_SESSION_ID = 200
MAX_DESIGNS = 20_000
"""In one call for listings: their ids must fit into a form's field. It is also what one user may have in progress."""

NO_NUL = r"^[^\x00]*$"  # PostgreSQL's text can't hold it

Model = TypeVar("Model", bound=BaseModel)


class DesignData(BaseModel):
    """What the frontend sends beside the files; unknown keys are ignored."""

    model_config = ConfigDict(extra="ignore")

    product_template_id: UUID
    mockup_id: UUID
    starting_name: StartingNumber = 100
    canvas_config_id: UUID | None = None
    size_config_id: UUID | None = None
    is_digital: bool | None = False
    is_active: bool = True
    description: str | None = Field(default=None, max_length=10_000, pattern=NO_NUL)
    file_formats: list[str] | None = None
    platform: str | None = None
    tags: list[str] | None = None
    duplicates: Duplicates | None = None
    """What this upload does with duplicates; left out, what the account's setting says."""


class ProductData(BaseModel):
    """Which designs to list with which mockups."""

    model_config = ConfigDict(extra="ignore")

    product_template_id: UUID
    mockup_id: UUID
    design_ids: list[UUID] = Field(max_length=MAX_DESIGNS)


def parsed(model: type[Model], form: Form, name: str) -> Model:
    """The JSON in a form's field."""
    text = form.fields.get(name)
    if text is None:
        raise missing(name, form.received)
    try:
        return model.model_validate(json.loads(text))
    except ValidationError as error:
        problems = [{**problem, "loc": ("body", name, *problem["loc"])} for problem in error.errors(include_url=False)]
        raise RequestValidationError(problems, body=form.received) from error
    except (ValueError, RecursionError) as error:
        problem = {"type": "json_invalid", "loc": ("body", name), "msg": f"JSON decode error: {error}", "input": None}
        raise RequestValidationError([problem], body=form.received) from error


def session_id_of(form: Form) -> str | None:
    """The id that the client chose, if it did; what no database key can be is refused."""
    key = form.fields.get("session_id") or None
    if key is not None and ("\0" in key or len(key) > MAX_SESSION_ID):
        words = f"Should have at most {MAX_SESSION_ID} characters, none of them NUL"
        problem = {"type": "value_error", "loc": ("body", "session_id"), "msg": words, "input": key}
        raise RequestValidationError([problem], body=form.received)
    return key


def described(*fields: str) -> dict[str, Any]:
    """A body for the documentation page, which can't see it: we read it ourselves, as it arrives. By default, files."""
    shapes = {
        "files": {"type": "array", "items": {"type": "string", "format": "binary"}},
        "design_data": {"type": "string", "description": _shape(DesignData)},
        "session_id": {"type": "string", "description": "from /designs/start-upload; sent again, it joins the upload"},
        "product_data": {"type": "string", "description": _shape(ProductData)},
    }
    schema: dict[str, Any] = {"type": "object", "properties": {name: shapes[name] for name in fields or ("files",)}}
    schema["required"] = [name for name in fields if name != "session_id"]
    return {"requestBody": {"content": {"multipart/form-data": {"schema": schema}}}}


def _shape(model: type[BaseModel]) -> str:
    required = [name for name, field in model.model_fields.items() if field.is_required()]
    optional = [name for name in model.model_fields if name not in required]
    return f"JSON: {', '.join(required)}" + (f"; and if you like {', '.join(optional)}" if optional else "")
