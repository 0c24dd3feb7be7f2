"""A NAS that is away for a while: nothing is lost, nothing fails, and then everything goes on in order."""

import asyncio
from collections.abc import MutableMapping, Sequence
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from pydantic import SecretStr
from sqlalchemy import Engine
from structlog.testing import capture_logs

from services.dedup.service import build as build_dedup
from services.dedup.settings import Settings as DedupSettings
from services.storage.service import build
from services.storage.settings import Settings
from shared.bus.envelope import Envelope
from shared.bus.memory import MemoryBus
from shared.bus.service import Service
from shared.contracts import ImageAccepted
from shared.nas import open_nas
from tests.integration.storage.pipeline import Watcher
from tests.integration.storage.workshop import FOLDER, Upload, Workshop, uv
from tests.nas_servers import Server
from tests.proxy import Proxy
from tests.waiting import until

pytestmark = [pytest.mark.nas, pytest.mark.postgres]
FILES = 12
WAITING = "outage: messages wait"


def test_an_outage_is_waited_out_and_then_everything_is_stored_in_order(
    openssh: Server, engine: Engine, database_url: str, tmp_path: Path
) -> None:
    server = openssh.below(uuid4().hex)
    open_nas(server.url, access=server.access).initialise()
    watcher, upload = Watcher(), Upload()
    workshop = Workshop(engine, tmp_path)
    events = [workshop.accepted(upload, index) for index in range(FILES)]
    with Proxy(server.port).running() as proxy:
        settings = Settings(
            database_url=database_url,
            blob_dir=tmp_path / "blobs",
            nas_url=server.through(proxy.port).url,
            nas_private_key=SecretStr(server.access.private_key),
            nas_host_key=server.access.host_keys,
        )
        with capture_logs() as told:
            asyncio.run(
                _through_an_outage(
                    [
                        build_dedup(DedupSettings(database_url=database_url, blob_dir=settings.blob_dir)),
                        build(settings),
                        watcher.service(),
                    ],
                    events,
                    proxy,
                    told,
                )
            )
    assert watcher.dead == []
    stored = sorted(watcher.stored().values(), key=lambda event: event.index)
    assert [event.name for event in stored] == uv(*range(100, 100 + FILES))
    assert server.folder is not None
    assert sorted(path.name for path in (server.folder / FOLDER).iterdir()) == uv(*range(100, 100 + FILES))


async def _through_an_outage(
    services: list[Service], events: Sequence[ImageAccepted], proxy: Proxy, told: list[MutableMapping[str, Any]]
) -> None:
    """The NAS goes when the first file is on its way, and comes back when all have heard of it."""
    bus = MemoryBus()
    for service in services:
        await bus.consume(service)
    proxy.refuse()
    for event in events:
        await bus.publish(Envelope(uuid4(), event, "dedup", str(event.session_id)))
    async with asyncio.timeout(60):
        await asyncio.to_thread(until, lambda: [line for line in told if line["event"] == WAITING] or None)
        proxy.accept()
        await bus.idle()
    await bus.stop(5)
