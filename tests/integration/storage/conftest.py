"""A NAS in a folder, a blob store, and a database of the test's own."""

from pathlib import Path

import pytest
from sqlalchemy import Engine

from shared.nas import PathNas
from tests.integration.storage.workshop import Workshop


@pytest.fixture
def workshop(engine: Engine, tmp_path: Path) -> Workshop:
    PathNas(tmp_path / "nas").initialise()
    return Workshop(engine, tmp_path)
