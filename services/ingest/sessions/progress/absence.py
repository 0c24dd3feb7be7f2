"""Services of which nobody is there, though work lies in their queues: who is not there can't tell that it waits.

A process that hangs as a whole (stopped, swapped out) is not there either, once the broker misses its heartbeats.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import get_args

from services.ingest.sessions.error_words import OF_ABSENT
from services.ingest.sessions.progress.delays import Delays
from services.ingest.watch import Depth
from shared.bus.topology import inbox, waiting_as
from shared.contracts import Stage, WorkDelayed


@dataclass
class Absence:
    """What one process has seen, one look at a time."""

    delays: Delays
    _alone: set[str] = field(default_factory=set)
    """Queues whose messages nobody took at the last look."""
    _told: set[str] = field(default_factory=set)

    def forget(self) -> None:
        """Begin anew: the broker can't be asked. What was told holds for a short while, and is not told again."""
        self._alone.clear()
        self._told.clear()

    def look(self, queues: Mapping[str, Depth]) -> None:
        """Tell of each queue that was seen so twice. While services are started anew, it is seen so once.

        Raises:
            Unavailable: the database is away.
        """
        workers = {queue: service for queue in queues if (service := _worker(queue))}
        alone = {queue for queue in workers if queues[queue].messages and not queues[queue].consumers}
        over, told = self._told - alone, alone & self._alone
        self._alone, self._told = alone, told
        for queue in over:
            self._note(workers[queue], queue, "")
        for queue in told:
            service, messages = workers[queue], queues[queue].messages
            waits = f"{messages} messages wait" if messages > 1 else "a message waits"
            cause = f"no {service} is running, or none that the broker can reach, and {waits} in {queue}; start it"
            self._note(service, queue, f"{OF_ABSENT}{cause}, or look into its log")

    def _note(self, service: Stage, queue: str, cause: str) -> None:
        """For all whose work passes through this queue: those of the in-process lane do not wait."""
        self.delays.note(WorkDelayed(service=service, session_id=waiting_as(queue), cause=cause))


def _worker(queue: str) -> Stage | None:
    """The service that takes from this inbox, or from this branch's queue. Not ingest: that is who asks."""
    stages: tuple[Stage, ...] = get_args(Stage)
    named = (stage for stage in stages if queue == inbox(stage) or queue.startswith(f"{inbox(stage)}."))
    return next((stage for stage in named if stage != "ingest"), None)
