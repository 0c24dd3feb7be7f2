"""The tables of ingest that people fill in: users, product templates, print sizes, mockup photographs.

Every row carries its owner, and foreign keys include the owner: the database itself refuses a row that would join two
tenants. The tables of sessions are in `services/ingest/sessions/tables.py`, in the same metadata.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Float,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    false,
    func,
    text,
    true,
)
from sqlalchemy.dialects.postgresql import JSONB

metadata = MetaData(schema="ingest")

CLOCK = func.clock_timestamp()
"""This very moment, by the database's time. `func.now()` is when the transaction began, which may have waited since."""


def _times() -> tuple[Column[object], Column[object]]:
    return (
        Column("created_at", DateTime(timezone=True), nullable=False, server_default=CLOCK),
        Column("updated_at", DateTime(timezone=True)),
    )


def _owner() -> Column[object]:
    return Column("user_id", Uuid, ForeignKey("ingest.users.id"), nullable=False)


users = Table(
    "users",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("email", Text, nullable=False, comment="as it was typed"),
    Column("email_key", Text, nullable=False, unique=True, comment="what makes two e-mails the same"),
    Column("hashed_password", Text, nullable=False),
    Column("shop_name", Text, nullable=False),
    Column("shop_folder", Text, nullable=False, comment="the shop's folder on the NAS; never changes"),
    Column("shop_folder_key", Text, nullable=False, unique=True, comment="folders that a NAS takes for one"),
    Column("is_active", Boolean, nullable=False, server_default=true()),
    *_times(),
    Column("role", Text, nullable=False, server_default="seller", comment="seller | viewer | operator"),
)

nas_folders = Table(
    "nas_folders",
    metadata,
    Column("folder_key", Text, primary_key=True, comment="folders that a NAS takes for one"),
    Column("folder", Text, nullable=False),
    comment="what lay on the NAS at the last init: who registers gets none of these that no account has",
)

attempts = Table(
    "attempts",
    metadata,
    Column("kind", Text, nullable=False, comment="login, registration"),
    Column("subject", Text, nullable=False, comment="whose: an address, or an address and an e-mail"),
    Column("at", DateTime(timezone=True), nullable=False),
    Index("attempts_of_subject", "kind", "subject", "at"),
    Index("attempts_by_age", "at"),
)

product_templates = Table(
    "product_templates",
    metadata,
    Column("id", Uuid, primary_key=True),
    _owner(),
    Column("name", Text, nullable=False),
    Column("title", Text, comment="stands behind the design's number in each listing's title"),
    Column("description", Text),
    Column("who_made", Text),
    Column("when_made", Text),
    Column("taxonomy_id", BigInteger),
    Column("price", Float),
    Column("materials", Text, comment="joined by commas, as are tags and production_partner_ids"),
    Column("shop_section_id", BigInteger),
    Column("quantity", Integer),
    Column("tags", Text),
    Column("item_weight", Float),
    Column("item_weight_unit", Text),
    Column("item_length", Float),
    Column("item_width", Float),
    Column("item_height", Float),
    Column("item_dimensions_unit", Text),
    Column("is_taxable", Boolean),
    Column("type", Text),
    Column("processing_min", Integer),
    Column("processing_max", Integer),
    Column("return_policy_id", BigInteger),
    Column("template_title", Text),
    Column("production_partner_ids", Text),
    Column("platform", Text),
    *_times(),
    UniqueConstraint("user_id", "id"),
)

canvas_configs = Table(
    "canvas_configs",
    metadata,
    Column("id", Uuid, primary_key=True),
    _owner(),
    Column("product_template_id", Uuid, nullable=False),
    Column("name", Text, nullable=False),
    Column("width_inches", Float, nullable=False),
    Column("height_inches", Float, nullable=False),
    Column("description", Text),
    Column("is_active", Boolean, nullable=False, server_default=true()),
    Column("is_stretch", Boolean, nullable=False, server_default=true()),
    Column("dpi", Integer, nullable=False, server_default=text("300"), comment="kept and shown; prints are 400 DPI"),
    Column("spacing_width_inches", Float, nullable=False, server_default=text("0.125")),
    Column("spacing_height_inches", Float, nullable=False, server_default=text("0.125")),
    *_times(),
    UniqueConstraint("user_id", "product_template_id", "id"),
    ForeignKeyConstraint(
        ["user_id", "product_template_id"], [product_templates.c.user_id, product_templates.c.id], ondelete="CASCADE"
    ),
)

size_configs = Table(
    "size_configs",
    metadata,
    Column("id", Uuid, primary_key=True),
    _owner(),
    Column("product_template_id", Uuid, nullable=False),
    Column("canvas_id", Uuid, nullable=False),
    Column("name", Text, nullable=False),
    Column("width_inches", Float, nullable=False),
    Column("height_inches", Float, nullable=False),
    Column("description", Text),
    Column("is_active", Boolean, nullable=False, server_default=true()),
    *_times(),
    ForeignKeyConstraint(
        ["user_id", "product_template_id", "canvas_id"],
        [canvas_configs.c.user_id, canvas_configs.c.product_template_id, canvas_configs.c.id],
        ondelete="CASCADE",
    ),
    Index("size_configs_of_canvas", "user_id", "product_template_id", "canvas_id"),
)

mockups = Table(
    "mockups",
    metadata,
    Column("id", Uuid, primary_key=True),
    _owner(),
    Column("product_template_id", Uuid, nullable=False),
    Column("name", Text, nullable=False),
    Column("starting_name", Integer, nullable=False, server_default=text("100")),
    Column(
        "next_image", Integer, nullable=False, server_default=text("0"), comment="number of the next picture's file"
    ),
    *_times(),
    UniqueConstraint("user_id", "id"),
    # No cascade: photographs and masks are hours of work, so a template that has them can't be deleted by one click.
    ForeignKeyConstraint(["user_id", "product_template_id"], [product_templates.c.user_id, product_templates.c.id]),
    Index("mockups_of_template", "user_id", "product_template_id"),
)

mockup_images = Table(
    "mockup_images",
    metadata,
    Column("id", Uuid, primary_key=True),
    _owner(),
    Column("mockups_id", Uuid, nullable=False),
    Column("position", Integer, nullable=False),
    Column("filename", Text, nullable=False),
    Column("path", Text, nullable=False, comment="below the shop's folder, as is watermark_path"),
    Column("sha256", Text, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("width", Integer, nullable=False),
    Column("height", Integer, nullable=False),
    Column("watermark_path", Text),
    Column("watermark_sha256", Text),
    Column("watermark_size", BigInteger),
    Column("image_type", Text, comment="the product template's name"),
    *_times(),
    Column(
        "template",
        JSONB(none_as_null=True),
        comment="a mockup template, its pictures' blobs, and the blob that holds both",
    ),
    UniqueConstraint("user_id", "id"),
    UniqueConstraint("mockups_id", "position"),
    ForeignKeyConstraint(["user_id", "mockups_id"], [mockups.c.user_id, mockups.c.id], ondelete="CASCADE"),
)

mockup_masks = Table(
    "mockup_masks",
    metadata,
    Column("id", Uuid, primary_key=True),
    _owner(),
    Column("mockup_image_id", Uuid, nullable=False),
    Column("masks", JSONB, nullable=False, comment="polygons: [[[x, y], ...], ...] in the photograph's pixels"),
    Column("points", JSONB, nullable=False),
    Column("is_cropped", Boolean, nullable=False, server_default=false()),
    Column("alignment", Text, nullable=False, server_default=text("'center'")),
    Column("is_cropped_list", JSONB(none_as_null=True), comment="one entry a mask, in place of is_cropped"),
    Column("alignment_list", JSONB(none_as_null=True), comment="one entry a mask, in place of alignment"),
    Column("perspective", Boolean, nullable=False, server_default=false()),
    *_times(),
    ForeignKeyConstraint(
        ["user_id", "mockup_image_id"], [mockup_images.c.user_id, mockup_images.c.id], ondelete="CASCADE"
    ),
    Index("mockup_masks_of_image", "user_id", "mockup_image_id"),
)

watermarks = Table(
    "watermarks",
    metadata,
    _owner(),
    Column("path_key", Text, nullable=False, comment="a path that was given out, as a NAS compares it"),
    Column("sha256", Text, nullable=False),
    PrimaryKeyConstraint("user_id", "path_key"),
    comment="what lies under which name on the NAS; stays when the photographs that used it are gone",
)

duplicate_policies = Table(
    "duplicate_policies",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    _owner(),
    Column("policy", Text, nullable=False, comment="skip_exact | skip_near | review | keep_all"),
    Column("distance", Integer, comment="bits within which hashes are the same; null: what dedup is set to"),
    Column("changed_by", Text, nullable=False),
    Column("changed_at", DateTime(timezone=True), nullable=False, server_default=CLOCK),
    Index("duplicate_policies_of_user", "user_id", "id"),
    comment="what an account's uploads do with duplicates: its newest row counts, the others tell who changed it",
)

scans = Table(
    "scans",
    metadata,
    Column("user_id", Uuid, ForeignKey("ingest.users.id"), primary_key=True),
    Column("asked_at", DateTime(timezone=True), nullable=False),
    comment="when a scan of each shop's folder on the NAS was asked for last, by itself",
)

imported = Table(
    "imported",
    metadata,
    Column("kind", Text, primary_key=True, comment="the table that the row was copied to"),
    Column("id", Uuid, primary_key=True, comment="in the old system, and here but for accounts joined"),
    Column("digest", Text, nullable=False, comment="of what was written here, to see who changed it since"),
    Column("copied_at", DateTime(timezone=True), nullable=False, server_default=CLOCK),
    comment="rows that were copied from the old system's database",
)
