"""A thousand messages, published at once by the product's own bus, and counted by their ids afterwards."""

import asyncio
import contextlib
import threading
from collections.abc import Iterator
from uuid import uuid4

import aio_pika

from shared.bus.envelope import Envelope, unseal
from shared.bus.rabbit import RabbitBus
from shared.bus.topology import EVENTS, routing_key
from shared.contracts import Blob, StoreFile
from shared.errors import Unavailable

COUNT = 1000
QUEUE = "chaos.flood"  # nobody consumes it
# RabbitMQ 3.10 writes the term of a quorum queue's election down within 5 s: a broker that is killed before that never
# finds a leader for the queue again, whoever publishes. Our queues are older than that when anything happens to them.
YOUNG_S = 7


class Flood:
    """Publishes each message until it is confirmed, as the outbox does."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.envelopes = [Envelope(uuid4(), _message(), "test") for _ in range(COUNT)]
        self.ids = {str(envelope.id) for envelope in self.envelopes}
        self.confirmed: set[str] = set()
        self.failure: BaseException | None = None

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """Publish beside the block; return when all are confirmed."""
        thread = threading.Thread(target=self._run, daemon=True, name="flood")
        thread.start()
        yield
        thread.join(120)
        if self.failure is not None:
            raise self.failure
        assert self.confirmed == self.ids, f"only {len(self.confirmed)} were ever confirmed"

    def arrived(self) -> set[str]:
        """The ids that are in the queue, which is empty then."""
        return asyncio.run(self._drain())

    def _run(self) -> None:
        try:
            asyncio.run(self._publish())
        except BaseException as error:  # noqa: BLE001 - told in the test's own thread
            self.failure = error

    async def _publish(self) -> None:
        async with await aio_pika.connect(self.url) as connection:
            channel = await connection.channel()
            if not await _exists(connection, QUEUE):
                exchange = await channel.declare_exchange(EVENTS, "topic", durable=True)
                queue = await channel.declare_queue(QUEUE, durable=True, arguments={"x-queue-type": "quorum"})
                await queue.bind(exchange, routing_key(StoreFile))
                await asyncio.sleep(YOUNG_S)
        bus = RabbitBus(self.url, "flood")
        await bus.connect()
        await asyncio.gather(*(self._until_confirmed(bus, envelope) for envelope in self.envelopes))
        await bus.stop(5)

    async def _until_confirmed(self, bus: RabbitBus, envelope: Envelope) -> None:
        while str(envelope.id) not in self.confirmed:
            try:
                await bus.publish(envelope)
            except Unavailable:
                await asyncio.sleep(0.1)
            else:
                self.confirmed.add(str(envelope.id))

    async def _drain(self) -> set[str]:
        found: set[str] = set()
        async with await aio_pika.connect(self.url) as connection:
            channel = await connection.channel()
            queue = await channel.get_queue(QUEUE)
            while message := await queue.get(fail=False, no_ack=True):
                found.add(str(unseal(message.body).id))
        return found


async def _exists(connection: aio_pika.abc.AbstractConnection, queue: str) -> bool:
    """Whether an earlier round has left it, empty."""
    channel = await connection.channel()
    try:
        await channel.declare_queue(queue, passive=True)
    except aio_pika.exceptions.ChannelNotFoundEntity:
        return False
    await channel.close()
    return True


def _message() -> StoreFile:
    return StoreFile(tenant_id=uuid4(), shop="NorthCups", path="a.png", content=Blob(sha256="0" * 64, size=1))
