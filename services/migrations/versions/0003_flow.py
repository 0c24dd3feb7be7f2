"""Fair turns between tenants, and cancelled sessions."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    place = sa.Column("place", sa.Integer(), server_default="0", nullable=False, comment="order within a session")
    done = sa.Column("done_at", sa.DateTime(timezone=True), nullable=True, comment="when its work was seen to be done")
    op.add_column("outbox", sa.Column("tenant_id", sa.Uuid(), nullable=True), schema="ingest")
    op.add_column("outbox", place, schema="ingest")
    op.add_column("outbox", done, schema="ingest")
    cancelled = sa.Column(
        "cancelled_at",
        sa.DateTime(timezone=True),
        nullable=True,
        comment="when the whole session was cancelled, the last time",
    )
    op.execute("UPDATE ingest.outbox SET tenant_id = (data->>'tenant_id')::uuid WHERE data->>'tenant_id' IS NOT NULL")
    op.execute("UPDATE ingest.outbox SET place = (data->>'batch')::int WHERE type = 'BatchSubmitted'")
    op.create_index(
        "outbox_in_flight",
        "outbox",
        ["lane", "type", "tenant_id"],
        unique=False,
        schema="ingest",
        postgresql_where=sa.text(
            "sent_at IS NOT NULL AND done_at IS NULL AND type IN ('BatchSubmitted', 'MockupsRequested')"
        ),
    )
    op.add_column("sessions", cancelled, schema="ingest")
    op.create_table(
        "cancelled",
        sa.Column("item_id", sa.Uuid(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False, comment="up to this one nothing is decided anew"),
        sa.PrimaryKeyConstraint("item_id"),
        schema="dedup",
    )
    op.create_table(
        "cancelled",
        sa.Column("item_id", sa.Uuid(), nullable=False),
        sa.Column("mockup_id", sa.Uuid(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("item_id", "mockup_id"),
        schema="publisher",
    )
