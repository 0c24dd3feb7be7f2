"""deploy/postgres/roles.sql, run by psql on a real server of its own, because roles belong to a whole server."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, NullPool, create_engine, make_url, text
from sqlalchemy.exc import OperationalError, ProgrammingError

from services.local.database import database
from services.local.postgres import installed
from services.migrations import migrate
from services.migrations.tables import METADATA

ROLES = Path(__file__).parents[2] / "deploy/postgres/roles.sql"
PASSWORD = "it's a secret"
ORIGINAL_LANE = {"ingest": {"ingest", "dedup", "storage", "publisher"}}


@pytest.fixture(scope="module")
def owner_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A migrated database whose roles were made before the migration and once more after it, as after an update."""
    with database(tmp_path_factory.mktemp("roles"), fsync=False, throwaway=True) as server:
        assert run_roles(server.url).returncode == 0
        migrate(server.url)
        again = run_roles(server.url)
        assert again.returncode == 0, again.stderr
        yield server.url


def run_roles(owner_url: str, password: str | None = PASSWORD) -> "subprocess.CompletedProcess[str]":
    """What the image of PostgreSQL does with the file, and the operator elsewhere."""
    found = installed()
    assert found, "make setup installs a PostgreSQL; without one this test can't start a server"
    url = make_url(owner_url).set(drivername="postgresql").render_as_string(hide_password=False)
    command = [str(found[0].folder / "psql"), "--no-psqlrc", "--quiet", url, "--file", str(ROLES)]
    given = {} if password is None else {"SERVICES_PASSWORD": password}
    return subprocess.run(command, env=os.environ | given, capture_output=True, text=True, check=False)


def connect_as(owner_url: str, service: str, password: str = PASSWORD) -> Connection:
    """A connection of a service's role."""
    url = make_url(owner_url).set(username=f"presswork_{service}", password=password)
    return create_engine(url, poolclass=NullPool).connect()


def schemas_open_to(owner_url: str, service: str) -> set[str]:
    """In which schemas the role may read and write every table; some only would be a schema that is half granted."""
    allowed: dict[str, set[bool]] = {}
    may = text("SELECT has_schema_privilege(:role, :schema, 'USAGE') AND has_table_privilege(:role, :table, :right)")
    with create_engine(owner_url, poolclass=NullPool).connect() as owner:
        for metadata in METADATA:
            found = allowed.setdefault(str(metadata.schema), set())
            for table in metadata.tables:
                for right in ("SELECT", "INSERT", "UPDATE", "DELETE"):
                    asked = {"role": f"presswork_{service}", "schema": metadata.schema, "table": table, "right": right}
                    found.add(owner.execute(may, asked).scalar_one())
    assert all(len(found) == 1 for found in allowed.values()), allowed
    return {schema for schema, found in allowed.items() if found == {True}}


@pytest.mark.parametrize("service", ["ingest", "dedup", "storage", "publisher"])
def test_a_service_writes_in_its_own_schema_only(owner_url: str, service: str) -> None:
    assert schemas_open_to(owner_url, service) == ORIGINAL_LANE.get(service, {service})


def test_the_database_itself_refuses_a_foreign_schema(owner_url: str) -> None:
    with (
        connect_as(owner_url, "dedup") as connection,
        pytest.raises(ProgrammingError, match="permission denied for schema storage"),
    ):
        connection.execute(text("DELETE FROM storage.designs"))


def test_a_service_can_not_change_the_schema(owner_url: str) -> None:
    with (
        connect_as(owner_url, "storage") as connection,
        pytest.raises(ProgrammingError, match="permission denied for schema storage"),
    ):
        connection.execute(text("CREATE TABLE storage.mine (id int)"))


def test_a_table_of_a_later_version_is_covered(owner_url: str) -> None:
    engine = create_engine(owner_url, poolclass=NullPool)
    with engine.begin() as owner:
        owner.execute(text("CREATE TABLE dedup.later (id int GENERATED ALWAYS AS IDENTITY)"))
    with connect_as(owner_url, "dedup") as connection:
        assert connection.execute(text("INSERT INTO dedup.later DEFAULT VALUES RETURNING id")).scalar_one() == 1
    with engine.begin() as owner:
        owner.execute(text("DROP TABLE dedup.later"))


def test_a_role_needs_the_password(owner_url: str) -> None:
    with pytest.raises(OperationalError, match="password authentication failed"):
        connect_as(owner_url, "dedup", password="another")


def test_without_a_password_nothing_is_made(owner_url: str) -> None:
    done = run_roles(owner_url, password=None)
    assert done.returncode != 0
    assert "set SERVICES_PASSWORD" in done.stderr
