"""Two NASes, one of them a shop's own: while it is away its shop's work waits, and nobody else's."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID, uuid4

import httpx
import pytest
from pydantic import SecretStr
from sqlalchemy import Engine
from structlog.testing import capture_logs

from services.dedup.service import build as build_dedup
from services.dedup.settings import Settings as DedupSettings
from services.local.broker import Broker
from services.ops.broker import declare
from services.ops.queues import topology
from services.storage.service import build
from services.storage.settings import OneNas, Settings
from services.storage.shops import COMMON
from shared.bus.envelope import Envelope
from shared.bus.rabbit import RabbitBus
from shared.bus.topology import waiting_as
from shared.contracts import DesignStored, ImageAccepted, WorkDelayed
from shared.nas import PathNas, open_nas
from tests.integration.flow.pipeline import until
from tests.integration.storage.pipeline import Watcher
from tests.integration.storage.workshop import Upload, Workshop, uv
from tests.nas_servers import Server
from tests.proxy import Proxy

pytestmark = [pytest.mark.nas, pytest.mark.postgres, pytest.mark.rabbit]
SOUTH, NORTH = 12, 6
SECONDS = 240  # on a busy machine
SOUTHS = f"{COMMON}.southcups"


@dataclass
class Hearing(Watcher):
    """Also who is told to wait."""

    waits: list[WorkDelayed] = field(default_factory=list)

    def on_work_delayed(self, event: WorkDelayed) -> None:
        self.waits.append(event)

    def names(self, session_id: UUID) -> list[str]:
        """What was stored of a session, in the order of its numbers' upload."""
        stored = {event.index: event for event in self.events if isinstance(event, DesignStored)
                  and event.session_id == session_id}  # fmt: skip
        return [stored[index].name for index in sorted(stored)]


@dataclass
class World:
    """Storage over a real broker. SouthCups' own NAS is reached through the proxy."""

    rabbit: Broker
    amqp_url: str
    settings: Settings
    proxy: Proxy
    server: Server
    hearing: Hearing = field(default_factory=Hearing)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[RabbitBus]:
        dedup = build_dedup(DedupSettings(database_url=self.settings.database_url, blob_dir=self.settings.blob_dir))
        services = [build(self.settings), dedup, self.hearing.service()]
        await declare(self.amqp_url, topology(services))
        buses = [RabbitBus(self.amqp_url, service.name) for service in services]
        for bus, service in zip(buses, services, strict=True):
            await bus.connect()
            await bus.consume(service)
        try:
            yield buses[0]
        finally:
            await asyncio.gather(*(bus.stop(5) for bus in buses))

    def lengths(self) -> dict[str, int]:
        """Of the queues that are not empty."""
        virtual_host = self.amqp_url.rpartition("/")[2]
        found = httpx.get(
            f"{self.rabbit.management_url}/api/queues/{virtual_host}", trust_env=False, timeout=60
        ).raise_for_status()
        return {queue["name"]: queue["messages"] for queue in found.json() if queue.get("messages")}


@pytest.fixture
def world(rabbit: Broker, amqp_url: str, database_url: str, openssh: Server, tmp_path: Path) -> Iterator[World]:
    server = openssh.below(uuid4().hex)
    open_nas(server.url, access=server.access).initialise()
    PathNas(tmp_path / "nas").initialise()
    with Proxy(server.port).running() as proxy:
        own = OneNas(
            url=server.through(proxy.port).url,
            private_key=SecretStr(server.access.private_key),
            host_key=server.access.host_keys,
        )
        settings = Settings(
            database_url=database_url,
            blob_dir=tmp_path / "blobs",
            nas_url=str(tmp_path / "nas"),
            nas_shops={"SouthCups": own},
        )
        yield World(rabbit, amqp_url, settings, proxy, server)


def test_an_outage_of_a_shops_own_nas_holds_up_that_shop_alone_and_loses_nothing(
    world: World, engine: Engine, tmp_path: Path
) -> None:
    workshop, south, north = Workshop(engine, tmp_path), Upload(shop="SouthCups"), Upload()
    souths = [workshop.accepted(south, index) for index in range(SOUTH)]
    norths = [workshop.accepted(north, index) for index in range(NORTH)]
    hearing = world.hearing

    async def scenario() -> None:
        async with world.running() as bus:
            world.proxy.refuse()
            await publish(bus, souths)
            await publish(bus, norths)
            await until(lambda: len(hearing.names(north.session)) == NORTH, SECONDS)
            await until(lambda: hearing.waits)
            assert hearing.names(south.session) == []
            # all of them in the one queue, none on its way round by a retry queue
            await until(lambda: world.lengths() == {SOUTHS: SOUTH})
            world.proxy.accept()
            await until(lambda: len(hearing.names(south.session)) == SOUTH, SECONDS)
            await until(lambda: hearing.waits[-1].cause == "", SECONDS)

    with capture_logs() as told:
        asyncio.run(scenario())
    assert hearing.names(north.session) == workshop.files() == uv(*range(100, 100 + NORTH))
    assert world.server.folder is not None
    files = world.server.folder / "SouthCups/UVDTF 16oz"
    assert hearing.names(south.session) == sorted(file.name for file in files.iterdir()) == uv(*range(100, 100 + SOUTH))
    assert hearing.waits[0].session_id == waiting_as(SOUTHS)
    told_to = {wait.session_id for wait in hearing.waits}
    assert told_to <= {waiting_as(SOUTHS), south.session}, "one file may wait longer than the others"
    assert {wait.cause.partition(":")[0] for wait in hearing.waits if wait.cause} == {"NasUnavailable"}
    assert hearing.dead == []
    assert not [line for line in told if line["event"] == "failed, tried again later"], "it cost no attempt"


async def publish(bus: RabbitBus, events: list[ImageAccepted]) -> None:
    for event in events:
        await bus.publish(Envelope(uuid4(), event, "dedup", str(event.session_id)))
