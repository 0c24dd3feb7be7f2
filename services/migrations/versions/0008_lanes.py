"""What an upload weighs, how fast it goes and when its stages were over: for percent, time left and comparing lanes."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0008"
down_revision = "0007"

KNOWN = """
UPDATE ingest.sessions AS session SET work = weighed.work, work_done = weighed.done FROM (
    SELECT session_id, sum(size + 8000000) AS work, sum((size + 8000000) * CASE state
        WHEN 'received' THEN 0 WHEN 'hashed' THEN 0.6 WHEN 'accepted' THEN 0.7 ELSE 1 END) AS done
    FROM ingest.items GROUP BY session_id
) AS weighed WHERE weighed.session_id = session.id
"""
"""Of files that an older release had received: as much as is known of them."""


def upgrade() -> None:
    at = sa.DateTime(timezone=True)
    json = postgresql.JSONB()
    for column in (
        sa.Column("lane_reason", sa.Text(), comment="why this lane, in words"),
        sa.Column("hashed_at", at, comment="when the last file was hashed, or had its end"),
        sa.Column("asked_at", at, comment="when the first listing was asked for"),
        sa.Column("rendered_at", at, comment="when the last listing had its pictures, or its end"),
        sa.Column("reopened_at", at, comment="when it was taken up again, the last time"),
        sa.Column("costs", json, comment="what work costs, as earlier uploads had shown when it was submitted"),
        _counted("work", sa.Float(), "0", "the weight of all files; 0: not known"),
        _counted("work_done", sa.Float(), "0", "how much of it is done"),
        _counted("pace", json, "{}", "how much was done lately: files, listings"),
    ):
        op.add_column("sessions", column, schema="ingest")
    op.execute(KNOWN)
    finished = sa.text("state = 'finished'")
    columns = ["lane", "finished_at"]
    op.create_index("sessions_finished", "sessions", columns, schema="ingest", postgresql_where=finished)


def _counted(name: str, kind: sa.types.TypeEngine[Any], default: str, comment: str) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=False, server_default=default, comment=comment)
