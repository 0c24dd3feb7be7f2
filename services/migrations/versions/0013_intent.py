"""What a listing's create was called with: its draft at the shop is looked up by that, not by today's template."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    op.add_column("listings", sa.Column("words", postgresql.JSONB(), nullable=True), schema="publisher")
