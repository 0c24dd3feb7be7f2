"""The database's schema, version by version (alembic). One history for all services; each owns its own schema in it."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine, text

ADVISORY_LOCK = 0x70726573  # "pres": two processes that start together must not migrate together


def migrate(url: str) -> None:
    """Bring the database to the newest version; does nothing when it is there."""
    engine = create_engine(url)
    try:
        with engine.connect() as guard:
            guard.execute(text("SELECT pg_advisory_lock(:key)"), {"key": ADVISORY_LOCK})
            command.upgrade(_config(url), "head")
    finally:
        engine.dispose()


def _config(url: str) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.attributes["url"] = url
    return config
