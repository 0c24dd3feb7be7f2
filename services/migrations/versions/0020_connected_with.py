"""With which code a shop was connected: sent again, it finds the connection made."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    op.add_column("etsy_connections", sa.Column("code", sa.Text()), schema="publisher")
