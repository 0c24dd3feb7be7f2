"""The two ways through the pipeline: over RabbitMQ (comprehensive), or one after the other in this process (original).

The handlers are the same. A session's lane is chosen when its files are submitted and never changes, so no file is
ever worked on twice.
"""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import Engine

from services.ingest.bell import Bell
from services.ingest.lane_choice import (
    AWAY,
    COMPARED,
    COMPREHENSIVE,
    DEFAULT,
    EMBEDDED,
    FEW,
    ORIGINAL,
    SWITCHED_OFF,
    Lane,
    drawn,
)
from services.ingest.original import Original, from_thread
from services.ingest.sessions.outgoing.fairness import Windows
from services.ingest.sessions.outgoing.outbox import Relay
from services.ingest.sessions.progress.absence import Absence
from services.ingest.sessions.progress.delays import Delays
from services.ingest.sessions.recovery.standstill import Standstill
from services.ingest.sessions.recovery.unfinished import Unfinished
from services.ingest.watch import Alarms, Depth, Depths, watch
from shared.bus.rabbit import RabbitBus
from shared.bus.run import Inspect, start
from shared.bus.service import Service
from shared.errors import Retryable, Unavailable

log = structlog.get_logger()

POLL_S = 0.5
BREATH_S = 0.05
"""Between two looks into the outbox, however often the bell rings: each is several queries."""
RELAY_GRACE_S = 5.0
CONNECTING_S = 5.0
"""A process that is so young has not asked the broker for long enough to say that it is away."""
NO_ANSWER = "the message broker does not answer; work goes on when it is back"
TAKES_NOTHING = "the message broker is short of memory or disk and takes nothing; work goes on when it has some"
ALARM_EVERY_S = 5.0
"""People read within seconds why nothing moves. Each look is a message that goes nowhere: not far more often."""
LOOK_EVERY_S = 15.0
"""Each look asks for every queue. Of a service that is gone people read after two looks."""


@dataclass
class Lanes:
    """Sends what ingest owes, and hears what became of it.

    `rabbit` is None in embedded mode. `original` holds the services of the in-process lane, composed by whoever may
    import all services. The other lane needs them as well: what was cancelled is told to their handlers (`ahead.py`).
    """

    engine: Engine
    projection: Service
    unfinished: Unfinished
    min_files: int
    use_comprehensive: bool
    rabbit: RabbitBus | None
    windows: Windows
    original: Sequence[Service]
    bell: Bell = field(default_factory=Bell)
    inspect: Inspect | None = None
    alarms: Alarms | None = None
    depths: Depths | None = None
    compared: float = 0.0
    """Share of the uploads that would take the comprehensive lane, and take the other one to compare them."""

    def __post_init__(self) -> None:
        if not self.original:
            raise ValueError("ingest needs the other services' handlers: nobody else tells them what was cancelled")
        self._connecting: list[asyncio.Task[None]] = []
        self._relays: list[asyncio.Task[None]] = []
        self._stopping = False
        self._broker_relay = Relay(self.engine, COMPREHENSIVE, self.windows)
        self._cut_off_at: float | None = None
        self._began_at = time.monotonic()
        self._unsent: str | None = None
        self._alarm = False
        self.standstill = Standstill(self.engine, self.unfinished)
        self.absence = Absence(Delays(self.engine))
        self._own = Original(
            self.engine, self.original, self.projection, self.unfinished, self.windows.files, self.bell.ring
        )

    @property
    def broker_connected(self) -> bool:
        return self.rabbit is not None and self.rabbit.connected

    @property
    def trouble(self) -> str | None:
        """Why nothing is passed on over the broker just now, in words.

        An alarm is told first: while it lasts nobody hears what the other services wait for, and a publish of ours
        fails only after half a minute.
        """
        return TAKES_NOTHING if self._alarm else self._unsent

    @property
    def broker_state(self) -> str:
        """How the broker stands, for whoever runs this: none, connecting, away, takes nothing, or ok."""
        if self.rabbit is None:
            return "none"
        if not self.rabbit.connected:
            return "connecting" if self._young else "away"
        if self.trouble == NO_ANSWER or (self.trouble and self._young):  # nothing was sent since it is there
            return "connecting"
        return f"takes nothing: {self.trouble}" if self.trouble else "ok"

    @property
    def _young(self) -> bool:
        return time.monotonic() < self._began_at + CONNECTING_S

    @property
    def cut_off_s(self) -> float:
        """For how long the broker has taken nothing of what it is owed; 0: it takes it."""
        return time.monotonic() - self._cut_off_at if self._cut_off_at else 0.0

    def choose(self, files: int, user_id: UUID, key: str) -> Lane:
        """The lane for an upload of so many files, now. `key` is its client's id of it, equal when it is sent again."""
        if self.rabbit is None:
            return Lane(ORIGINAL, EMBEDDED)
        if not self.use_comprehensive:
            return Lane(ORIGINAL, SWITCHED_OFF)
        if files < self.min_files:
            return Lane(ORIGINAL, FEW)
        if not self.broker_connected:
            return Lane(ORIGINAL, AWAY)
        compared = drawn(user_id, key) < self.compared
        return Lane(ORIGINAL, COMPARED) if compared else Lane(COMPREHENSIVE, DEFAULT)

    async def start(self) -> None:
        """Start relays and consumers; returns at once, whether the broker is there or not."""
        await self._own.start()
        self._relays.append(asyncio.create_task(self._relay(self._own.send, lambda: self._own.waits)))
        self._relays.append(asyncio.create_task(self._relay(self._own.ahead.send, lambda: False)))
        if self.rabbit is not None:
            self._connecting.append(asyncio.create_task(self._consume(self.rabbit)))
            self._connecting += [asyncio.create_task(watching) for watching in self._watches()]
            broker = self._broker_relay
            self._relays.append(asyncio.create_task(self._relay(self._send_comprehensive, lambda: broker.waits)))

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
        await self._own.stop(grace_s)
        if self.rabbit is not None:
            await self.rabbit.stop(grace_s)

    def _watches(self) -> Iterator[Coroutine[Any, Any, None]]:
        if self.alarms is not None:
            what = "whether the broker takes messages"
            yield watch(what, self.alarms, self._heard_of_alarm, self._no_alarm, ALARM_EVERY_S)
        if self.depths is not None:
            what = "whether an upload stands still, or a service is gone"
            yield watch(what, self.depths, self._heard_of_depths, self._no_depths, LOOK_EVERY_S)

    async def _consume(self, rabbit: RabbitBus) -> None:
        try:
            await start(rabbit, self.projection, self.inspect)
        except Exception as error:
            # Uploads would be taken and sent, and nobody would hear what became of them.
            log.exception("consuming could not begin")
            rabbit.give_up(f"what became of the files can't be heard: {error!r}")

    async def _heard_of_alarm(self, alarm: bool) -> None:
        if alarm is not self._alarm:
            log.warning(TAKES_NOTHING if alarm else "the broker takes messages again")
        self._alarm = alarm

    def _no_alarm(self) -> None:
        self._alarm = False

    async def _heard_of_depths(self, queues: Mapping[str, Depth]) -> None:
        if self.trouble:  # queues are empty then because nothing gets into them
            self.standstill.forget()
        await asyncio.to_thread(self.standstill.look, {queue: depth.messages for queue, depth in queues.items()})
        await asyncio.to_thread(self.absence.look, queues)

    def _no_depths(self) -> None:
        self.standstill.forget()
        self.absence.forget()

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

    async def _send_comprehensive(self) -> None:
        if self.rabbit is None or not self.rabbit.connected:
            self._cut_off_at = self._cut_off_at or time.monotonic()
            self._unsent = NO_ANSWER
            return
        publish = from_thread(self.rabbit)
        try:
            while await asyncio.to_thread(self._broker_relay.send, publish):
                pass
        except Unavailable as error:
            self._cut_off_at, self._unsent = self._cut_off_at or time.monotonic(), str(error)
            raise
        self._cut_off_at = self._unsent = None
