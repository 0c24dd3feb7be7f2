"""Alembic's entry: runs the versions on the URL that `migrate` hands over."""

from alembic import context
from sqlalchemy import MetaData, create_engine, pool

from services.migrations.tables import METADATA


def run() -> None:
    """Apply the pending versions in one transaction."""
    engine = create_engine(context.config.attributes["url"], poolclass=pool.NullPool)
    with engine.connect() as connection:
        context.configure(
            connection=connection, target_metadata=list[MetaData](METADATA), include_schemas=True, compare_type=True
        )
        with context.begin_transaction():
            context.run_migrations()


run()
