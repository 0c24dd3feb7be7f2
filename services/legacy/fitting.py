"""Old rows in our shape: the rules for what a seller may send count for what comes from the old system too. Pure."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar
from uuid import UUID

from pydantic import BaseModel, ValidationError

Record = TypeVar("Record", bound=BaseModel)


class Unfit(Exception):  # noqa: N818
    """The row can't be copied; the text says why."""


def fitted(record: type[Record], row: Mapping[str, Any]) -> tuple[Record, list[str]]:
    """The row as a record, and in words what had to be left out of it because it could not be kept.

    Raises:
        Unfit: what it can't be without is missing or impossible.
    """
    given = {name: row[name] for name in record.model_fields if row.get(name) is not None}
    try:
        return record.model_validate(given), []
    except ValidationError as error:
        faults = {str(fault["loc"][0]): _words(fault["msg"]) for fault in error.errors() if fault["loc"]}
    for name, words in faults.items():
        if name not in record.model_fields or record.model_fields[name].is_required():
            raise Unfit(f"{name}: {words}")
        given.pop(name, None)
    try:
        return record.model_validate(given), [f"{name} left out: {words}" for name, words in faults.items()]
    except ValidationError as error:  # its parts don't fit together
        raise Unfit("; ".join(_words(fault["msg"]) for fault in error.errors())) from error


def named(row: Mapping[str, Any], fallback: str) -> dict[str, Any]:
    """The row with a name, as the old system took none."""
    name = str(row["name"] or "").replace("\0", "").strip()[:200]
    return {**row, "name": name or f"{fallback} {str(row['id'])[:8]}"}


def polygons(value: object) -> object:
    """Masks as a list of polygons, from JSON, its text, or one polygon alone."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            return value
    if isinstance(value, list) and value and _is_point(value[0]):
        return [value]
    return value


def moment(value: datetime | None) -> datetime:
    """When a row was made; what has no zone is UTC. A row without a time counts as made now."""
    if value is None:
        return datetime.now(UTC)
    return value if value.tzinfo else value.replace(tzinfo=UTC)


def uuid(value: object) -> UUID | None:
    """An id, whichever way it is kept."""
    return value if isinstance(value, UUID) or value is None else UUID(str(value))


def _is_point(value: object) -> bool:
    return isinstance(value, list) and len(value) == 2 and all(isinstance(each, int | float) for each in value)


def _words(message: str) -> str:
    return message.removeprefix("Value error, ")
