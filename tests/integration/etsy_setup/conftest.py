"""The stand-in for Etsy, ingest's application in front of it, and the commands beside it."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.etsy_setup.front import EtsyFront
from services.ingest.api.resources import build
from services.ingest.neighbours import Neighbours
from services.ingest.settings import Settings
from services.publisher.store import Ledger
from shared.nas import open_nas
from tests.integration.ingest.catalog.world import QUICK, SECRET, Browser, Caller, registered
from tests.integration.ingest.catalog.world import World as Application
from tests.integration.publisher.etsy.conftest import World, engine, stand_in, world
from tests.unit.publisher.events import TENANT

__all__ = ["engine", "stand_in", "world"]


@pytest.fixture
def browser(world: World, tmp_path: Path) -> Iterator[Browser]:
    """Of the application, with listings going to the stand-in; nobody is connected."""
    world.target.connections.forget(TENANT)
    known = Neighbours(open_nas(str(tmp_path)), shop=EtsyFront(world.target, Ledger(world.engine)))
    settings = Settings(jwt_secret_key=SECRET, publisher_target="etsy")
    resources = build(settings, world.engine, world.blobs, lambda *_: None, known, passwords=QUICK)
    with asyncio.Runner() as loop:
        yield Application(resources, world.engine, world.blobs, tmp_path, loop, []).client()


@pytest.fixture
def ana(browser: Browser) -> Caller:
    """A seller."""
    return registered(browser, "ana@example.com", "NorthCups")
