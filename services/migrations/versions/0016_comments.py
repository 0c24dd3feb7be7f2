"""What three columns hold by now."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    for schema, table, column, kind, comment in (
        ("dedup", "hashes", "item_id", sa.Uuid(), "upload, or old system's design; null: only found on the NAS"),
        ("dedup", "verdicts", "freed_item_id", sa.Uuid(), "the item whose claim ended or made way, and so led to it"),
        ("storage", "scanned", "state", sa.Text(),
         "waiting, sent to the hashers, known, unusable, gone; missing: a design of ours that is not there"),
    ):  # fmt: skip
        op.alter_column(table, column, existing_type=kind, comment=comment, schema=schema)
