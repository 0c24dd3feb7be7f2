"""The migrations make exactly the tables that the code uses, once, whoever starts first."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import MetaData, create_engine, inspect

from services.migrations import migrate
from services.migrations.tables import METADATA
from tests import backends

VERSIONS = Path(__file__).parents[2] / "services" / "migrations" / "versions"
SCHEMAS = {metadata.schema for metadata in METADATA}


@pytest.fixture
def empty_database(postgres_url: str) -> Iterator[str]:
    with backends.new_database(postgres_url) as url:
        yield url


def differences(url: str) -> list[object]:
    engine = create_engine(url)
    with engine.connect() as connection:
        options = {"include_schemas": True, "include_name": _is_ours, "compare_type": True}
        context = MigrationContext.configure(connection, opts=options)
        found: list[object] = compare_metadata(context, list[MetaData](METADATA))  # type: ignore[arg-type]
    engine.dispose()
    return found


def _is_ours(name: str | None, kind: str, _parents: object) -> bool:
    return kind != "schema" or name in SCHEMAS


def test_the_migrated_tables_are_those_of_the_code(empty_database: str) -> None:
    migrate(empty_database)
    assert differences(empty_database) == []


def test_starting_together_migrates_once(empty_database: str) -> None:
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(migrate, [empty_database] * 3))
    migrate(empty_database)
    engine = create_engine(empty_database)
    with engine.connect() as connection:
        assert set(inspect(connection).get_schema_names()) >= SCHEMAS
    engine.dispose()


def test_a_version_spells_out_what_it_does() -> None:
    # a version that asks today's classes for its tables would do something else tomorrow
    for version in VERSIONS.glob("*.py"):
        assert "create_all" not in version.read_text()
        assert "import services" not in version.read_text()
