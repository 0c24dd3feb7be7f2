"""What becomes of a consumer when its queue is missing, deleted, or declared again before anybody noticed."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from urllib.parse import urlsplit
from uuid import uuid4

import httpx
import pytest

from services.local.broker import Broker
from services.ops.broker import consumers, declare
from services.ops.queues import topology
from shared.bus.envelope import Envelope
from shared.bus.rabbit import RabbitBus
from shared.bus.service import Service
from shared.contracts import Blob, StoreFile
from shared.errors import Unavailable

pytestmark = pytest.mark.rabbit

DEADLINE_S = 30.0
WATCH_S = 0.1
PREFETCH = 2


class Heard:
    """What the handler was given, and a way to wait for it."""

    def __init__(self) -> None:
        self.count = 0
        self._more = threading.Condition()

    def service(self) -> Service:
        def on_store_file(message: StoreFile) -> None:
            with self._more:
                self.count += 1
                self._more.notify_all()

        service = Service("storage", prefetch=PREFETCH)
        service.on(on_store_file)
        return service

    async def reach(self, count: int) -> None:
        def wait() -> bool:
            with self._more:
                return self._more.wait_for(lambda: self.count >= count, timeout=DEADLINE_S)

        assert await asyncio.to_thread(wait), f"only {self.count} of {count} came"


def command() -> Envelope:
    message = StoreFile(tenant_id=uuid4(), shop="NorthCups", path="a.png", content=Blob(sha256="0" * 64, size=1))
    return Envelope(uuid4(), message, "test")


@asynccontextmanager
async def bus_at(url: str) -> AsyncIterator[RabbitBus]:
    bus = RabbitBus(url, "storage", watch_s=WATCH_S)
    await bus.connect()
    yield bus
    await bus.stop(5)


@pytest.fixture
def delete(rabbit: Broker, amqp_url: str) -> Callable[[], None]:
    """Delete the inbox, as an operator does on the management page."""
    vhost = urlsplit(amqp_url).path.strip("/")

    def now() -> None:
        url = f"{rabbit.management_url}/api/queues/{vhost}/presswork.storage"
        httpx.delete(url, trust_env=False).raise_for_status()

    return now


def test_a_queue_that_is_declared_later_is_consumed_then(amqp_url: str) -> None:
    async def scenario() -> None:
        heard = Heard()
        async with bus_at(amqp_url) as bus:
            for _ in range(3):
                with pytest.raises(Unavailable, match="run presswork init"):
                    await bus.consume(heard.service())
            await declare(amqp_url, topology([heard.service()]))
            await bus.consume(heard.service())
            await bus.publish(command())
            await heard.reach(1)
            assert await consumers(amqp_url, ["storage"]) == {"storage": 1}

    asyncio.run(scenario())


@pytest.mark.parametrize("messages", [PREFETCH, PREFETCH + 3], ids=["few", "many"])
def test_a_queue_that_was_deleted_and_declared_again_is_consumed_again(
    amqp_url: str, delete: Callable[[], None], messages: int
) -> None:
    async def scenario() -> None:
        heard = Heard()
        await declare(amqp_url, topology([heard.service()]))
        async with bus_at(amqp_url) as bus:
            await bus.consume(heard.service())
            for round_ in range(1, 4):
                delete()
                # At once: the broker may then forget the consumer without a word, or go on to feed the dead one.
                await declare(amqp_url, topology([heard.service()]))
                for _ in range(messages):
                    await bus.publish(command())
                await heard.reach(messages * round_)

    asyncio.run(scenario())
