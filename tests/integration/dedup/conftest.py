"""A hash index in a database that a file's tests share: each has tenants of its own."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from services.dedup.store import HashIndex
from shared.database import engine_of
from tests import backends


@pytest.fixture(scope="module")
def shared_url(postgres_url: str, _template: str) -> Iterator[str]:
    with backends.new_database(postgres_url, _template) as url:
        yield url


@pytest.fixture(scope="module")
def engine(shared_url: str) -> Iterator[Engine]:
    made = engine_of(shared_url)
    yield made
    made.dispose()


@pytest.fixture
def index(engine: Engine) -> HashIndex:
    return HashIndex(engine, max_distance=5)
