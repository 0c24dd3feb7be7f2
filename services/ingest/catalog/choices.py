"""What an upload takes from the catalog: values for messages, read in the caller's transaction.

Each function raises `Missing` for what is not there or another user's, and `Unusable` for what can't be used.
"""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, select

from services.ingest.catalog.errors import Missing, Unusable
from services.ingest.catalog.masks import Masks
from services.ingest.catalog.mockup_records import MaskRow
from services.ingest.catalog.print_sizes import Canvases, Sizes
from services.ingest.catalog.printing import print_spec
from services.ingest.catalog.templates import Templates
from services.ingest.tables import mockup_images, mockups
from shared.contracts import Background, Blob, ListingTemplate, Mask, PrintSpec

WHO_MADE, WHEN_MADE, KIND = "i_did", "made_to_order", "physical"  # what the old system sent where nothing was set


@dataclass(frozen=True)
class MockupGroup:
    """A mockup group, ready to be rendered: each photograph with its own masks and watermark."""

    name: str
    product_template_id: UUID
    backgrounds: tuple[Background, ...]


def listing_choice(
    connection: Connection, user_id: UUID, template_id: UUID, mockup_id: UUID
) -> tuple[ListingTemplate, tuple[Background, ...]]:
    """What listings of this product with this mockup are made of; Unusable if it shows another product."""
    template = listing_template(connection, user_id, template_id)
    group = mockup_group(connection, user_id, mockup_id)
    if group.product_template_id != template_id:
        raise Unusable(f"The mockup '{group.name}' shows another product; choose one of '{template.name}'.")
    return template, group.backgrounds


def mockup_group(connection: Connection, user_id: UUID, mockup_id: UUID) -> MockupGroup:
    """The group with its photographs in order; Unusable if it has none."""
    mine = select(mockups).where(mockups.c.user_id == user_id, mockups.c.id == mockup_id)
    group = connection.execute(mine).one_or_none()
    if group is None:
        raise Missing(f"There is no mockup {mockup_id}.")
    of_group = select(mockup_images).where(mockup_images.c.user_id == user_id, mockup_images.c.mockups_id == mockup_id)
    # locked against removal: without its masks, which go with it, one would be shown as a photograph without a design
    kept = of_group.order_by(mockup_images.c.position).with_for_update(read=True, key_share=True)
    rows = connection.execute(kept).all()
    if not rows:
        raise Unusable(f"The mockup '{group.name}' has no photographs; upload at least one.")
    masks = Masks(connection, user_id).of_images([row.id for row in rows])
    backgrounds = tuple(_background(row, [mask for mask in masks if mask.mockup_image_id == row.id]) for row in rows)
    return MockupGroup(group.name, group.product_template_id, backgrounds)


def photograph(connection: Connection, image_id: UUID) -> Background:
    """One photograph, whosever it is: for those who run the system."""
    row = connection.execute(select(mockup_images).where(mockup_images.c.id == image_id)).one_or_none()
    if row is None:
        raise Missing(f"There is no mockup image {image_id}.")
    return _background(row, Masks(connection, row.user_id).of_images([row.id]))


def listing_template(connection: Connection, user_id: UUID, template_id: UUID) -> ListingTemplate:
    """What listings of this product say; Unusable without a price and a quantity, which no listing can lack."""
    template = Templates(connection, user_id).get(template_id)
    if template.price is None or template.quantity is None:
        lacking = "price" if template.price is None else "quantity"
        raise Unusable(f"The template '{template.name}' has no {lacking}; set it in the template's settings.")
    same = set(ListingTemplate.model_fields) & set(type(template).model_fields)
    values = template.model_dump(include=same, exclude={"materials", "tags", "production_partner_ids"})
    return ListingTemplate.model_validate(
        values
        | {
            "template_id": template.id,
            "title": template.title or "",
            "description": template.description or "",
            "who_made": template.who_made or WHO_MADE,
            "when_made": template.when_made or WHEN_MADE,
            "type": template.type or KIND,
            "is_taxable": template.is_taxable is not False,
            "materials": _parts(template.materials),
            "tags": _parts(template.tags),
            "production_partner_ids": tuple(int(part) for part in _parts(template.production_partner_ids)),
        }
    )


def print_choice(
    connection: Connection,
    user_id: UUID,
    template_id: UUID,
    canvas_id: UUID | None = None,
    size_id: UUID | None = None,
    *,
    digital: bool = False,
) -> PrintSpec:
    """What a template's designs are printed as under this choice of canvas and size."""
    template = Templates(connection, user_id).get(template_id)
    canvases = Canvases(connection, user_id).all()
    sizes = Sizes(connection, user_id).all(removed=True)
    return print_spec(template, canvases, sizes, canvas_id, size_id, digital=digital)


def _background(row: Row[Any], masks: list[MaskRow]) -> Background:
    watermark = None
    if row.watermark_sha256:
        watermark = Blob(sha256=row.watermark_sha256, size=row.watermark_size)
    return Background(
        image=Blob(sha256=row.sha256, size=row.size),
        masks=tuple(mask for stored in masks for mask in _masks(stored)),
        watermark=watermark,
        template=Blob.model_validate(row.template["blob"]) if row.template else None,
    )


def _masks(row: MaskRow) -> list[Mask]:
    cropped = row.is_cropped_list or [row.is_cropped] * len(row.masks)
    aligned = row.alignment_list or [row.alignment] * len(row.masks)
    return [
        Mask(polygon=tuple(polygon), is_cropped=crop, alignment=align, perspective=row.perspective)
        for polygon, crop, align in zip(row.masks, cropped, aligned, strict=True)
    ]


def _parts(joined: str | None) -> tuple[str, ...]:
    """The entries of a comma-joined text, each once."""
    return tuple(dict.fromkeys(part.strip() for part in (joined or "").split(",") if part.strip()))
