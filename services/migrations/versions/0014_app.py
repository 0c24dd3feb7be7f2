"""With which app each Etsy shop was connected: its tokens are worth nothing to another one."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    op.add_column("etsy_connections", sa.Column("app", sa.Text(), nullable=True), schema="publisher")
