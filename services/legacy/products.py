"""Product templates, their canvases and sizes."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import Table

from services.ingest.catalog.records import CanvasInput, SizeInput, TemplateInput
from services.ingest.tables import canvas_configs, product_templates, size_configs
from services.legacy.fitting import Unfit, fitted, moment, named, uuid
from services.legacy.move import Move, Owned, by_id, here

Row = Mapping[str, Any]

TEMPLATES, CANVASES, SIZES = "product templates", "canvases", "sizes"


def copy_products(move: Move) -> None:
    """Copy them, parents first."""
    for batch in move.old.batches("etsy_product_templates"):
        rows = [row for each in batch if (row := _template(move, each))]
        put(move, product_templates, TEMPLATES, rows, move.templates)
    for batch in move.old.batches("canvas_configs"):
        rows = [row for each in batch if (row := _canvas(move, each))]
        put(move, canvas_configs, CANVASES, rows, move.canvases)
    for batch in move.old.batches("size_configs"):
        rows = [row for each in batch if (row := _size(move, each))]
        put(move, size_configs, SIZES, rows, {})


def fit(move: Move, kind: str, record: type[BaseModel], row: Row) -> dict[str, Any] | None:
    """The row's values, or None: it is skipped, and why is said."""
    try:
        found, notes = fitted(record, row)
    except Unfit as error:
        move.report.skip(kind, f"{row.get('name') or row['id']}", str(error))
        return None
    for note in notes:
        move.report.note(f"{kind}: {note}", row.get("name") or row["id"])
    return found.model_dump()


def _template(move: Move, row: Row) -> dict[str, Any] | None:
    owner = uuid(row["user_id"])
    if owner not in move.accounts:
        move.report.skip(TEMPLATES, row["name"] or row["id"], "its account is not copied")
        return None
    values = fit(move, TEMPLATES, TemplateInput, named(row, "Unnamed product"))
    return values and _owned(move, row, owner, values)


def _canvas(move: Move, row: Row) -> dict[str, Any] | None:
    template = by_id(move.templates, row["product_template_id"])
    if template is None:
        move.report.skip(CANVASES, row["name"] or row["id"], "its product template is not here")
        return None
    values = fit(move, CANVASES, CanvasInput, named(row, "Unnamed canvas"))
    return values and _owned(move, row, template.owner, values, product_template_id=uuid(row["product_template_id"]))


def _size(move: Move, row: Row) -> dict[str, Any] | None:
    canvas = by_id(move.canvases, row["canvas_id"])
    if canvas is None:
        move.report.skip(SIZES, row["name"] or row["id"], "its canvas is not here")
        return None
    if canvas.parent != uuid(row["product_template_id"]):
        move.report.skip(SIZES, row["name"] or row["id"], "its canvas belongs to another product template")
        return None
    values = fit(move, SIZES, SizeInput, named(row, "Unnamed size"))
    places = {"product_template_id": canvas.parent, "canvas_id": uuid(row["canvas_id"])}
    return values and _owned(move, row, canvas.owner, values | {"is_active": row["is_active"] is not False}, **places)


def _owned(move: Move, row: Row, owner: UUID, values: dict[str, Any], **places: UUID | None) -> dict[str, Any]:
    made = {"created_at": moment(row["created_at"]), "owner": owner}
    return {"id": uuid(row["id"]), "user_id": move.accounts[owner].id, **values, **places, **made}


def put(move: Move, table: Table, kind: str, rows: list[dict[str, Any]], seen: dict[UUID, Owned]) -> None:
    """Copy them, and note which are here, for those that belong to them."""
    owners = {row["id"]: row.pop("owner") for row in rows}
    once = {row["id"]: {"created_at": row.pop("created_at")} for row in rows}
    with move.transaction() as connection:
        plan = move.put(connection, table, kind, rows, once)
    for row in rows:
        if row["id"] in here(plan):
            seen[row["id"]] = Owned(owners[row["id"]], row["name"], row.get("product_template_id"))
