"""What a mockup template says of a photograph."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    template = sa.Column(
        "template",
        postgresql.JSONB(none_as_null=True, astext_type=sa.Text()),
        nullable=True,
        comment="a mockup template, its pictures' blobs, and the blob that holds both",
    )
    op.add_column("mockup_images", template, schema="ingest")
