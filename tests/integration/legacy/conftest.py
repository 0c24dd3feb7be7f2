"""An old system beside an empty new one, and the command that moves."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from services.cli import app
from shared.nas import PathNas
from tests import backends
from tests.integration.legacy.old import HEAD, Old, old_database, without_driver

Import = Callable[..., Result]


@pytest.fixture
def old_url(postgres_url: str) -> Iterator[str]:
    with backends.new_database(postgres_url) as url:
        yield url


@pytest.fixture
def old(old_url: str) -> Iterator[Old]:
    with old_database(old_url, HEAD) as made:
        yield made


@pytest.fixture
def environment(database_url: str, tmp_path: Path) -> dict[str, str]:
    """Where the new system is."""
    PathNas(tmp_path / "nas").initialise()
    (tmp_path / "environment").touch()  # as `presswork up` leaves it
    places = {"BLOB_DIR": str(tmp_path / "blobs"), "NAS_URL": str(tmp_path / "nas")}
    return {"DATABASE_URL": database_url, "EMBEDDED": "true"} | places


@pytest.fixture
def run(environment: dict[str, str], tmp_path: Path, old_url: str) -> Import:
    def run(*options: str) -> Result:
        words = ["import-legacy", without_driver(old_url), *options, "--data", str(tmp_path)]
        return CliRunner().invoke(app, words, env=environment, catch_exceptions=False)

    return run
