"""All services in one process: embedded mode, and the original lane inside ingest.

Each `build` makes adapters and does no I/O, so this is also where `presswork flow` and the topology come from.
"""

import importlib
import os
from typing import TYPE_CHECKING

from shared.blobs import Blobs
from shared.bus.service import Service
from shared.contracts import Stage
from shared.database import engine_of
from shared.settings import DatabaseSettings

CALLERS = 10  # of the account pages at a time, each with two connections to the database

if TYPE_CHECKING:
    from services.ingest.api.resources import Preview
    from services.ingest.catalog.shop import ShopConnection
    from services.ingest.serve import Shelves

WORKERS: tuple[Stage, ...] = ("hasher", "dedup", "storage", "mockup", "publisher")


def worker(name: Stage) -> Service:
    """One service, with its settings from the environment."""
    settings = importlib.import_module(f"services.{name}.settings").Settings()
    built: Service = importlib.import_module(f"services.{name}.service").build(settings)
    return built


def workers(*, hashers: int) -> list[Service]:
    """Every service but ingest. `hashers` pictures are worked on at a time, never more than there are cores."""
    services = [worker(name) for name in WORKERS]
    for service in services:
        if service.name == "hasher":
            service.prefetch = max(1, min(hashers, os.cpu_count() or 1))
    return services


def all_services() -> list[Service]:
    """Ingest too: what must be on the broker, and who talks to whom."""
    build = importlib.import_module("services.ingest.service").build
    return [build(engine_of(DatabaseSettings().database_url)), *workers(hashers=1)]


def shelves() -> "Shelves":
    """Where ingest finds shops' files, in which of storage's queues their work waits, and how their scans stand."""
    nases = importlib.import_module("services.storage.settings").Settings().nases()
    found: Shelves = importlib.import_module("services.ingest.serve").Shelves(
        nases.as_one(),
        nases.queue_of if nases.queues else None,
        importlib.import_module("services.storage.scan_progress").as_json,
    )
    return found


def preview() -> "Preview":
    """What ingest's pages know of duplicates as dedup would find them."""
    settings = importlib.import_module("services.dedup.settings").Settings()
    engine = engine_of(settings.database_url, pool_size=2)
    made: Preview = importlib.import_module("services.dedup.preview").Preview(
        engine, settings.duplicate_distance, Blobs(settings.blob_dir)
    )
    return made


def shop_connection() -> "ShopConnection | None":
    """What ingest's pages know of Etsy, when listings go there; None: they go to a folder."""
    settings = importlib.import_module("services.publisher.settings").Settings()
    if settings.publisher_target != "etsy":
        return None
    publisher = importlib.import_module("services.publisher.service")
    ledger = publisher.ledger_of(settings, pool_size=CALLERS)
    found: ShopConnection = importlib.import_module("services.etsy_setup.front").EtsyFront(
        publisher.target_of(settings, ledger), ledger
    )
    return found
