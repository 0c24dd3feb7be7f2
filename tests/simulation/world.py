"""The whole system without broker, processes and images: the services' own handlers, on a database and a folder."""

import contextlib
import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

import pytest
from sqlalchemy import Engine, delete, text

from services.dedup import service as dedup
from services.dedup import tables as dedup_tables
from services.dedup.deciding.cases import Asked
from services.dedup.settings import Settings as DedupSettings
from services.dedup.store import HashIndex
from services.ingest import dead_letter_tables
from services.ingest import service as ingest
from services.ingest.ahead import Ahead
from services.ingest.lane_choice import COMPREHENSIVE
from services.ingest.sessions.outgoing.fairness import Windows
from services.ingest.sessions.outgoing.outbox import Owed, Redelivery, Relay
from services.ingest.sessions.serving.store import Sessions
from services.publisher import store as publisher_store
from services.publisher.handlers import on_mockups_rendered, on_work_cancelled
from services.publisher.store import Ledger
from services.storage import service as storage
from services.storage import tables as storage_tables
from services.storage.settings import Settings as StorageSettings
from services.storage.shops import Nases
from shared.blobs import Blobs
from shared.bus.envelope import Envelope, seal, unseal
from shared.bus.service import Service
from shared.bus.settlement import Delivery
from shared.bus.topology import REDELIVER, Route
from shared.contracts import ImageHashed
from shared.errors import Unavailable
from tests.simulation.pictures import Pictures
from tests.simulation.post import Mail, Post, buried, handle
from tests.simulation.steps import Broken, MemoryShop, SteppingNas, Steps

HASHERS = 2
DISTANCE = 5
WINDOWS = Windows(batches=2, listings=2, files=3)
TENANT = UUID(int=7)
SHOP, TEMPLATE = "NorthCups", "UVDTF 16oz"
OWNERS = (dead_letter_tables, dedup_tables, storage_tables, publisher_store)

AtWork = Callable[[], contextlib.AbstractContextManager[None]]


class _Stop:
    """In place of an event that `Ahead` only waits for in its own loop."""

    def is_set(self) -> bool:
        return False


@dataclass
class World:
    """One life. Everything that it says goes to `told`, so that a short one can be read."""

    engine: Engine
    root: Path
    steps: Steps
    told: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._empty()
        self.steps.open_transactions = 0
        self.blobs = Blobs(self.root / "blobs")
        self.pictures = Pictures(self.blobs)
        self.nas = SteppingNas(self.root / "nas", self.steps)
        self.nas.initialise()
        self.shop = MemoryShop(self.steps)
        self.sessions = Sessions(self.engine, HASHERS)
        self.services = self._services()
        self.post = Post(self.services, self.steps, self.tell)
        self.relay = Relay(self.engine, COMPREHENSIVE, WINDOWS)
        takers = [self._named(name) for name in ("dedup", "publisher", "storage")]
        self.ahead = Ahead(self.engine, takers, self._named("ingest"), _Stop(), COMPREHENSIVE, lambda: None)  # type: ignore[arg-type]

    def tell(self, words: str) -> None:
        self.told.append(words)

    def rows(self, query: str, **values: Any) -> list[dict[str, Any]]:
        """What a query finds."""
        with self.engine.connect() as connection:
            return [dict(row) for row in connection.execute(text(query), values).mappings()]

    def do(self, statement: str) -> int:
        """Change rows; how many."""
        with self.engine.begin() as connection:
            return int(connection.execute(text(statement)).rowcount)

    def pass_on(self, breaks: Callable[[Owed], bool] = lambda _: False) -> int:
        """One look of the relay into the outbox. Where it `breaks`, the message is sent and not marked as sent."""

        def publish(owed: Owed) -> None:
            if isinstance(owed, Redelivery):
                self.post.send(Route(REDELIVER, f"replay.{owed.service}"), owed.sealed)
            else:
                self.post.publish(owed)
            if breaks(owed):
                raise Unavailable("no confirm came")

        try:
            return self.relay.send(publish)
        except Unavailable:
            return 1

    def in_one_go(self, bag: Iterable[Mail]) -> None:
        """Another dedup takes what it finds in this bag into one transaction, and dies before it says a word of it."""
        messages = [unseal(mail.delivery.body).message for mail in bag if mail.service == "dedup"]
        asked = [Asked(message, None) for message in messages if isinstance(message, ImageHashed)]
        if asked:
            self.tell(f"  in one go: {[f'{each.event.filename}.{each.event.generation}' for each in asked]}")
            HashIndex(self.engine, DISTANCE)._decide(asked)

    def overtake(self, at_work: AtWork = contextlib.nullcontext, *, deadly: bool = False) -> int:
        """Hand what overtakes all queues to its takers, as `Ahead` does; how many of them are done."""
        done = 0
        for envelope in self.ahead.relay.unsent():
            assert isinstance(envelope, Envelope)
            takers = [each for each in self.ahead.services if type(envelope.message) in each.handlers]
            if all(self._overtaken(service, envelope, at_work, deadly=deadly) for service in takers):
                self.ahead.relay.confirm([envelope.id])
                done += 1
        return done

    def _overtaken(self, service: Service, envelope: Envelope, at_work: AtWork, *, deadly: bool) -> bool:
        delivery = Delivery(seal(envelope), {})
        try:
            with at_work():
                handle(service, delivery, self.ahead.owe, self.steps)
        except Exception as error:  # noqa: BLE001 - as the bus does
            self.tell(f"  ahead, at {service.name}: {error!r}{', its last' if deadly else ''}")
            if isinstance(error, Broken | Unavailable) or not deadly:
                return False
            _, sealed = buried(service, delivery, error)
            letter = Delivery(sealed.body, sealed.headers, service.name)
            handle(self._named("ingest"), letter, self.ahead.owe, self.steps)
        return True

    def _named(self, name: str) -> Service:
        return next(service for service in self.services if service.name == name)

    def _services(self) -> list[Service]:
        nases = Nases(self.nas, {})

        class Settings(StorageSettings):
            def nases(self) -> Nases:
                return nases

        publisher = Service("publisher")
        ledger = Ledger(self.engine, lock_wait_s=0.01)
        publisher.on(on_mockups_rendered, ledger=ledger, target=self.shop, blobs=self.blobs)
        publisher.on(on_work_cancelled, ledger=ledger)
        with pytest.MonkeyPatch.context() as patch:  # every service on the one engine whose steps are counted
            for module in (dedup, storage):
                patch.setattr(module, "engine_of", lambda *_, **__: self.engine)
            return [
                ingest.build(self.engine),
                dedup.build(DedupSettings(database_url="", blob_dir=self.root / "blobs", _env_file=None)),  # type: ignore[call-arg]
                storage.build(Settings(database_url="", blob_dir=self.root / "blobs", _env_file=None)),  # type: ignore[call-arg]
                self.pictures.hasher(),
                self.pictures.mockup(),
                publisher,
            ]

    def _empty(self) -> None:
        with self.engine.begin() as connection:
            for owned in OWNERS:
                for table in reversed(owned.metadata.sorted_tables):
                    connection.execute(delete(table))
        shutil.rmtree(self.root, ignore_errors=True)
        self.root.mkdir(parents=True)


def named(session_id: UUID, index: int) -> UUID:
    """A file's id, which follows from its place."""
    return uuid5(session_id, f"item:{index}")
