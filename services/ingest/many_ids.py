"""Conditions on very many ids."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import ARRAY, Column, ColumnElement, any_, bindparam


def any_of(column: Column[Any], values: Collection[object]) -> ColumnElement[bool]:
    """Whether a column has one of these values. `in_` takes a parameter for each, and PostgreSQL 65,535 at most."""
    return column == any_(bindparam(None, list(values), type_=ARRAY(column.type)))
