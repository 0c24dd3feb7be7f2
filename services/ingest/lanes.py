"""The two ways through the pipeline: over RabbitMQ (comprehensive), or one after the other in this process (original).

The handlers are the same. Which one an upload takes is chosen when its files are submitted (`lane_choice.py`).
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

import structlog
from sqlalchemy import Engine

from services.ingest.bell import Bell
from services.ingest.broker_standing import NO_ANSWER, BrokerStanding
from services.ingest.lane_choice import COMPREHENSIVE
from services.ingest.original import Original, from_thread
from services.ingest.sessions.outgoing.fairness import Windows
from services.ingest.sessions.outgoing.outbox import Relay
from services.ingest.sessions.recovery.unfinished import Unfinished
from shared.bus.rabbit import RabbitBus
from shared.bus.run import Inspect, start
from shared.bus.service import Service
from shared.errors import Retryable, Unavailable

log = structlog.get_logger()

POLL_S = 0.5
BREATH_S = 0.05
"""Between two looks into the outbox, however often the bell rings: each is several queries."""
RELAY_GRACE_S = 5.0


@dataclass
class Lanes:
    """Sends what ingest owes, and hears what became of it.

    `ingest` is our own service, which hears. `services` are all others, composed by whoever may import them: the
    original lane works with their handlers, and they are told what was cancelled in either lane (`ahead.py`).
    """

    engine: Engine
    ingest: Service
    unfinished: Unfinished
    broker: BrokerStanding
    windows: Windows
    services: Sequence[Service]
    bell: Bell = field(default_factory=Bell)
    inspect: Inspect | None = None

    def __post_init__(self) -> None:
        if not self.services:
            raise ValueError("ingest needs the other services' handlers: nobody else tells them what was cancelled")
        self._connecting: list[asyncio.Task[None]] = []
        self._relays: list[asyncio.Task[None]] = []
        self._stopping = False
        self._broker_relay = Relay(self.engine, COMPREHENSIVE, self.windows)
        self._original = Original(
            self.engine, self.services, self.ingest, self.unfinished, self.windows.files, self.bell.ring
        )

    async def start(self) -> None:
        """Start relays and consumers; returns at once, whether the broker is there or not."""
        await self._original.start()
        self._relays.append(asyncio.create_task(self._relay(self._original.send, lambda: self._original.waits)))
        self._relays.append(asyncio.create_task(self._relay(self._original.ahead.send, lambda: False)))
        if (rabbit := self.broker.rabbit) is not None:
            self._connecting.append(asyncio.create_task(self._consume(rabbit)))
            send, relay = partial(self._send_comprehensive, rabbit), self._broker_relay
            self._relays.append(asyncio.create_task(self._relay(send, lambda: relay.waits)))

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
        await self._original.stop(grace_s)
        if self.broker.rabbit is not None:
            await self.broker.rabbit.stop(grace_s)

    async def _consume(self, rabbit: RabbitBus) -> None:
        try:
            await start(rabbit, self.ingest, self.inspect)
        except Exception as error:
            # Uploads would be taken and sent, and nobody would hear what became of them.
            log.exception("consuming could not begin")
            rabbit.give_up(f"what became of the files can't be heard: {error!r}")

    async def _relay(self, send: Callable[[], Awaitable[None]], waits: Callable[[], bool]) -> None:
        """Send for ever: when the bell rings (see there), and every half second for what other processes owe."""
        rung = self.bell.listen(waits)
        while not self._stopping:
            rung.clear()
            try:
                await send()
            except Retryable as error:
                log.warning("relay waits", cause=str(error))
            except Exception:  # nobody awaits this task: raised, nothing would be sent any more
                log.exception("relay failed; it goes on")
            await asyncio.sleep(BREATH_S)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(rung.wait(), POLL_S)

    async def _send_comprehensive(self, rabbit: RabbitBus) -> None:
        if not rabbit.connected:
            self.broker.note_unsent(NO_ANSWER)
            return
        publish = from_thread(rabbit)
        try:
            while await asyncio.to_thread(self._broker_relay.send, publish):
                pass
        except Unavailable as error:
            self.broker.note_unsent(str(error))
            raise
        self.broker.note_sent()
