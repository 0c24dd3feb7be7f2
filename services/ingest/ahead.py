"""What overtakes all queues: ingest hands it to the other services' handlers itself, in threads of its own.

That work was cancelled, say: in a queue the news would wait behind that very work, or for workers that wait for a NAS.
"""

import asyncio
import contextlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

from sqlalchemy import Engine

from services.ingest.sessions.outbox import AHEAD, Relay
from services.ingest.sessions.tables import outbox
from shared.bus.breaker import Breaker
from shared.bus.delivery import Consumer, deliver
from shared.bus.envelope import Envelope, seal
from shared.bus.memory import MemoryBus
from shared.bus.service import Service
from shared.bus.settlement import Delivery
from shared.errors import Unavailable

THREADS = 4


class Ahead:
    """Owed until it was handled. Two replicas may both do so: what is done twice changes nothing."""

    def __init__(self, engine: Engine, services: Sequence[Service], bus: MemoryBus) -> None:
        """Answers go to `bus`."""
        self.relay = Relay(engine, AHEAD)
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="ahead")
        # Storage last: it may wait for the NAS, and what it refuses is decided anew by dedup, which must know then.
        in_order = sorted(services, key=lambda service: service.name == "storage")
        self._takers = [Consumer(service, bus, self._threads, Breaker(bus.stopping)) for service in in_order]
        self._tasks: dict[UUID, asyncio.Task[None]] = {}

    async def send(self) -> None:
        """Begin with what is owed and not begun.

        Raises:
            Unavailable: the database is away.
        """
        for envelope in await asyncio.to_thread(self.relay.unsent, outbox.c.id.not_in(self._tasks)):
            if not isinstance(envelope, Envelope):
                raise TypeError(f"{envelope.id}: a redelivery overtakes nothing")
            self._tasks[envelope.id] = asyncio.create_task(self._overtake(envelope))

    async def stop(self) -> None:
        """What is not done is done by the next process."""
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _overtake(self, envelope: Envelope) -> None:
        takers = [taker for taker in self._takers if type(envelope.message) in taker.service.handlers]
        try:
            for taker in takers:
                if not await deliver(taker, Delivery(seal(envelope), {})):
                    return
            with contextlib.suppress(Unavailable):  # then it is done once more
                await asyncio.to_thread(self.relay.confirm, [envelope.id])
        finally:
            del self._tasks[envelope.id]
