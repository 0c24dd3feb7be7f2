"""The original lane: all services one after the other in this process, on queues that die with it.

Whichever replica holds a session's lock publishes its unfinished work again from the item rows.
"""

import asyncio
from collections.abc import Callable, Sequence
from uuid import UUID

import structlog
from sqlalchemy import Engine

from services.ingest.ahead import Ahead
from services.ingest.lane_choice import ORIGINAL
from services.ingest.sessions.outgoing.fairness import Windows
from services.ingest.sessions.outgoing.outbox import Bus, Owed, Relay, put
from services.ingest.sessions.recovery.session_locks import SessionLocks
from services.ingest.sessions.recovery.takeovers import AtWork
from services.ingest.sessions.recovery.unfinished import Unfinished
from services.ingest.sessions.tables import outbox
from shared.bus.memory import MemoryBus
from shared.bus.service import Service
from shared.errors import Retryable, Unavailable

log = structlog.get_logger()

LOOSE = UUID(int=0)
"""In place of a session's id, for what belongs to none: one replica at a time sends it."""

IDLE_WITHIN_S = 0.05
LONE_LISTINGS = 4


class Original:
    """This process's part of the lane. `files` of a tenant may be hashed ahead of storage."""

    def __init__(
        self,
        engine: Engine,
        services: Sequence[Service],
        ingest: Service,
        unfinished: Unfinished,
        files: int,
        rings: Callable[[], None],
    ) -> None:
        self.services = (*services, ingest)
        self.unfinished = unfinished
        self.bus = MemoryBus()
        self.ahead = Ahead(engine, services, ingest, self.bus.stopping, ORIGINAL, rings)
        # As much as keeps the handlers of this process busy.
        hashers = sum(service.prefetch for service in services if service.name == "hasher")
        self._relay = Relay(engine, ORIGINAL, Windows(batches=2 * hashers, listings=LONE_LISTINGS, files=files))
        self._locks = SessionLocks(engine)
        self._at_work = AtWork(engine)
        self._handed: set[UUID] = set()

    async def start(self) -> None:
        """Start the consumers."""
        for service in self.services:
            await self.bus.consume(service)

    async def stop(self, grace_s: float) -> None:
        """Finish what is in work within the grace, and let go of the sessions."""
        await self.ahead.stop()
        await self.bus.stop(grace_s)
        await asyncio.to_thread(self._let_go)

    def _let_go(self) -> None:
        try:
            self._at_work.note(())
        except Retryable as error:  # then it looks as if we had died, which alone does no harm
            log.warning("sessions were let go without a word", cause=str(error))
        self._locks.close()

    @property
    def waits(self) -> bool:
        """Whether anything that is owed to sessions of ours waits for its turn."""
        return self._relay.waits

    async def send(self) -> None:
        """Send what is owed to the sessions that are ours, and what belongs to none."""
        publish = from_thread(self.bus)
        try:
            await asyncio.to_thread(self._send_owned, publish)
        finally:
            if self._locks.held(LOOSE):
                await self._send_loose()

    async def _send_loose(self) -> None:
        """Send what belongs to no session. No item row could tell after a crash that it was lost on its way.

        So it is owed until it was handled, and what it led to as well, which is certain when the bus has nothing left
        to do. Under steady load that may be long in coming: until then it is remembered here, and is sent once more if
        this process starts anew, which its takers recognise.
        """
        relay, failure = self._relay, None
        if self._handed and await self._idle():
            await asyncio.to_thread(relay.confirm, self._handed)
            self._handed.clear()
        new = outbox.c.session_id.is_(None) & outbox.c.id.not_in(self._handed)
        for owed in await asyncio.to_thread(relay.unsent, new):
            try:
                await put(self.bus, owed)
            except Unavailable as error:
                failure = error
            else:
                self._handed.add(owed.id)
        if failure is not None:
            raise failure

    async def _idle(self) -> bool:
        try:
            await asyncio.wait_for(self.bus.idle(), IDLE_WITHIN_S)
        except TimeoutError:
            return False
        return True

    def _send_owned(self, publish: Callable[[Owed], None]) -> None:
        """Take up unfinished sessions that nobody holds, and send what is owed to those that we hold."""
        working = self.unfinished.sessions(ORIGINAL)
        self._locks.keep_only([LOOSE, *working])
        if not self._locks.held(LOOSE):
            self._locks.acquire(LOOSE)
        for session_id in working:
            if not self._locks.held(session_id) and self._locks.acquire(session_id):
                self._take_up(session_id)
        held = [session_id for session_id in working if self._locks.held(session_id)]
        while self._relay.send(publish, outbox.c.session_id.in_(held)):
            pass
        self._at_work.note(held if self._busy() else ())

    def _take_up(self, session_id: UUID) -> None:
        ours = self._at_work.sessions
        try:
            if self.unfinished.begun(session_id):
                self.unfinished.take_up(session_id, by_another=session_id not in ours)
        except Exception:
            self._locks.release(session_id)  # held, it would never be taken up again
            raise
        ours.add(session_id)

    def _busy(self) -> bool:
        """Whether anything goes on in the original lane that does not wait for the end of an outage."""
        waits = {name: consumer.breaker.pause_s > 0 for name, consumer in self.bus.consumers.items()}
        return any(count and not waits[name] for name, count in list(self.bus.unfinished.items()))


def from_thread(bus: Bus) -> Callable[[Owed], None]:
    """A publish for the relay's thread, run on this loop."""
    loop = asyncio.get_running_loop()

    def call(owed: Owed) -> None:
        asyncio.run_coroutine_threadsafe(put(bus, owed), loop).result()

    return call
