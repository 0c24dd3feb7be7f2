"""A replay begins where somebody can take it; where nobody can, it says who is missing."""

import asyncio
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from aio_pika.abc import AbstractChannel

from services.ops import broker
from services.ops.broker import declare
from services.ops.obstacles import obstacles
from services.ops.queues import topology
from shared.bus.rabbit import RabbitBus
from shared.bus.service import Service
from shared.contracts import StoreFile
from tests.proxy import Proxy


@pytest.fixture
def proxied(amqp_url: str) -> Iterator[tuple[Proxy, str]]:
    """The broker behind a line that can fall silent."""
    url = urlsplit(amqp_url)
    with Proxy(url.port or 5672).running() as proxy:
        login = url.netloc.rpartition("@")[0]
        yield proxy, url._replace(netloc=f"{login}@127.0.0.1:{proxy.port}").geturl()


def on_store_file(event: StoreFile) -> None:
    """Somebody has to listen."""


def test_it_says_which_service_is_missing(amqp_url: str) -> None:
    service, other = Service("storage"), Service("mockup")
    service.on(on_store_file)

    async def scenario() -> list[str]:
        await declare(amqp_url, topology([service, other]))
        bus = RabbitBus(amqp_url, "storage")
        await bus.connect()
        await bus.consume(service)
        found = await asyncio.to_thread(obstacles(amqp_url), {"storage", "mockup"})
        await bus.stop(1)
        return found

    assert asyncio.run(scenario()) == ["no mockup is running; what it is to do would wait until one is"]
    assert "presswork.dedup" in obstacles(amqp_url)({"dedup"})[0], "a queue that is missing is named"
    assert obstacles("amqp://guest:guest@127.0.0.1:1/")(set()) == [], "what needs no broker needs none"


def test_a_broker_that_takes_no_messages_is_told_from_one_that_is_away(
    proxied: tuple[Proxy, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in a memory or disk alarm, in which RabbitMQ reads nothing more of a connection that publishes."""
    proxy, url = proxied
    asyncio.run(declare(url, topology([Service("storage")])))
    publish = broker._publish_nowhere

    async def published(channel: AbstractChannel) -> None:
        await publish(channel)
        proxy.swallow()

    monkeypatch.setattr(broker, "_publish_nowhere", published)
    monkeypatch.setattr(broker, "ANSWER_TIMEOUT_S", 0.5)
    try:
        (words,) = obstacles(url)({"storage"})
    finally:
        proxy.release()
    assert "takes no messages: most likely it is short of memory or disk" in words
