"""Ends the sessions whose files are settled and for which nobody asks for listings: their users get a grace for that.

While the database is away nobody can ask, and the call that waits for the files can't answer: such time is no grace.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Engine, Row, Select, select

from services.ingest.sessions.lifecycle import timeline
from services.ingest.sessions.tables import sessions
from shared.database import transaction

LOOK_S = 2.0
"""The most that one look adds to a session's wait: if the last look is longer ago, nobody could ask meanwhile."""
AT_ONCE = 100
"""How many sessions one look ends at most, so that the next look is not late."""

SETTLED: Select[Any] = select(sessions.c.id, sessions.c.settled_at).where(
    sessions.c.state == "working", sessions.c.requested == 0, sessions.c.settled_at.is_not(None)
)


@dataclass
class Unasked:
    """The sessions that wait for somebody to ask, as one process sees them. One look at a time, one each second or so.

    A process that has just started gives each of them the whole grace: while none ran, nobody could ask, either.
    """

    engine: Engine
    grace_s: float
    clock: Callable[[], float] = time.monotonic
    _looked_at: float = 0.0
    _waited: dict[Row[Any], float] = field(default_factory=dict)
    """Seconds, by session and the moment its files were settled: one that is taken up again begins another wait."""

    def finish(self) -> int:
        """Look, and end those whose grace is over; returns how many.

        Raises:
            Retryable: the database is away. How long each has waited until now is kept.
        """
        due = self._due(self._settled())[:AT_ONCE]
        for row in due:  # one at a time: never two sessions' locks in one transaction
            with transaction(self.engine) as connection:
                timeline.finish(connection, row.id)
        return len(due)

    def _settled(self) -> Sequence[Row[Any]]:
        with transaction(self.engine) as connection:
            return connection.execute(SETTLED).all()

    def _due(self, settled: Sequence[Row[Any]]) -> list[Row[Any]]:
        now = self.clock()
        passed, self._looked_at = min(now - self._looked_at, LOOK_S), now
        self._waited = {row: self._waited[row] + passed if row in self._waited else 0.0 for row in settled}
        return [row for row, waited in self._waited.items() if waited >= self.grace_s]
