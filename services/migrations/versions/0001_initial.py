"""All tables of the first release."""

from alembic import op
from sqlalchemy import text

from services.migrations.tables import METADATA

revision = "0001"
down_revision = None


def upgrade() -> None:
    connection = op.get_bind()
    for metadata in METADATA:
        connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {metadata.schema}"))
        metadata.create_all(connection)
