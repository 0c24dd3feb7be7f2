"""The two ways through the pipeline: over RabbitMQ (comprehensive), or one after the other in this process (original).

The handlers are the same. A session's lane is chosen when its files are submitted and never changes, so no file is
ever worked on twice. The original lane's queues die with their process; whichever replica holds a session's lock
publishes its unfinished work again from the item rows.
"""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from uuid import UUID

import structlog
from sqlalchemy import Engine

from services.ingest.ahead import Ahead
from services.ingest.sessions.at_work import AtWork
from services.ingest.sessions.fairness import Windows
from services.ingest.sessions.locks import SessionLocks
from services.ingest.sessions.outbox import Bus, Owed, Relay, put
from services.ingest.sessions.resume import Unfinished
from services.ingest.sessions.tables import outbox
from shared.bus.memory import MemoryBus
from shared.bus.rabbit import RabbitBus
from shared.bus.run import start
from shared.bus.service import Service
from shared.errors import Retryable, Unavailable

log = structlog.get_logger()

COMPREHENSIVE = "comprehensive"
ORIGINAL = "original"

LOOSE = UUID(int=0)
"""In place of a session's id, for what belongs to none: one replica at a time sends it."""

POLL_S = 0.5
RELAY_GRACE_S = 5.0
IDLE_WITHIN_S = 0.05
LONE_LISTINGS = 4


class Bell:
    """Wakes the relays of this process, from any thread."""

    def __init__(self) -> None:
        self._waiting: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []

    def ring(self) -> None:
        """Something is owed, or something that was sent is done."""
        for loop, rung in self._waiting:
            with contextlib.suppress(RuntimeError):  # its loop has ended, and the relay with it
                loop.call_soon_threadsafe(rung.set)

    def ear(self) -> asyncio.Event:
        """An event that is set at each ring from now on."""
        rung = asyncio.Event()
        self._waiting.append((asyncio.get_running_loop(), rung))
        return rung


@dataclass
class Lanes:
    """Sends what ingest owes, and hears what became of it.

    `rabbit` is None in embedded mode. `original` holds the services of the in-process lane, composed by whoever may
    import all services; without them every session takes the comprehensive lane and waits for the broker.
    """

    engine: Engine
    projection: Service
    unfinished: Unfinished
    min_files: int
    use_comprehensive: bool
    rabbit: RabbitBus | None
    windows: Windows
    original: Sequence[Service] = ()
    bell: Bell = field(default_factory=Bell)

    def __post_init__(self) -> None:
        self._bus = MemoryBus()
        self._locks = SessionLocks(self.engine)
        self._at_work = AtWork(self.engine)
        self._connecting: list[asyncio.Task[None]] = []
        self._relays: list[asyncio.Task[None]] = []
        self._stopping = False
        self._broker_relay = Relay(self.engine, COMPREHENSIVE, self.windows)
        self._own_relay = Relay(self.engine, ORIGINAL, self._own_windows())
        self._handed: set[UUID] = set()
        self._cut_off_at: float | None = None
        self._ahead = Ahead(self.engine, self.original, self.projection, self._bus.stopping, ORIGINAL, self.bell.ring)

    @property
    def broker_connected(self) -> bool:
        return self.rabbit is not None and self.rabbit.connected

    @property
    def cut_off_s(self) -> float:
        """For how long the broker has taken nothing of what it is owed; 0: it takes it."""
        return time.monotonic() - self._cut_off_at if self._cut_off_at else 0.0

    def choose(self, files: int) -> str:
        """The lane for an upload of so many files, now."""
        if not self.original:
            return COMPREHENSIVE
        wanted = self.use_comprehensive and files >= self.min_files
        return COMPREHENSIVE if wanted and self.broker_connected else ORIGINAL

    async def start(self) -> None:
        """Start relays and consumers; returns at once, whether the broker is there or not."""
        if self.original:
            for service in (*self.original, self.projection):
                await self._bus.consume(service)
            self._relays.append(asyncio.create_task(self._relay(self._send_original)))
            self._relays.append(asyncio.create_task(self._relay(self._ahead.send)))
        if self.rabbit is not None:
            self._connecting.append(asyncio.create_task(self._consume(self.rabbit)))
            self._relays.append(asyncio.create_task(self._relay(self._send_comprehensive)))

    async def stop(self, grace_s: float) -> None:
        """Finish what is in work within the grace; the rest is taken up again at the next start."""
        self._stopping = True
        self.bell.ring()
        for task in self._connecting:
            task.cancel()
        if self._relays:
            # Not cancelled at once: a relay's thread goes on whatever becomes of its task, with locks and bus.
            await asyncio.wait(self._relays, timeout=RELAY_GRACE_S)
        for task in self._relays:
            task.cancel()
        await asyncio.gather(*self._connecting, *self._relays, return_exceptions=True)
        await self._ahead.stop()
        await self._bus.stop(grace_s)
        if self.rabbit is not None:
            await self.rabbit.stop(grace_s)
        await asyncio.to_thread(self._let_go)

    async def _consume(self, rabbit: RabbitBus) -> None:
        try:
            await start(rabbit, self.projection)
        except Exception as error:
            # Uploads would be taken and sent, and nobody would hear what became of them.
            log.exception("consuming could not begin")
            rabbit.give_up(f"what became of the files can't be heard: {error!r}")

    def _let_go(self) -> None:
        try:
            self._at_work.note(())
        except Retryable as error:  # then it looks as if we had died, which alone does no harm
            log.warning("sessions were let go without a word", cause=str(error))
        self._locks.close()

    async def _relay(self, send: Callable[[], Awaitable[None]]) -> None:
        """Send for ever: at once when this process owes something, and every half second for what others owe."""
        rung = self.bell.ear()
        while not self._stopping:
            rung.clear()
            try:
                await send()
            except Retryable as error:
                log.warning("relay waits", cause=str(error))
            except Exception:
                log.exception("relay failed; it goes on")
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(rung.wait(), POLL_S)

    async def _send_comprehensive(self) -> None:
        if self.rabbit is None or not self.rabbit.connected:
            self._cut_off_at = self._cut_off_at or time.monotonic()
            return
        publish = _from_thread(self.rabbit)
        try:
            while await asyncio.to_thread(self._broker_relay.send, publish):
                pass
        except Unavailable:
            self._cut_off_at = self._cut_off_at or time.monotonic()
            raise
        self._cut_off_at = None

    async def _send_original(self) -> None:
        publish = _from_thread(self._bus)
        try:
            await asyncio.to_thread(self._send_owned, publish)
        finally:
            if self._locks.held(LOOSE):
                await self._send_loose()

    async def _send_loose(self) -> None:
        """Send what belongs to no session. No item row could tell after a crash that it was lost on its way.

        So it is owed until it was handled, which is certain when the bus has nothing left to do.
        """
        relay, failure = self._own_relay, None
        if self._handed and await self._idle():
            await asyncio.to_thread(relay.confirm, self._handed)
            self._handed.clear()
        new = outbox.c.session_id.is_(None) & outbox.c.id.not_in(self._handed)
        for owed in await asyncio.to_thread(relay.unsent, new):
            try:
                await put(self._bus, owed)
            except Unavailable as error:
                failure = error
            else:
                self._handed.add(owed.id)
        if failure is not None:
            raise failure

    async def _idle(self) -> bool:
        try:
            await asyncio.wait_for(self._bus.idle(), IDLE_WITHIN_S)
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
        while self._own_relay.send(publish, outbox.c.session_id.in_(held)):
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
        waits = {name: consumer.breaker.pause_s > 0 for name, consumer in self._bus.consumers.items()}
        return any(count and not waits[name] for name, count in list(self._bus.unfinished.items()))

    def _own_windows(self) -> Windows:
        """As much as keeps the handlers of this process busy."""
        hashers = sum(service.prefetch for service in self.original if service.name == "hasher")
        return Windows(batches=2 * hashers, listings=LONE_LISTINGS, files=self.windows.files)


def _from_thread(bus: Bus) -> Callable[[Owed], None]:
    """A publish for the relay's thread, run on this loop."""
    loop = asyncio.get_running_loop()

    def call(owed: Owed) -> None:
        asyncio.run_coroutine_threadsafe(put(bus, owed), loop).result()

    return call
