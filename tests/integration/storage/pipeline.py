"""Dedup and storage on the in-process bus, and somebody who hears all that they say."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

from services.dedup.service import build as build_dedup
from services.dedup.settings import Settings as DedupSettings
from services.storage.service import build as build_storage
from services.storage.settings import Settings as StorageSettings
from shared.bus.dead_letter import DeadLetter
from shared.bus.envelope import Envelope
from shared.bus.memory import MemoryBus
from shared.bus.service import Service
from shared.contracts import (
    DesignStored,
    DuplicateFound,
    ImageAccepted,
    ImageFailed,
    ImageHashed,
    ImageRejected,
    ItemEvent,
    StorageFailed,
    WorkDelayed,
)


@dataclass
class Watcher:
    """In ingest's place: hears every progress event, and keeps the newest of each item."""

    events: list[ItemEvent] = field(default_factory=list)
    dead: list[DeadLetter] = field(default_factory=list)

    def service(self) -> Service:
        service = Service("ingest", follows_progress=True, archives=("dedup", "storage"))
        service.on(self.on_dead_letter)
        service.on(self.on_image_hashed)
        service.on(self.on_image_accepted)
        service.on(self.on_duplicate_found)
        service.on(self.on_image_rejected)
        service.on(self.on_image_failed)
        service.on(self.on_design_stored)
        service.on(self.on_storage_failed)
        service.on(self.on_work_delayed)
        return service

    def on_dead_letter(self, letter: DeadLetter) -> None:
        self.dead.append(letter)

    def on_image_hashed(self, event: ImageHashed) -> None:
        self.events.append(event)

    def on_image_accepted(self, event: ImageAccepted) -> None:
        self.events.append(event)

    def on_duplicate_found(self, event: DuplicateFound) -> None:
        self.events.append(event)

    def on_image_rejected(self, event: ImageRejected) -> None:
        self.events.append(event)

    def on_image_failed(self, event: ImageFailed) -> None:
        self.events.append(event)

    def on_design_stored(self, event: DesignStored) -> None:
        self.events.append(event)

    def on_storage_failed(self, event: StorageFailed) -> None:
        self.events.append(event)

    def on_work_delayed(self, event: WorkDelayed) -> None:
        """No event of an item."""

    def stored(self) -> dict[UUID, DesignStored]:
        """What was stored; each item once, however often it was said."""
        found: dict[UUID, DesignStored] = {}
        for event in self.events:
            if isinstance(event, DesignStored):
                assert found.setdefault(event.item_id, event) == event
        return found

    def newest(self) -> dict[UUID, ItemEvent]:
        """The last word on each item, as ingest's projection takes it: by generation, then by stage."""
        ranks: dict[type[ItemEvent], int] = {ImageHashed: 10, ImageAccepted: 20}
        found: dict[UUID, ItemEvent] = {}
        for event in self.events:
            known = found.get(event.item_id)
            if known is None or (known.generation, ranks.get(type(known), 30)) < (
                event.generation, ranks.get(type(event), 30),
            ):  # fmt: skip
                found[event.item_id] = event
        return found


def run(
    database_url: str, root: Path, watcher: Watcher, *rounds: Sequence[Envelope], dedup_prefetch: int | None = None
) -> None:
    """Deliver each round, in its order and concurrently, and wait until nothing is left to do before the next.

    With a prefetch of 1 dedup decides in that order, too.
    """
    blob_dir, nas_url = root / "blobs", str(root / "nas")
    dedup = build_dedup(DedupSettings(database_url=database_url, blob_dir=blob_dir))
    dedup.prefetch = dedup_prefetch or dedup.prefetch
    storage = build_storage(StorageSettings(database_url=database_url, blob_dir=blob_dir, nas_url=nas_url))
    asyncio.run(_run([dedup, storage, watcher.service()], rounds))


async def _run(services: list[Service], rounds: Sequence[Sequence[Envelope]]) -> None:
    bus = MemoryBus()
    for service in services:
        await bus.consume(service)
    for deliveries in rounds:
        for envelope in deliveries:
            await bus.publish(envelope)
        await asyncio.wait_for(bus.idle(), 60)
    await bus.stop(5)
