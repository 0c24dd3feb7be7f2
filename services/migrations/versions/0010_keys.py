"""Short hashes by which the second look's candidates are found. Designs from before have none: their hashes decide."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    what = "64 bits less 2^63: finds what the second look sees"
    op.create_table(
        "keys",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("hash_id", sa.BigInteger(), nullable=False),
        sa.Column("key", sa.BigInteger(), nullable=False, comment=what),
        sa.PrimaryKeyConstraint("id"),
        sa.ForeignKeyConstraint(["hash_id"], ["dedup.hashes.id"], ondelete="CASCADE"),
        schema="dedup",
    )
    op.create_index("keys_tenant", "keys", ["tenant_id", "id"], schema="dedup")
    op.create_index("keys_hash", "keys", ["hash_id"], schema="dedup")
