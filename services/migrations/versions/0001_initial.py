"""All tables of the first release."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None


def upgrade() -> None:  # noqa: PLR0915 - as long as there are tables
    op.execute("CREATE SCHEMA IF NOT EXISTS ingest")
    op.execute("CREATE SCHEMA IF NOT EXISTS dedup")
    op.execute("CREATE SCHEMA IF NOT EXISTS storage")
    op.execute("CREATE SCHEMA IF NOT EXISTS publisher")
    op.create_table(
        "attempts",
        sa.Column("kind", sa.Text(), nullable=False, comment="login, registration"),
        sa.Column("subject", sa.Text(), nullable=False, comment="whose: an address, or an address and an e-mail"),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        schema="ingest",
    )
    op.create_index("attempts_by_age", "attempts", ["at"], unique=False, schema="ingest")
    op.create_index("attempts_of_subject", "attempts", ["kind", "subject", "at"], unique=False, schema="ingest")
    op.create_table(
        "dead_letters",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("service", sa.Text(), nullable=False),
        sa.Column("message_type", sa.Text(), nullable=True),
        sa.Column("session_id", sa.Uuid(), nullable=True),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("stack", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("first_failed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("dead_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        schema="ingest",
    )
    op.create_index(
        op.f("ix_ingest_dead_letters_session_id"), "dead_letters", ["session_id"], unique=False, schema="ingest"
    )
    op.create_table(
        "outbox",
        sa.Column("id", sa.Uuid(), nullable=False, comment="the message's id"),
        sa.Column("lane", sa.Text(), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=True),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("data", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        schema="ingest",
    )
    op.create_index("outbox_of_session", "outbox", ["session_id"], unique=False, schema="ingest")
    op.create_index(
        "outbox_unsent",
        "outbox",
        ["lane", "created_at"],
        unique=False,
        schema="ingest",
        postgresql_where=sa.text("sent_at IS NULL"),
    )
    op.create_table(
        "sessions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column(
            "client_key", sa.Text(), nullable=False, comment="the session_id that the client sends; its idempotency key"
        ),
        sa.Column("state", sa.Text(), nullable=False, comment="announced | working | finished"),
        sa.Column(
            "lane", sa.Text(), nullable=True, comment="comprehensive | original; set once, when files are submitted"
        ),
        sa.Column(
            "manifest",
            sa.Text(),
            nullable=True,
            comment="digest of what was submitted, to tell a repeat from another upload",
        ),
        sa.Column(
            "choice",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=True,
            comment="template, mockup, canvas, size, print spec and destination as chosen",
        ),
        sa.Column("announced_bytes", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("announced_files", sa.Integer(), server_default="0", nullable=False),
        sa.Column("announced_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "settled_at", sa.DateTime(timezone=True), nullable=True, comment="when the last file got its end state"
        ),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_seq", sa.Integer(), server_default="0", nullable=False),
        sa.Column("percent", sa.Float(), server_default="0", nullable=False),
        sa.Column(
            "takeovers", sa.Integer(), server_default="0", nullable=False, comment="restarts in a row without progress"
        ),
        sa.Column(
            "takeover_seq", sa.Integer(), server_default="0", nullable=False, comment="last_seq at the last of them"
        ),
        sa.Column("received", sa.Integer(), server_default="0", nullable=False),
        sa.Column("hashed", sa.Integer(), server_default="0", nullable=False),
        sa.Column("accepted", sa.Integer(), server_default="0", nullable=False),
        sa.Column("stored", sa.Integer(), server_default="0", nullable=False),
        sa.Column("duplicate", sa.Integer(), server_default="0", nullable=False),
        sa.Column("rejected", sa.Integer(), server_default="0", nullable=False),
        sa.Column("failed", sa.Integer(), server_default="0", nullable=False),
        sa.Column("requested", sa.Integer(), server_default="0", nullable=False),
        sa.Column("rendered", sa.Integer(), server_default="0", nullable=False),
        sa.Column("listed", sa.Integer(), server_default="0", nullable=False),
        sa.Column("listing_failed", sa.Integer(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("user_id", "client_key"),
        schema="ingest",
    )
    op.create_index(op.f("ix_ingest_sessions_user_id"), "sessions", ["user_id"], unique=False, schema="ingest")
    op.create_index(
        "sessions_working",
        "sessions",
        ["submitted_at"],
        unique=False,
        schema="ingest",
        postgresql_where=sa.text("state = 'working'"),
    )
    op.create_table(
        "users",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False, comment="as it was typed"),
        sa.Column("email_key", sa.Text(), nullable=False, comment="what makes two e-mails the same"),
        sa.Column("hashed_password", sa.Text(), nullable=False),
        sa.Column("shop_name", sa.Text(), nullable=False),
        sa.Column("shop_folder", sa.Text(), nullable=False, comment="the shop's folder on the NAS; never changes"),
        sa.Column("shop_folder_key", sa.Text(), nullable=False, comment="folders that a NAS takes for one"),
        sa.Column("is_active", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("email_key"),
        sa.UniqueConstraint("shop_folder_key"),
        schema="ingest",
    )
    op.create_table(
        "items",
        sa.Column(
            "id", sa.Uuid(), nullable=False, comment="also the design's id, from the moment the file is received"
        ),
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("index", sa.Integer(), nullable=False, comment="position in the upload, from 0"),
        sa.Column("filename", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column(
            "state",
            sa.Text(),
            nullable=False,
            comment="received, hashed, accepted; then stored, duplicate, rejected or failed",
        ),
        sa.Column("stage_rank", sa.Integer(), server_default="0", nullable=False),
        sa.Column("generation", sa.Integer(), server_default="0", nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column(
            "facts",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default="{}",
            nullable=False,
            comment="code, match, distance, warnings ...",
        ),
        sa.Column("template_id", sa.Uuid(), nullable=True),
        sa.Column("canvas_config_id", sa.Uuid(), nullable=True),
        sa.Column("number", sa.Integer(), nullable=True),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("path", sa.Text(), nullable=True),
        sa.Column("print_sha256", sa.Text(), nullable=True),
        sa.Column("print_size", sa.BigInteger(), nullable=True),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("is_digital", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column(
            "is_active",
            sa.Boolean(),
            server_default=sa.text("true"),
            nullable=False,
            comment="false: the user deleted the design",
        ),
        sa.Column(
            "revision", sa.Integer(), server_default="0", nullable=False, comment="how often is_active has changed"
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["session_id"],
            ["ingest.sessions.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("session_id", "index"),
        schema="ingest",
    )
    op.create_index("items_of_user", "items", ["user_id", "state", "created_at"], unique=False, schema="ingest")
    op.create_table(
        "product_templates",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column(
            "title", sa.Text(), nullable=True, comment="stands behind the design's number in each listing's title"
        ),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("who_made", sa.Text(), nullable=True),
        sa.Column("when_made", sa.Text(), nullable=True),
        sa.Column("taxonomy_id", sa.BigInteger(), nullable=True),
        sa.Column("price", sa.Float(), nullable=True),
        sa.Column(
            "materials", sa.Text(), nullable=True, comment="joined by commas, as are tags and production_partner_ids"
        ),
        sa.Column("shop_section_id", sa.BigInteger(), nullable=True),
        sa.Column("quantity", sa.Integer(), nullable=True),
        sa.Column("tags", sa.Text(), nullable=True),
        sa.Column("item_weight", sa.Float(), nullable=True),
        sa.Column("item_weight_unit", sa.Text(), nullable=True),
        sa.Column("item_length", sa.Float(), nullable=True),
        sa.Column("item_width", sa.Float(), nullable=True),
        sa.Column("item_height", sa.Float(), nullable=True),
        sa.Column("item_dimensions_unit", sa.Text(), nullable=True),
        sa.Column("is_taxable", sa.Boolean(), nullable=True),
        sa.Column("type", sa.Text(), nullable=True),
        sa.Column("processing_min", sa.Integer(), nullable=True),
        sa.Column("processing_max", sa.Integer(), nullable=True),
        sa.Column("return_policy_id", sa.BigInteger(), nullable=True),
        sa.Column("template_title", sa.Text(), nullable=True),
        sa.Column("production_partner_ids", sa.Text(), nullable=True),
        sa.Column("platform", sa.Text(), nullable=True),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["ingest.users.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("user_id", "id"),
        schema="ingest",
    )
    op.create_table(
        "session_events",
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False, comment="1..n per session, without gap or repeat"),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("item_id", sa.Uuid(), nullable=True),
        sa.Column("payload", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["session_id"],
            ["ingest.sessions.id"],
        ),
        sa.PrimaryKeyConstraint("session_id", "seq"),
        schema="ingest",
    )
    op.create_table(
        "watermarks",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("path_key", sa.Text(), nullable=False, comment="a path that was given out, as a NAS compares it"),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["ingest.users.id"],
        ),
        sa.PrimaryKeyConstraint("user_id", "path_key"),
        schema="ingest",
        comment="what lies under which name on the NAS; stays when the photographs that used it are gone",
    )
    op.create_table(
        "canvas_configs",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("product_template_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("width_inches", sa.Float(), nullable=False),
        sa.Column("height_inches", sa.Float(), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("is_active", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("is_stretch", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column(
            "dpi",
            sa.Integer(),
            server_default=sa.text("300"),
            nullable=False,
            comment="kept and shown; prints are 400 DPI",
        ),
        sa.Column("spacing_width_inches", sa.Float(), server_default=sa.text("0.125"), nullable=False),
        sa.Column("spacing_height_inches", sa.Float(), server_default=sa.text("0.125"), nullable=False),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["user_id", "product_template_id"],
            ["ingest.product_templates.user_id", "ingest.product_templates.id"],
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["ingest.users.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("user_id", "product_template_id", "id"),
        schema="ingest",
    )
    op.create_table(
        "listings",
        sa.Column("item_id", sa.Uuid(), nullable=False),
        sa.Column("mockup_id", sa.Uuid(), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("template_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False, comment="requested, rendered; then listed or failed"),
        sa.Column("stage_rank", sa.Integer(), server_default="0", nullable=False),
        sa.Column("generation", sa.Integer(), server_default="0", nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("target", sa.Text(), nullable=True),
        sa.Column("listing_id", sa.Text(), nullable=True),
        sa.Column("url", sa.Text(), nullable=True),
        sa.Column("warnings", postgresql.JSONB(astext_type=sa.Text()), server_default="[]", nullable=False),
        sa.Column(
            "request",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            comment="template and backgrounds as they were when it was asked for",
        ),
        sa.Column("requested_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["item_id"],
            ["ingest.items.id"],
        ),
        sa.ForeignKeyConstraint(
            ["session_id"],
            ["ingest.sessions.id"],
        ),
        sa.PrimaryKeyConstraint("item_id", "mockup_id"),
        schema="ingest",
    )
    op.create_index(op.f("ix_ingest_listings_session_id"), "listings", ["session_id"], unique=False, schema="ingest")
    op.create_table(
        "mockups",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("product_template_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("starting_name", sa.Integer(), server_default=sa.text("100"), nullable=False),
        sa.Column(
            "next_image",
            sa.Integer(),
            server_default=sa.text("0"),
            nullable=False,
            comment="number of the next picture's file",
        ),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["user_id", "product_template_id"],
            ["ingest.product_templates.user_id", "ingest.product_templates.id"],
        ),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["ingest.users.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("user_id", "id"),
        schema="ingest",
    )
    op.create_index("mockups_of_template", "mockups", ["user_id", "product_template_id"], unique=False, schema="ingest")
    op.create_table(
        "mockup_images",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("mockups_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("filename", sa.Text(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False, comment="below the shop's folder, as is watermark_path"),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("watermark_path", sa.Text(), nullable=True),
        sa.Column("watermark_sha256", sa.Text(), nullable=True),
        sa.Column("watermark_size", sa.BigInteger(), nullable=True),
        sa.Column("image_type", sa.Text(), nullable=True, comment="the product template's name"),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["user_id", "mockups_id"], ["ingest.mockups.user_id", "ingest.mockups.id"], ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["ingest.users.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("mockups_id", "position"),
        sa.UniqueConstraint("user_id", "id"),
        schema="ingest",
    )
    op.create_table(
        "size_configs",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("product_template_id", sa.Uuid(), nullable=False),
        sa.Column("canvas_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("width_inches", sa.Float(), nullable=False),
        sa.Column("height_inches", sa.Float(), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("is_active", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["user_id", "product_template_id", "canvas_id"],
            ["ingest.canvas_configs.user_id", "ingest.canvas_configs.product_template_id", "ingest.canvas_configs.id"],
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["ingest.users.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        schema="ingest",
    )
    op.create_index(
        "size_configs_of_canvas",
        "size_configs",
        ["user_id", "product_template_id", "canvas_id"],
        unique=False,
        schema="ingest",
    )
    op.create_table(
        "mockup_masks",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("mockup_image_id", sa.Uuid(), nullable=False),
        sa.Column(
            "masks",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            comment="polygons: [[[x, y], ...], ...] in the photograph's pixels",
        ),
        sa.Column("points", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("is_cropped", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("alignment", sa.Text(), server_default=sa.text("'center'"), nullable=False),
        sa.Column(
            "is_cropped_list",
            postgresql.JSONB(none_as_null=True, astext_type=sa.Text()),
            nullable=True,
            comment="one entry a mask, in place of is_cropped",
        ),
        sa.Column(
            "alignment_list",
            postgresql.JSONB(none_as_null=True, astext_type=sa.Text()),
            nullable=True,
            comment="one entry a mask, in place of alignment",
        ),
        sa.Column("perspective", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["user_id", "mockup_image_id"],
            ["ingest.mockup_images.user_id", "ingest.mockup_images.id"],
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["ingest.users.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        schema="ingest",
    )
    op.create_index(
        "mockup_masks_of_image", "mockup_masks", ["user_id", "mockup_image_id"], unique=False, schema="ingest"
    )
    op.create_table(
        "hashes",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column(
            "item_id",
            sa.Uuid(),
            nullable=True,
            comment="the upload; null for what was learnt from the NAS or a database",
        ),
        sa.Column("session_id", sa.Uuid(), nullable=True),
        sa.Column("generation", sa.Integer(), server_default="0", nullable=False),
        sa.Column("source", sa.Text(), nullable=False, comment="session | nas | database"),
        sa.Column(
            "state",
            sa.Text(),
            nullable=False,
            comment="claimed: in work; known: stored; released: failed, matches nothing",
        ),
        sa.Column(
            "is_active",
            sa.Boolean(),
            server_default=sa.text("true"),
            nullable=False,
            comment="false: the user took it out of use",
        ),
        sa.Column(
            "revision", sa.Integer(), server_default="0", nullable=False, comment="of the change that set is_active"
        ),
        sa.Column("algorithm", sa.Text(), nullable=False, comment="only equal ones are compared"),
        sa.Column("phash", postgresql.BIT(length=256), nullable=True),
        sa.Column("dhash", postgresql.BIT(length=256), nullable=True),
        sa.Column(
            "phash_0",
            sa.BigInteger(),
            sa.Computed("substring(phash from 1 for 43)::bigint", persisted=True),
            nullable=True,
        ),
        sa.Column(
            "phash_1",
            sa.BigInteger(),
            sa.Computed("substring(phash from 44 for 43)::bigint", persisted=True),
            nullable=True,
        ),
        sa.Column(
            "phash_2",
            sa.BigInteger(),
            sa.Computed("substring(phash from 87 for 43)::bigint", persisted=True),
            nullable=True,
        ),
        sa.Column(
            "phash_3",
            sa.BigInteger(),
            sa.Computed("substring(phash from 130 for 43)::bigint", persisted=True),
            nullable=True,
        ),
        sa.Column(
            "phash_4",
            sa.BigInteger(),
            sa.Computed("substring(phash from 173 for 42)::bigint", persisted=True),
            nullable=True,
        ),
        sa.Column(
            "phash_5",
            sa.BigInteger(),
            sa.Computed("substring(phash from 215 for 42)::bigint", persisted=True),
            nullable=True,
        ),
        sa.Column(
            "dhash_0",
            sa.BigInteger(),
            sa.Computed("substring(dhash from 1 for 43)::bigint", persisted=True),
            nullable=True,
        ),
        sa.Column(
            "dhash_1",
            sa.BigInteger(),
            sa.Computed("substring(dhash from 44 for 43)::bigint", persisted=True),
            nullable=True,
        ),
        sa.Column(
            "dhash_2",
            sa.BigInteger(),
            sa.Computed("substring(dhash from 87 for 43)::bigint", persisted=True),
            nullable=True,
        ),
        sa.Column(
            "dhash_3",
            sa.BigInteger(),
            sa.Computed("substring(dhash from 130 for 43)::bigint", persisted=True),
            nullable=True,
        ),
        sa.Column(
            "dhash_4",
            sa.BigInteger(),
            sa.Computed("substring(dhash from 173 for 42)::bigint", persisted=True),
            nullable=True,
        ),
        sa.Column(
            "dhash_5",
            sa.BigInteger(),
            sa.Computed("substring(dhash from 215 for 42)::bigint", persisted=True),
            nullable=True,
        ),
        sa.Column("upload_sha256", sa.Text(), nullable=True),
        sa.Column("print_sha256", sa.Text(), nullable=True),
        sa.Column(
            "canonical_sha256",
            sa.Text(),
            nullable=True,
            comment="the picture that the hashes were taken from, for a look at its pixels",
        ),
        sa.Column("canonical_size", sa.BigInteger(), nullable=True),
        sa.Column("filename", sa.Text(), nullable=True, comment="as it was uploaded"),
        sa.Column("name", sa.Text(), nullable=True, comment="as it was stored"),
        sa.Column("path", sa.Text(), nullable=True, comment="below the NAS root"),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.Column(
            "changed_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("item_id"),
        schema="dedup",
    )
    op.create_index("hashes_dhash_0", "hashes", ["tenant_id", "dhash_0"], unique=False, schema="dedup")
    op.create_index("hashes_dhash_1", "hashes", ["tenant_id", "dhash_1"], unique=False, schema="dedup")
    op.create_index("hashes_dhash_2", "hashes", ["tenant_id", "dhash_2"], unique=False, schema="dedup")
    op.create_index("hashes_dhash_3", "hashes", ["tenant_id", "dhash_3"], unique=False, schema="dedup")
    op.create_index("hashes_dhash_4", "hashes", ["tenant_id", "dhash_4"], unique=False, schema="dedup")
    op.create_index("hashes_dhash_5", "hashes", ["tenant_id", "dhash_5"], unique=False, schema="dedup")
    op.create_index(
        "hashes_learnt",
        "hashes",
        ["tenant_id", "source", "path", "algorithm"],
        unique=True,
        schema="dedup",
        postgresql_where=sa.text("item_id IS NULL"),
    )
    op.create_index("hashes_path", "hashes", ["tenant_id", "path"], unique=False, schema="dedup")
    op.create_index("hashes_phash_0", "hashes", ["tenant_id", "phash_0"], unique=False, schema="dedup")
    op.create_index("hashes_phash_1", "hashes", ["tenant_id", "phash_1"], unique=False, schema="dedup")
    op.create_index("hashes_phash_2", "hashes", ["tenant_id", "phash_2"], unique=False, schema="dedup")
    op.create_index("hashes_phash_3", "hashes", ["tenant_id", "phash_3"], unique=False, schema="dedup")
    op.create_index("hashes_phash_4", "hashes", ["tenant_id", "phash_4"], unique=False, schema="dedup")
    op.create_index("hashes_phash_5", "hashes", ["tenant_id", "phash_5"], unique=False, schema="dedup")
    op.create_index("hashes_print", "hashes", ["tenant_id", "print_sha256"], unique=False, schema="dedup")
    op.create_index("hashes_upload", "hashes", ["tenant_id", "upload_sha256"], unique=False, schema="dedup")
    op.create_table(
        "verdicts",
        sa.Column("item_id", sa.Uuid(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("index", sa.Integer(), nullable=False),
        sa.Column(
            "hashed",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            comment="the ImageHashed that it answers, to decide anew from",
        ),
        sa.Column("accepted", postgresql.JSONB(astext_type=sa.Text()), nullable=True, comment="the ImageAccepted, or"),
        sa.Column("duplicate", postgresql.JSONB(astext_type=sa.Text()), nullable=True, comment="the DuplicateFound"),
        sa.Column("matched_item_id", sa.Uuid(), nullable=True, comment="the upload that it is a duplicate of"),
        sa.Column(
            "freed_item_id", sa.Uuid(), nullable=True, comment="the failed item whose release led to this verdict"
        ),
        sa.Column("freed_generation", sa.Integer(), nullable=True),
        sa.Column(
            "place", sa.Integer(), server_default="0", nullable=False, comment="its place among that release's verdicts"
        ),
        sa.Column(
            "decided_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.PrimaryKeyConstraint("item_id", "generation"),
        schema="dedup",
    )
    op.create_index(
        "verdicts_freed",
        "verdicts",
        ["freed_item_id"],
        unique=False,
        schema="dedup",
        postgresql_where=sa.text("freed_item_id IS NOT NULL"),
    )
    op.create_index(
        "verdicts_matched",
        "verdicts",
        ["matched_item_id"],
        unique=False,
        schema="dedup",
        postgresql_where=sa.text("matched_item_id IS NOT NULL"),
    )
    op.create_index("verdicts_session", "verdicts", ["session_id"], unique=False, schema="dedup")
    op.create_table(
        "counters",
        sa.Column(
            "counter_key", sa.Text(), nullable=False, comment="folder of the designs, as a careless NAS compares names"
        ),
        sa.Column("next_number", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("counter_key"),
        schema="storage",
    )
    op.create_table(
        "designs",
        sa.Column("item_id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("index", sa.Integer(), nullable=False, comment="position in the upload, from 0"),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("filename", sa.Text(), nullable=False, comment="as it was uploaded"),
        sa.Column(
            "state",
            sa.Text(),
            nullable=False,
            comment="accepted, placed, numbered, stored; or duplicate, rejected, failed",
        ),
        sa.Column(
            "reopened",
            sa.Boolean(),
            server_default=sa.text("false"),
            nullable=False,
            comment="tried anew after it was settled",
        ),
        sa.Column("reason", sa.Text(), nullable=True, comment="why it is not stored"),
        sa.Column(
            "accepted",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=True,
            comment="the ImageAccepted of this generation",
        ),
        sa.Column("sha256", sa.Text(), nullable=True, comment="of the print file"),
        sa.Column("size", sa.BigInteger(), nullable=True),
        sa.Column("counter_key", sa.Text(), nullable=True, comment="the sequence that its number is from"),
        sa.Column("number", sa.Integer(), nullable=True),
        sa.Column("name", sa.Text(), nullable=True, comment="the file name on the NAS"),
        sa.Column("path", sa.Text(), nullable=True, comment="below the NAS root"),
        sa.Column(
            "cause_type",
            sa.Text(),
            nullable=True,
            comment="the message that gave it its number or its failure, and answers for it",
        ),
        sa.Column("cause_item_id", sa.Uuid(), nullable=True),
        sa.Column("cause_generation", sa.Integer(), nullable=True),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.Column(
            "changed_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.PrimaryKeyConstraint("item_id"),
        schema="storage",
    )
    op.create_index(
        "designs_cause",
        "designs",
        ["cause_item_id"],
        unique=False,
        schema="storage",
        postgresql_where=sa.text("cause_item_id IS NOT NULL"),
    )
    op.create_index(
        "designs_number",
        "designs",
        ["counter_key", "number"],
        unique=True,
        schema="storage",
        postgresql_where=sa.text("number IS NOT NULL"),
    )
    op.create_index("designs_place", "designs", ["session_id", "index"], unique=True, schema="storage")
    op.create_table(
        "freed_numbers",
        sa.Column("counter_key", sa.Text(), nullable=False),
        sa.Column(
            "number", sa.Integer(), nullable=False, comment="given to a design that was not stored under it after all"
        ),
        sa.PrimaryKeyConstraint("counter_key", "number"),
        schema="storage",
    )
    op.create_table(
        "listings",
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("publish_key", sa.Text(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("shop", sa.Text(), nullable=False),
        sa.Column("item_id", sa.Uuid(), nullable=False),
        sa.Column("mockup_id", sa.Uuid(), nullable=False),
        sa.Column("status", sa.Text(), server_default="pending", nullable=False),
        sa.Column("content_hash", sa.Text(), nullable=True),
        sa.Column("intent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tried_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("listing_id", sa.Text(), nullable=True),
        sa.Column("url", sa.Text(), nullable=True),
        sa.Column("asked", sa.Text(), nullable=True),
        sa.Column("answer", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "status IN ('pending', 'unknown', 'draft_created', 'images_done', 'published', 'failed')",
            name="listings_status",
        ),
        sa.PrimaryKeyConstraint("target", "publish_key"),
        schema="publisher",
    )
    op.create_table(
        "listing_media",
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("publish_key", sa.Text(), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("media_id", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["target", "publish_key"],
            ["publisher.listings.target", "publisher.listings.publish_key"],
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("target", "publish_key", "rank"),
        schema="publisher",
    )
