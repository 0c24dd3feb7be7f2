"""All services in one process: embedded mode, and the original lane inside ingest.

Each `build` makes adapters and does no I/O, so this is also where `presswork flow` and the topology come from. And
ingest, which may know no other service, is told here what it needs of them (`neighbours`).
"""

import importlib
import os
from functools import partial
from typing import TYPE_CHECKING, cast

from shared.blobs import Blobs
from shared.bus.service import Service
from shared.contracts import Stage
from shared.database import engine_of
from shared.settings import DatabaseSettings

CALLERS = 10  # of the account pages at a time, each with two connections to the database

if TYPE_CHECKING:
    from services.ingest.catalog.shop import ShopConnection
    from services.ingest.neighbours import Neighbours
    from services.publisher.etsy.shop import EtsyTarget

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
    from services.ingest.service import build

    return [build(engine_of(DatabaseSettings().database_url)), *workers(hashers=1)]


def neighbours(*, hashers: int) -> "Neighbours":
    """What the other services tell ingest, each with its settings from the environment.

    Raises:
        ValueError: of settings that can't be used, in words.
    """
    from services.dedup.preview import Preview
    from services.dedup.settings import Settings as DedupSettings
    from services.ingest.neighbours import Neighbours
    from services.mockup.backgrounds import template_fault
    from services.storage import scan_progress, stored_files
    from services.storage.settings import Settings as StorageSettings

    dedup, nases = DedupSettings(), StorageSettings().nases()
    blobs = Blobs(dedup.blob_dir)
    return Neighbours(
        nas=nases.as_one(),
        services=workers(hashers=hashers),
        queue_of=nases.queue_of if nases.queues else None,
        scan_of=scan_progress.as_json,
        as_scanned=stored_files.as_scanned,
        shop=_shop_connection(),
        template_fault=partial(template_fault, blobs=blobs),
        preview=Preview(engine_of(dedup.database_url, pool_size=2), dedup.duplicate_distance, blobs),
    )


def _shop_connection() -> "ShopConnection | None":
    """What ingest's pages know of Etsy, when listings go there; None: they go to a folder."""
    from services.etsy_setup.front import EtsyFront
    from services.publisher.service import ledger_of, target_of
    from services.publisher.settings import Settings

    settings = Settings()
    if settings.publisher_target != "etsy":
        return None
    ledger = ledger_of(settings, pool_size=CALLERS)
    return EtsyFront(cast("EtsyTarget", target_of(settings, ledger)), ledger)
