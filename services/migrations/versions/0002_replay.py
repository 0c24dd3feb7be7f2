"""Dead letters that can be understood, grouped and replayed; who did what with them; operators."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    role = sa.Column("role", sa.Text(), server_default="seller", nullable=False, comment="seller | operator")
    op.add_column("users", role, schema="ingest")
    for column in _letter_columns():
        op.add_column("dead_letters", column, schema="ingest")
    # What died before this version can be grouped by its words at least.
    op.execute(
        "UPDATE ingest.dead_letters SET fingerprint = left(md5(service || ':' || cause), 12),"
        " error = split_part(cause, ':', 1), kept_at = dead_at"
    )
    op.create_index("dead_letters_of_item", "dead_letters", ["item_id"], schema="ingest")
    op.create_index("dead_letters_of_group", "dead_letters", ["fingerprint", "kept_at"], schema="ingest")
    op.create_index("dead_letters_by_status", "dead_letters", ["status", "kept_at"], schema="ingest")
    op.create_index("dead_letters_replayed", "dead_letters", ["replay_id"], schema="ingest")
    op.create_table(
        "dead_letter_audit",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("run_id", sa.Uuid(), nullable=False, comment="one command; its own row has no letter"),
        sa.Column("letter_id", sa.Uuid(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False, comment="replay, discard, restore, note, retry"),
        sa.Column("filter", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("counts", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("result", sa.Text(), nullable=True),
        sa.Column("words", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        schema="ingest",
    )
    op.create_index("dead_letter_audit_of_letter", "dead_letter_audit", ["letter_id"], schema="ingest")
    op.create_index("dead_letter_audit_of_run", "dead_letter_audit", ["run_id", "at"], schema="ingest")


def _letter_columns() -> list[sa.Column[object]]:
    now = sa.text("clock_timestamp()")
    return [
        sa.Column("message_id", sa.Uuid(), nullable=True),
        sa.Column("tenant_id", sa.Uuid(), nullable=True),
        sa.Column("lane", sa.Text(), server_default="comprehensive", nullable=False),
        sa.Column(
            "files",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default="[]",
            nullable=False,
            comment="item_id, filename, generation of each file that it is about",
        ),
        sa.Column("item_id", sa.Uuid(), nullable=True, comment="the one file that failed with it, if one did"),
        sa.Column("mockup_id", sa.Uuid(), nullable=True, comment="which of its listings, if it is about one"),
        sa.Column("item_generation", sa.Integer(), server_default="0", nullable=False),
        sa.Column("error", sa.Text(), server_default="", nullable=False, comment="the kind of error"),
        sa.Column("frame", sa.Text(), server_default="", nullable=False, comment="where in our code it was raised"),
        sa.Column("fingerprint", sa.Text(), server_default="", nullable=False, comment="equal for equal causes"),
        sa.Column("headers", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False),
        sa.Column("raw", sa.LargeBinary(), nullable=True, comment="the bytes, where `body` is not them word for word"),
        sa.Column("version", sa.Text(), nullable=True),
        sa.Column("host", sa.Text(), nullable=True),
        sa.Column("kept_at", sa.DateTime(timezone=True), server_default=now, nullable=False),
        sa.Column(
            "status",
            sa.Text(),
            server_default="dead",
            nullable=False,
            comment="dead, dead_again; replaying; resolved, superseded, discarded",
        ),
        sa.Column("outcome", sa.Text(), nullable=True, comment="why it has this status, in words"),
        sa.Column("status_at", sa.DateTime(timezone=True), server_default=now, nullable=False),
        sa.Column("status_by", sa.Text(), nullable=True),
        sa.Column("replay_of", sa.Uuid(), nullable=True, comment="the letter whose replay ended here"),
        sa.Column("replay_id", sa.Uuid(), nullable=True, comment="its last replay, as the header x-replay-id says"),
        sa.Column("target_generation", sa.Integer(), nullable=True, comment="of the file that a replay reopened"),
        sa.Column("generation", sa.Integer(), server_default="0", nullable=False, comment="replays before this death"),
        sa.Column("note", sa.Text(), nullable=True),
    ]
