"""Connected Etsy shops, ways to the consent page, and the rate of each key."""

from datetime import datetime

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"


def _time(name: str, *, now: bool = False, nullable: bool = False) -> "sa.Column[datetime]":
    default = sa.text("now()") if now else None
    return sa.Column(name, sa.DateTime(timezone=True), server_default=default, nullable=nullable)


def upgrade() -> None:
    op.create_table(
        "etsy_connections",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("shop_id", sa.BigInteger(), nullable=False),
        sa.Column("shop_name", sa.Text(), nullable=False),
        sa.Column("scopes", sa.Text(), nullable=False),
        sa.Column("access_token", sa.Text(), nullable=False),
        sa.Column("refresh_token", sa.Text(), nullable=False),
        _time("access_expires_at"),
        _time("refresh_expires_at"),
        sa.Column("broken", sa.Text(), nullable=True),
        sa.Column("choices", postgresql.JSONB(), server_default="{}", nullable=False),
        sa.Column("options", postgresql.JSONB(), nullable=True),
        _time("options_at", nullable=True),
        _time("connected_at", now=True),
        _time("refreshed_at", now=True),
        sa.PrimaryKeyConstraint("tenant_id"),
        sa.UniqueConstraint("shop_id"),
        schema="publisher",
    )
    op.create_table(
        "etsy_attempts",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("verifier", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        _time("begun_at", now=True),
        sa.PrimaryKeyConstraint("tenant_id"),
        schema="publisher",
    )
    op.create_table(
        "etsy_keys",
        sa.Column("key", sa.Text(), nullable=False),
        _time("next_at", now=True),
        _time("stopped_until", now=True),
        sa.Column("per_second", sa.Float(), nullable=True),
        sa.Column("per_day", sa.Integer(), nullable=True),
        sa.Column("remaining_today", sa.Integer(), nullable=True),
        _time("seen_at", now=True),
        sa.PrimaryKeyConstraint("key"),
        schema="publisher",
    )
