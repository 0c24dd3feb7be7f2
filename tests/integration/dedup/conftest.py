"""A hash index in a database of the test's own."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from services.dedup.store import HashIndex
from shared.database import engine_of


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    made = engine_of(database_url)
    yield made
    made.dispose()


@pytest.fixture
def index(engine: Engine) -> HashIndex:
    return HashIndex(engine, max_distance=5)
