"""What services wait for, for the progress line and /ready."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    at = sa.DateTime(timezone=True)
    again = sa.Column("again_at", at, nullable=True, comment="when it is tried again; null: as soon as may be")
    op.create_table(
        "delays",
        sa.Column("service", sa.Text(), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=False, comment="whose upload waits; zeros: all of the service"),
        sa.Column("cause", sa.Text(), nullable=False, comment="the error and its words"),
        again,
        sa.Column("until", at, nullable=False, comment="how long this holds unless it is told again"),
        sa.PrimaryKeyConstraint("service", "session_id"),
        schema="ingest",
    )
