"""Asks the broker whether it takes messages, and what lies in its queues; acts on what is seen to stand still."""

import asyncio
from collections.abc import Coroutine, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import structlog

from services.ingest.broker_standing import TAKES_NOTHING, BrokerStanding
from services.ingest.sessions.progress.absence import Absence
from services.ingest.sessions.recovery.standstill import Standstill
from services.ingest.watch import Alarms, Depth, Depths, watch

log = structlog.get_logger()

ALARM_EVERY_S = 5.0
"""People read within seconds why nothing moves. Each look is a message that goes nowhere: not far more often."""
LOOK_EVERY_S = 15.0
"""Each look asks for every queue. Of a service that is gone people read after two looks."""


@dataclass(frozen=True)
class BrokerWatch:
    """Without `alarms` or `depths` nobody can ask for them, and nothing is known of them."""

    broker: BrokerStanding
    standstill: Standstill
    absence: Absence
    alarms: Alarms | None
    depths: Depths | None

    async def run(self) -> None:
        """Until cancelled; not at all where there is no broker."""
        if self.broker.rabbit is not None:
            await asyncio.gather(*self._watches())

    def _watches(self) -> Iterator[Coroutine[Any, Any, None]]:
        if self.alarms is not None:
            what = "whether the broker takes messages"
            yield watch(what, self.alarms, self._hear_alarm, self._forget_alarm, ALARM_EVERY_S)
        if self.depths is not None:
            what = "whether an upload stands still, or a service is gone"
            yield watch(what, self.depths, self._hear_depths, self._forget_depths, LOOK_EVERY_S)

    async def _hear_alarm(self, alarm: bool) -> None:
        if alarm is not self.broker.takes_nothing:
            log.warning(TAKES_NOTHING if alarm else "the broker takes messages again")
        self.broker.takes_nothing = alarm

    def _forget_alarm(self) -> None:
        self.broker.takes_nothing = False

    async def _hear_depths(self, queues: Mapping[str, Depth]) -> None:
        if self.broker.trouble:  # queues are empty then because nothing gets into them
            self.standstill.forget()
        await asyncio.to_thread(self.standstill.look, {queue: depth.messages for queue, depth in queues.items()})
        await asyncio.to_thread(self.absence.look, queues)

    def _forget_depths(self) -> None:
        self.standstill.forget()
        self.absence.forget()
