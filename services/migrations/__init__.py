"""The database's schema, version by version (alembic). One history for all services; each owns its own schema in it."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, inspect, text

from services.migrations.tables import METADATA
from shared.errors import Permanent

ADVISORY_LOCK = 0x70726573  # "pres" (docs/reliability.md, "Locks"): who start together must not migrate together
NAMED = 5
"""Of the missing columns, in the words: the first say where to look."""


class OtherTables(Permanent):
    """The database's tables are not those of this version, and can't be made so."""


def migrate(url: str) -> None:
    """Bring the database to the newest version; does nothing when it is there.

    Raises:
        OtherTables: a newer release made its tables, or they are not what their version says.
    """
    engine, config = create_engine(url), _config(url)
    try:
        with engine.connect() as guard:
            guard.execute(text("SELECT pg_advisory_lock(:key)"), {"key": ADVISORY_LOCK})
            _refuse_newer(guard, config)
            command.upgrade(config, "head")
            _refuse_incomplete(guard)
    finally:
        engine.dispose()


def _config(url: str) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.attributes["url"] = url
    return config


def _refuse_newer(connection: Connection, config: Config) -> None:
    """Alembic knows no way back from a version that it does not know, and says so by a stack only."""
    known = [script.revision for script in ScriptDirectory.from_config(config).walk_revisions()]
    version = MigrationContext.configure(connection).get_current_revision()
    if version and version not in known:
        raise OtherTables(
            f"the database has the tables of a newer Presswork (version {version} of the tables; this release knows "
            f"them up to {known[0]}), and was left as it is. Install the release that used it last, or restore the "
            "backup that was made before the update (docs/backup.md)"
        )


def _refuse_incomplete(connection: Connection) -> None:
    """A version is no more than a mark: code between two releases, or a hand, may have left other tables under it.

    Services would start all the same, and every message that needs what is missing would die.
    """
    inspector = inspect(connection)
    there = {
        (schema, table, column["name"])
        for metadata in METADATA
        for (schema, table), columns in inspector.get_multi_columns(schema=metadata.schema).items()
        for column in columns
    }
    wanted = [
        (table.schema, table.name, column.name)
        for metadata in METADATA
        for table in metadata.sorted_tables
        for column in table.columns
    ]
    missing = [".".join(map(str, each)) for each in wanted if each not in there]
    if missing:
        names = ", ".join(missing[:NAMED]) + (f" and {len(missing) - NAMED} more" if len(missing) > NAMED else "")
        raise OtherTables(
            f"the database says that its tables are those of this version, but lacks the columns {names}. It was used "
            "with code that was no release, or changed by hand: restore a backup from before that (docs/backup.md), or "
            "make what is missing as services/migrations/versions does"
        )
