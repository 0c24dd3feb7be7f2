"""How many pixels a picture was uploaded with: which of two copies would print better."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    width = sa.Column("art_width", sa.Integer(), comment="pixels of what is visible of the upload")
    for column in (width, sa.Column("art_height", sa.Integer())):
        op.add_column("hashes", column, schema="dedup")
