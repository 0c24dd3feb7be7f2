"""Storage, the real hasher and dedup on the in-process bus, with counts of what each did."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Engine, select

from services.dedup.service import build as build_dedup
from services.dedup.settings import Settings as DedupSettings
from services.dedup.tables import hashes
from services.hasher.service import build as build_hasher
from services.hasher.settings import Settings as HasherSettings
from services.storage.service import build as build_storage
from services.storage.settings import Settings as StorageSettings
from services.storage.tables import scanned
from shared.blobs import Blobs
from shared.bus.envelope import Envelope
from shared.bus.memory import MemoryBus
from shared.bus.service import Handler, Service
from shared.contracts import (
    BatchSubmitted,
    Destination,
    DuplicateFound,
    ItemEvent,
    Message,
    PrintSpec,
    ShopScanRequested,
    UploadedFile,
)
from shared.nas import Access
from tests.integration.storage.pipeline import Watcher

SPEC = PrintSpec(width_inches=1.5, height_inches=1, canvas_width_inches=1.5, canvas_height_inches=1)
SHOP = "NorthCups"


@dataclass
class Works:
    """One machine of each service; `calls` has, by handler, what it was handed."""

    database_url: str
    engine: Engine
    root: Path
    nas_url: str = ""
    window: int = 2
    tenant: UUID = field(default_factory=uuid4)
    shop: str = SHOP
    calls: list[tuple[str, Message]] = field(default_factory=list)
    watcher: Watcher = field(default_factory=Watcher)
    access: Access | None = None
    most_copies: int = 0

    def __post_init__(self) -> None:
        self.blobs = Blobs(self.root / "blobs")

    def scan(self, *, anew: bool = False, scan_id: UUID | None = None) -> ShopScanRequested:
        return ShopScanRequested(tenant_id=self.tenant, shop=self.shop, scan_id=scan_id or uuid4(), anew=anew)

    def upload(self, *contents: bytes) -> BatchSubmitted:
        files = tuple(
            UploadedFile(item_id=uuid4(), index=index, filename=f"{index}.png", upload=self.blobs.put(content))
            for index, content in enumerate(contents)
        )
        place = Destination(shop=self.shop, template="UVDTF 16oz")
        facts = {"tenant_id": self.tenant, "session_id": uuid4(), "batch": 0, "files": files}
        return BatchSubmitted.model_validate(facts | {"print_spec": SPEC, "destination": place})

    def run(self, *messages: Message, within_s: float = 120) -> list[ItemEvent]:
        """Hand these over and wait until all is done; what was told of uploads meanwhile, dead letters failing it."""
        before = len(self.watcher.events)
        asyncio.run(self._run(messages, within_s))
        assert not self.watcher.dead, self.watcher.dead
        return self.watcher.events[before:]

    def duplicate(self, content: bytes) -> DuplicateFound:
        """What dedup says of an upload that is one."""
        (found,) = [event for event in self.run(self.upload(content)) if isinstance(event, DuplicateFound)]
        return found

    def count(self, handler: str) -> int:
        """How often a handler was called since it was counted last."""
        found = sum(name == handler for name, _ in self.calls)
        self.calls = [call for call in self.calls if call[0] != handler]
        return found

    def states(self) -> dict[str, str]:
        """How far each file has come, by its path below the shop's folder."""
        with self.engine.connect() as connection:
            rows = connection.execute(select(scanned.c.path, scanned.c.state).where(scanned.c.tenant_id == self.tenant))
            return {row.path.removeprefix(f"{self.shop}/"): row.state for row in rows}

    def learnt(self) -> set[str]:
        """The paths of what dedup knows from the NAS."""
        mine = select(hashes.c.path).where(hashes.c.tenant_id == self.tenant, hashes.c.source == "nas")
        with self.engine.connect() as connection:
            return {path.removeprefix(f"{self.shop}/") for path in connection.execute(mine).scalars()}

    def copies(self) -> list[Path]:
        """What lies in the blob store for the hashers."""
        return [path for path in (self.root / "blobs" / "scanned").rglob("*") if path.is_file()]

    def services(self) -> list[Service]:
        blob_dir, nas_url = self.root / "blobs", self.nas_url or str(self.root / "nas")
        storage = StorageSettings(
            database_url=self.database_url,
            blob_dir=blob_dir,
            nas_url=nas_url,
            nas_scan_files_at_once=self.window,
            **self._login(),
        )
        built = [
            build_hasher(HasherSettings(blob_dir=blob_dir)),
            build_dedup(DedupSettings(database_url=self.database_url, blob_dir=blob_dir)),
            build_storage(storage),
        ]
        for service in built:
            self._count_calls(service)
        return [*built, self.watcher.service()]

    def _login(self) -> dict[str, Any]:
        if self.access is None:
            return {}
        return {"nas_private_key": self.access.private_key, "nas_host_key": self.access.host_keys}

    def _count_calls(self, service: Service) -> None:
        for handler in list(service.handlers.values()):
            service.handlers[handler.listens_to] = replace(handler, call=self._counted(handler))

    def _counted(self, handler: Handler) -> Callable[[Any], Iterable[Message] | None]:
        def call(message: Any) -> Iterable[Message] | None:
            self.calls.append((handler.name, message))
            self.most_copies = max(self.most_copies, len(self.copies()))
            return handler.call(message)

        return call

    async def _run(self, messages: Sequence[Message], within_s: float) -> None:
        bus = MemoryBus()
        for service in self.services():
            await bus.consume(service)
        for message in messages:
            await bus.publish(Envelope(uuid4(), message, "ingest"))
        try:
            await asyncio.wait_for(bus.idle(), within_s)
        finally:
            await bus.stop(5)
