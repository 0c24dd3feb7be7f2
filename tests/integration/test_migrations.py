"""The migrations make exactly the tables that the code uses, once, whoever starts first."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import MetaData, create_engine, inspect, text

from services.migrations import OtherTables, migrate
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


def test_the_tables_of_a_newer_release_are_refused_in_words_and_left_alone(empty_database: str) -> None:
    migrate(empty_database)
    _do(empty_database, "UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(OtherTables, match=r"of a newer Presswork \(version 9999 .* Install the release that used it"):
        migrate(empty_database)
    assert differences(empty_database) == []


def test_tables_that_are_not_what_their_version_says_are_refused(empty_database: str) -> None:
    migrate(empty_database)
    _do(empty_database, "DROP TABLE dedup.pairs")
    _do(empty_database, "ALTER TABLE ingest.sessions DROP COLUMN duplicates")
    with pytest.raises(OtherTables, match=r"lacks the columns ingest\.sessions\.duplicates, dedup\.pairs") as it:
        migrate(empty_database)
    assert "and 1 more" in str(it.value)


def _do(url: str, statement: str) -> None:
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text(statement))
    engine.dispose()
