"""What was cancelled is counted apart from what failed by itself."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"

KNOWN = """
UPDATE ingest.sessions AS session SET cancelled = of.files, listing_cancelled = of.listings FROM (
    SELECT id,
        (SELECT count(*) FROM ingest.items AS item
            WHERE item.session_id = each.id AND state = 'failed' AND facts->>'code' = 'cancelled') AS files,
        (SELECT count(*) FROM ingest.listings AS listing
            WHERE listing.session_id = each.id AND listing.cancelled) AS listings
    FROM ingest.sessions AS each
) AS of
WHERE of.id = session.id AND of.files + of.listings > 0
"""


def upgrade() -> None:
    for name in ("cancelled", "listing_cancelled"):
        part = sa.Column(name, sa.Integer(), nullable=False, server_default="0", comment="of those that failed")
        op.add_column("sessions", part, schema="ingest")
    why = "it failed so: somebody cancelled it"
    cancelled: sa.Column[bool] = sa.Column(
        "cancelled", sa.Boolean(), nullable=False, server_default=sa.false(), comment=why
    )
    op.add_column("listings", cancelled, schema="ingest")
    op.execute("UPDATE ingest.listings SET cancelled = true WHERE state = 'failed' AND reason LIKE 'cancelled by %'")
    op.execute(KNOWN)
