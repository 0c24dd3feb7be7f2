"""Which files a scan of the NAS has met, and when each shop was asked for one."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0009"
down_revision = "0008"

NOW = sa.text("clock_timestamp()")


def upgrade() -> None:
    at = sa.DateTime(timezone=True)
    op.create_table(
        "scans",
        sa.Column("scan_id", sa.Uuid(), primary_key=True),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("shop", sa.Text(), nullable=False, comment="its folder on the NAS"),
        sa.Column("listed_at", at, nullable=False, server_default=NOW),
        sa.Column("pictures", sa.Integer(), nullable=False, comment="that lie there, ours not counted"),
        sa.Column("to_hash", sa.Integer(), nullable=False, comment="of these, new, changed or wanted anew"),
        sa.Column("gone", sa.Integer(), nullable=False),
        sa.Column("ours", sa.Integer(), nullable=False, comment="designs that we stored: known anyway"),
        sa.Column("unread", JSONB(), nullable=False, comment="folders that could not be listed, and why"),
        schema="storage",
    )
    op.create_index("scans_of_tenant", "scans", ["tenant_id", "listed_at"], schema="storage")
    op.create_table(
        "scanned",
        sa.Column("path", sa.Text(), primary_key=True, comment="below the NAS root"),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column(
            "modified_ns", sa.BigInteger(), nullable=False, comment="by the NAS's clock; 0: look again at the next scan"
        ),
        sa.Column("state", sa.Text(), nullable=False, comment="waiting, sent to the hashers, known, unusable, gone"),
        sa.Column("turn", sa.Integer(), nullable=False, comment="its place in its shop: shops take turns"),
        sa.Column("sha256", sa.Text(), comment="of the content whose fate is known"),
        sa.Column("reason", sa.Text(), comment="why it is unusable"),
        sa.Column("ticket", sa.Uuid(), unique=True, comment="of the message to the hashers"),
        sa.Column("cause", sa.Uuid(), comment="the scan, or the ticket whose answer made room, that sent it"),
        sa.Column("copied", sa.Text(), comment="SHA-256 of its copy for the hashers"),
        sa.Column("changed_at", at, nullable=False, server_default=NOW),
        schema="storage",
    )
    op.create_index("scanned_of_tenant", "scanned", ["tenant_id"], schema="storage")
    waiting, sent = sa.text("state = 'waiting'"), sa.text("state = 'sent'")
    op.create_index("scanned_waiting", "scanned", ["turn", "path"], schema="storage", postgresql_where=waiting)
    op.create_index("scanned_sent", "scanned", ["cause"], schema="storage", postgresql_where=sent)
    op.create_table(
        "scans",
        sa.Column("user_id", sa.Uuid(), sa.ForeignKey("ingest.users.id"), primary_key=True),
        sa.Column("asked_at", at, nullable=False),
        schema="ingest",
        comment="when a scan of each shop's folder on the NAS was asked for last, by itself",
    )
