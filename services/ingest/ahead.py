"""What overtakes all queues: ingest hands it to the other services' handlers itself, in threads of its own.

That work was cancelled, say: in a queue the news would wait behind that very work, or for workers that wait for a NAS.
Nothing of it is only in memory when its row is confirmed: answers go into the outbox, a dead letter into the archive,
and what is to be tried again is tried here.
"""

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy import Engine, select

from services.ingest.sessions.outgoing.outbox import AHEAD, Relay, owe
from services.ingest.sessions.tables import outbox, sessions
from shared.bus.breaker import Breaker, stopped_within
from shared.bus.delivery import Consumer, Transport, Unroutable, deliver
from shared.bus.envelope import Envelope, seal
from shared.bus.service import Service
from shared.bus.settlement import Delivery, Sealed
from shared.bus.topology import DEAD, RETRY, Route
from shared.contracts import WorkDelayed
from shared.database import transaction
from shared.errors import Unavailable

THREADS = 4
"""Handlers of news at a time. One may stand before a NAS that is silent: with one thread, that would keep other
uploads' news from dedup. News is rare, so more threads would have nothing to do."""


@dataclass
class Ahead:
    """Hands what is owed to the lane AHEAD to the handlers of `services`. It stays owed until they have handled it.

    Two replicas may both hand it over: what is done twice changes nothing. `archiver` is the service that keeps dead
    letters. What handlers answer is owed to the lane of its session, or the `loose` one; then `rings` is called.
    """

    engine: Engine
    services: Sequence[Service]
    archiver: Service
    stopping: asyncio.Event
    loose: str
    rings: Callable[[], None]
    waiting: int = field(default=0, init=False)
    """Of what is in hand, how much waits to be tried again."""
    _tasks: dict[UUID, asyncio.Task[None]] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        self.relay = Relay(self.engine, AHEAD)
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="ahead")
        # Storage last: it may wait for the NAS, and what it refuses is decided anew by dedup, which must know then.
        self._in_order = sorted(self.services, key=lambda service: service.name == "storage")
        branches = (branch for service in self.services for branch in service.branches)
        every = (*self.services, *branches, self.archiver)
        self._breakers = {(service.name, service.queue): Breaker(self.stopping) for service in every}

    async def send(self) -> None:
        """Begin to hand over what is owed and not in hand yet.

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
        takers = [service for service in self._in_order if type(envelope.message) in service.handlers]
        try:
            for service in takers:
                if not await self._handled(service, Delivery(seal(envelope), {})):
                    return
            with contextlib.suppress(Unavailable):  # then it is done once more
                await asyncio.to_thread(self.relay.confirm, [envelope.id])
        finally:
            del self._tasks[envelope.id]

    async def _handled(self, service: Service, delivery: Delivery | None) -> bool:
        """Have a service handle it, as often as it takes; False when the process stops first."""
        while delivery is not None:
            copies = _Copies(self, service)
            if not await self.handle(service, delivery, copies):
                return False
            delivery, service = copies.again, copies.service
            if delivery is not None and await self._stopped_within(copies.delay_s):
                return False
        return True

    async def _stopped_within(self, seconds: float) -> bool:
        self.waiting += 1
        try:
            return await stopped_within(self.stopping, seconds)
        finally:
            self.waiting -= 1

    async def handle(self, service: Service, delivery: Delivery, copies: "_Copies") -> bool:
        """Deliver it once, as a bus does; False when the process stops before it is settled."""
        breaker = self._breakers[service.name, service.queue]
        return await deliver(Consumer(service, copies, self._threads, breaker), delivery)

    def owe(self, answer: Envelope) -> None:
        """Owe what a handler answered. Its session may have ended: a duplicate that is decided anew had its end."""
        lane = select(sessions.c.lane).where(sessions.c.id == getattr(answer.message, "session_id", None))
        with transaction(self.engine) as connection:
            known = connection.execute(lane).scalar_one_or_none()
            owe(connection, known or self.loose, answer.message, message_id=answer.id, outlives=True)
        self.rings()


@dataclass
class _Copies(Transport):
    """The transport of one delivery: owes its answers, archives its dead letter, and keeps a copy to be handled later.

    That copy is `again`; `service` is to handle it, after `delay_s`.
    """

    ahead: Ahead
    service: Service
    again: Delivery | None = None
    delay_s: float = 0.0

    async def publish(self, envelope: Envelope) -> None:
        if not isinstance(envelope.message, WorkDelayed):  # news of now, and nobody waits for a cancellation
            await asyncio.to_thread(self.ahead.owe, envelope)

    async def send(self, route: Route, sealed: Sealed) -> None:
        if route.exchange == RETRY:
            self.again = Delivery(sealed.body, sealed.headers)
            self.delay_s = int(route.key.partition("ms")[0]) / 1000
        elif route.exchange == DEAD:
            letter = Delivery(sealed.body, sealed.headers, dead_service=self.service.name)
            if not await self.ahead.handle(self.ahead.archiver, letter, self):
                raise Unavailable("the process stops before the dead letter is kept")
        elif not route.exchange:
            self.service = next(branch for branch in self.service.branches if branch.queue == route.key)
            self.again, self.delay_s = Delivery(sealed.body, sealed.headers), 0.0
        else:
            raise Unroutable(f"{route.key} on {route.exchange}: answers are published whole")
