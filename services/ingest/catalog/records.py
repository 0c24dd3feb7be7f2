"""Product templates, canvases and sizes as clients send and get them. The order of the fields is that in the JSON."""

from uuid import UUID

from pydantic import BaseModel, ConfigDict, computed_field

from services.ingest.catalog.fields import (
    Dpi,
    Inches,
    Instant,
    Joined,
    JoinedNumbers,
    MaybeFloat,
    MaybeId,
    MaybeInt,
    Name,
    Spacing,
    Text,
    Word,
)


class Record(BaseModel):
    """Sent by clients (unknown keys are ignored, as ever) or read from a row."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class TemplateFields(Record):
    """What every listing of a product shares."""

    name: Name
    title: Text | None = None
    description: Text | None = None
    who_made: Word | None = None
    when_made: Word | None = None
    taxonomy_id: MaybeId = None
    price: MaybeFloat = None
    materials: Joined = None
    shop_section_id: MaybeId = None
    quantity: MaybeInt = None
    tags: Joined = None
    item_weight: MaybeFloat = None
    item_weight_unit: Word | None = None
    item_length: MaybeFloat = None
    item_width: MaybeFloat = None
    item_height: MaybeFloat = None
    item_dimensions_unit: Word | None = None
    is_taxable: bool | None = None
    type: Word | None = None
    processing_min: MaybeInt = None
    processing_max: MaybeInt = None
    return_policy_id: MaybeId = None


class TemplateInput(TemplateFields):
    """With the fields that later frontends send."""

    template_title: Text | None = None
    production_partner_ids: JoinedNumbers = None
    platform: Word | None = None


class Template(TemplateFields):
    """A product template."""

    id: UUID
    user_id: UUID
    created_at: Instant
    updated_at: Instant | None
    template_title: str | None
    production_partner_ids: str | None
    platform: str | None


class CanvasInput(Record):
    """The sheet that a design is laid on. `is_stretch` fills a size exactly; otherwise the aspect is kept."""

    name: Name
    width_inches: Inches
    height_inches: Inches
    description: Text | None = None
    is_active: bool = True
    is_stretch: bool = True
    dpi: Dpi = 300
    spacing_width_inches: Spacing = 0.125
    spacing_height_inches: Spacing = 0.125


class Canvas(CanvasInput):
    """A canvas of a product template."""

    id: UUID
    product_template_id: UUID
    created_at: Instant
    updated_at: Instant | None


class SizeInput(Record):
    """The size that a design is printed in."""

    name: Name
    width_inches: Inches
    height_inches: Inches
    description: Text | None = None
    is_active: bool | None = None


class Size(SizeInput):
    """A size on a canvas of a product template."""

    is_active: bool
    id: UUID
    product_template_id: UUID
    canvas_id: UUID
    created_at: Instant
    updated_at: Instant | None

    @computed_field
    def dimensions(self) -> str:
        """As the upload dialog shows it: '9.5 x 4.33 in'."""
        return f"{self.width_inches:g} x {self.height_inches:g} in"
