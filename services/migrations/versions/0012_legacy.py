"""What was copied from the old system: remembered, so that a second copy doubles nothing and undoes nobody's change.

A design that came from there has no upload whose bytes could be known.
"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    op.create_table(
        "imported",
        sa.Column("kind", sa.Text(), nullable=False, comment="the table that the row was copied to"),
        sa.Column("id", sa.Uuid(), nullable=False, comment="in the old system, and here but for accounts joined"),
        sa.Column("digest", sa.Text(), nullable=False, comment="of what was written here, to see who changed it since"),
        sa.Column("copied_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.PrimaryKeyConstraint("kind", "id"),
        schema="ingest",
        comment="rows that were copied from the old system's database",
    )
    unknown = "of the upload; null: the old system had it"
    op.alter_column("items", "sha256", nullable=True, comment=unknown, schema="ingest")
