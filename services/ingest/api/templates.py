"""The settings page: product templates."""

from typing import Any
from uuid import UUID

from fastapi import APIRouter

from services.ingest.api.identity import Caller
from services.ingest.api.resources import Using
from services.ingest.catalog.records import Template, TemplateInput
from services.ingest.catalog.templates import Templates

routes = APIRouter(prefix="/settings/product-template", tags=["settings"])


@routes.get("")
def every(using: Using, user: Caller) -> list[Template]:
    """All of the user's templates."""
    with using.transaction() as connection:
        return Templates(connection, user.id).all()


@routes.post("", status_code=201)
def add(using: Using, user: Caller, given: TemplateInput) -> Template:
    """A new template."""
    with using.transaction() as connection:
        return Templates(connection, user.id).add(given)


@routes.get("/taxonomies")
def taxonomies(using: Using, user: Caller) -> list[dict[str, Any]]:
    """The shop's categories, by name; empty without a shop."""
    return using.shop.options(user, "taxonomies")


@routes.get("/shop-sections")
def shop_sections(using: Using, user: Caller) -> list[dict[str, Any]]:
    """The shop's sections, by name; empty without a shop."""
    return using.shop.options(user, "shop_sections")


@routes.get("/{template_id}")
def one(using: Using, user: Caller, template_id: UUID) -> Template:
    """One template."""
    with using.transaction() as connection:
        return Templates(connection, user.id).get(template_id)


@routes.put("/{template_id}")
def change(using: Using, user: Caller, template_id: UUID, given: TemplateInput) -> Template:
    """Change what is sent."""
    with using.transaction() as connection:
        return Templates(connection, user.id).change(template_id, given)


@routes.delete("/{template_id}")
def remove(using: Using, user: Caller, template_id: UUID) -> dict[str, Any]:
    """Remove a template with its canvases and sizes."""
    with using.transaction() as connection:
        Templates(connection, user.id).remove(template_id)
    return {"success": True, "message": "Product template deleted"}
