"""Delivers every event a second time, late and in another order."""

import asyncio
import random
import threading
from types import TracebackType

import aio_pika
from aio_pika.abc import AbstractIncomingMessage

from shared.bus.topology import EVENTS, PROGRESS

MARK = "x-chaos-copy"
LATEST_S = 1.5


class Duplicator:
    """Hears both topic exchanges with a queue of its own, and publishes what it hears once more."""

    def __init__(self, url: str, chance: random.Random) -> None:
        self.url = url
        self.copies = 0
        self._known: set[str | None] = set()
        self._chance = random.Random(chance.random())
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._stop = asyncio.Event()
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=(self._run(),), daemon=True)

    def __enter__(self) -> "Duplicator":
        self._thread.start()
        assert self._ready.wait(20)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(20)
        self._loop.close()

    async def _run(self) -> None:
        async with await aio_pika.connect(self.url) as connection:
            channel = await connection.channel()
            queue = await channel.declare_queue(exclusive=True)
            for name in (EVENTS, PROGRESS):
                await queue.bind(name, "#")
            pending: set[asyncio.Task[None]] = set()

            async def heard(message: AbstractIncomingMessage) -> None:
                # an answer that comes again because its cause did is no new event: copying it too would never end
                if MARK not in message.headers and message.message_id not in self._known:
                    self._known.add(message.message_id)
                    pending.add(asyncio.create_task(self._again(channel, message)))

            await queue.consume(heard, no_ack=True)
            self._ready.set()
            await self._stop.wait()
            await asyncio.wait_for(asyncio.gather(*pending), 15)

    async def _again(self, channel: aio_pika.abc.AbstractChannel, message: AbstractIncomingMessage) -> None:
        await asyncio.sleep(self._chance.uniform(0, LATEST_S))
        exchange = await channel.get_exchange(str(message.exchange), ensure=False)
        copy = aio_pika.Message(
            message.body,
            headers={**message.headers, MARK: 1},
            content_type=message.content_type,
            delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
            message_id=message.message_id,
        )
        await exchange.publish(copy, str(message.routing_key), mandatory=False)
        self.copies += 1
