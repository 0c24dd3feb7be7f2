"""A NAS in a folder, a blob store, and a database of the test's own."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from shared.database import engine_of
from shared.nas import PathNas
from tests.integration.storage.workshop import Workshop


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    made = engine_of(database_url, pool_size=8)
    yield made
    made.dispose()


@pytest.fixture
def workshop(engine: Engine, tmp_path: Path) -> Workshop:
    PathNas(tmp_path / "nas").initialise()
    return Workshop(engine, tmp_path)
