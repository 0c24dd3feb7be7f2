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
from shared.bus.delivery import Delivery, deliver
from shared.bus.envelope import Envelope, seal
from shared.bus.memory import MemoryBus
from shared.bus.service import Service
from shared.errors import Unavailable

THREADS = 4


class Ahead:
    """Owed until it was handled. Two replicas may both do so: what is done twice changes nothing."""

    def __init__(self, engine: Engine, services: Sequence[Service], bus: MemoryBus) -> None:
        """Answers go to `bus`."""
        self.relay = Relay(engine, AHEAD)
        self.services = services
        self.bus = bus
        self._tasks: dict[UUID, asyncio.Task[None]] = {}
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="ahead")

    async def send(self) -> None:
        """Begin with what is owed and not begun.

        Raises:
            Unavailable: the database is away.
        """
        for envelope in await asyncio.to_thread(self.relay.unsent, outbox.c.id.not_in(self._tasks)):
            self._tasks[envelope.id] = asyncio.create_task(self._overtake(envelope))

    async def stop(self) -> None:
        """What is not done is done by the next process."""
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _overtake(self, envelope: Envelope) -> None:
        takers = [service for service in self.services if type(envelope.message) in service.handlers]
        try:
            # Storage last: it may wait for the NAS, and what it refuses is decided anew by dedup, which must know then.
            for service in sorted(takers, key=lambda service: service.name == "storage"):
                delivery = Delivery(seal(envelope), {})
                if not await deliver(service, delivery, self.bus, self._threads, self.bus.stopping):
                    return
            with contextlib.suppress(Unavailable):  # then it is done once more
                await asyncio.to_thread(self.relay.confirm, [envelope.id])
        finally:
            del self._tasks[envelope.id]
