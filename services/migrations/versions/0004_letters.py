"""Replays that can be watched and cancelled; accounts that may look at dead letters and change nothing."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    seen = sa.Column("seen_at", sa.DateTime(timezone=True), nullable=True, comment="the last sign of a replay at work")
    stopped = sa.Column("cancelled_by", sa.Text(), nullable=True, comment="who wants it to stop")
    op.add_column("dead_letter_audit", seen, schema="ingest")
    op.add_column("dead_letter_audit", stopped, schema="ingest")
    actions = "replay, edit, discard, restore, note, purge"
    op.alter_column("dead_letter_audit", "action", schema="ingest", comment=actions)
    op.alter_column("users", "role", schema="ingest", comment="seller | viewer | operator")
