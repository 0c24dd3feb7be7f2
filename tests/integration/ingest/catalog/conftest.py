"""The application, and two shops that must not meet."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, delete
from structlog.testing import capture_logs

from services.ingest.api.resources import build
from services.ingest.neighbours import Neighbours
from services.ingest.sessions.outgoing.outbox import owe
from services.ingest.settings import Settings
from services.ingest.tables import metadata
from shared.blobs import Blobs
from shared.database import engine_of
from shared.nas import open_nas
from tests import backends
from tests.integration.ingest.catalog.world import QUICK, SECRET, Caller, World, registered


@pytest.fixture
def settings() -> Settings:
    """As in production but for a secret of our own."""
    return Settings(jwt_secret_key=SECRET, frontend_url="https://app.example.com/")


@pytest.fixture(scope="package")
def engine(postgres_url: str, _template: str) -> Iterator[Engine]:
    """A migrated database for all of these tests: emptying it is much quicker than making it."""
    with backends.new_database(postgres_url, _template) as url:
        engine = engine_of(url)
        yield engine
        engine.dispose()


@pytest.fixture
def world(settings: Settings, engine: Engine, tmp_path: Path) -> Iterator[World]:
    """The application, without a user."""
    with engine.begin() as connection:
        for table in reversed(metadata.sorted_tables):
            connection.execute(delete(table))
    root = tmp_path / "nas"
    root.mkdir()
    nas = open_nas(str(root))
    nas.initialise()
    blobs = Blobs(tmp_path / "blobs")
    resources = build(
        settings,
        engine,
        blobs,
        lambda connection, message: owe(connection, "comprehensive", message),
        Neighbours(nas),
        broker_state=lambda: "ok",
        passwords=QUICK,
    )
    with asyncio.Runner() as loop, capture_logs() as logs:
        yield World(resources, engine, blobs, root, loop, logs)


@pytest.fixture
def ana(world: World) -> Caller:
    """A shop."""
    return registered(world.client(), "ana@example.com", "NorthCups")


@pytest.fixture
def ben(world: World) -> Caller:
    """Another shop, which must not see the first one's things."""
    return registered(world.client(), "ben@example.com", "SouthCups")
