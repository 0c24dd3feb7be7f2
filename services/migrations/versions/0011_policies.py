"""What uploads do with duplicates, and what people say of near ones."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0011"
down_revision = "0010"

POLICIES = "skip_exact | skip_near | review | keep_all"
DISTANCE = "bits within which hashes are the same; null: what dedup is set to"


def upgrade() -> None:
    _policies()
    _sessions()
    _pairs()


def _policies() -> None:
    op.create_table(
        "duplicate_policies",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("policy", sa.Text(), nullable=False, comment=POLICIES),
        sa.Column("distance", sa.Integer(), comment=DISTANCE),
        sa.Column("changed_by", sa.Text(), nullable=False),
        _now("changed_at"),
        sa.PrimaryKeyConstraint("id"),
        sa.ForeignKeyConstraint(["user_id"], ["ingest.users.id"]),
        schema="ingest",
        comment="what an account's uploads do with duplicates: its newest row counts, the others tell who changed it",
    )
    op.create_index("duplicate_policies_of_user", "duplicate_policies", ["user_id", "id"], schema="ingest")


def _sessions() -> None:
    waiting = "duplicates that wait for a decision"
    review = "of a near duplicate: waiting for a decision, skip or keep; keep stays for ever"
    pair = "of a near duplicate: what it matched, how, and both pictures"
    for table, column in (
        ("sessions", sa.Column("duplicates", sa.Text(), comment=f"{POLICIES}: fixed when files are submitted")),
        ("sessions", sa.Column("duplicate_distance", sa.Integer(), comment=DISTANCE)),
        ("sessions", sa.Column("to_review", sa.Integer(), nullable=False, server_default="0", comment=waiting)),
        ("items", sa.Column("review", sa.Text(), comment=review)),
        ("items", sa.Column("pair", postgresql.JSONB(), comment=pair)),
    ):
        op.add_column(table, column, schema="ingest")


def _pairs() -> None:
    op.create_table(
        "pairs",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("one", sa.Text(), nullable=False, comment="what a file holds: its SHA-256, the lesser of the two"),
        sa.Column("other", sa.Text(), nullable=False),
        sa.Column("decision", sa.Text(), nullable=False, comment="keep | skip: what somebody said who saw both"),
        _now("decided_at"),
        sa.PrimaryKeyConstraint("tenant_id", "one", "other"),
        schema="dedup",
    )
    op.create_index("pairs_other", "pairs", ["tenant_id", "other"], schema="dedup")


def _now(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=False, server_default=sa.func.clock_timestamp())
