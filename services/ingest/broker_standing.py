"""How the broker stands, as this process knows it: from what it can't send there, and from what the broker says."""

import time

from sqlalchemy import Connection, func, select

from services.ingest.lane_choice import COMPREHENSIVE
from services.ingest.sessions.tables import FILES_IN_PROGRESS, LISTINGS_IN_PROGRESS, sessions
from services.plurals import counted
from shared.bus.rabbit import RabbitBus

CONNECTING_S = 5.0
"""A process that is so young has not asked the broker for long enough to say that it is away."""
NO_ANSWER = "the message broker does not answer; work goes on when it is back"
TAKES_NOTHING = "the message broker is short of memory or disk and takes nothing; work goes on when it has some"
NONE = "none"
"""The state of an embedded system."""
NO_BROKER = "this server runs without the message broker that has this work; it goes on when it is started with one"


def begun_over_a_broker(connection: Connection) -> str | None:
    """What an embedded system can't go on with, in words: what was begun over a broker that its data had before."""
    of = sessions.c
    unfinished = (of.lane == COMPREHENSIVE, of.state == "working", FILES_IN_PROGRESS + LISTINGS_IN_PROGRESS > 0)
    count = connection.execute(select(func.count()).select_from(sessions).where(*unfinished)).scalar_one()
    return f"{counted(count, 'upload')} began over one: start without --embedded" if count else None


class BrokerStanding:
    """What the sender (`lanes.py`) and the watch (`broker_watch.py`) note, for users and whoever runs this to read."""

    def __init__(self, rabbit: RabbitBus | None) -> None:
        self.rabbit = rabbit
        """None in embedded mode."""
        self.takes_nothing = False
        """As the broker itself says; False where it can't be asked."""
        self._unsent: str | None = None
        self._cut_off_at: float | None = None
        self._began_at = time.monotonic()

    @property
    def connected(self) -> bool:
        return self.rabbit is not None and self.rabbit.connected

    @property
    def trouble(self) -> str | None:
        """Why nothing is passed on over the broker just now, in words.

        An alarm is told first: while it lasts nobody hears what the other services wait for, and a publish of ours
        fails only after half a minute. Embedded, only what was begun over a broker asks.
        """
        if self.rabbit is None:
            return NO_BROKER
        return TAKES_NOTHING if self.takes_nothing else self._unsent

    @property
    def state(self) -> str:
        """For whoever runs this: none, connecting, away, takes nothing, or ok."""
        if self.rabbit is None:
            return NONE
        if not self.rabbit.connected:
            return "connecting" if self._young else "away"
        if self.trouble == NO_ANSWER or (self.trouble and self._young):  # nothing was sent since it is there
            return "connecting"
        return f"takes nothing: {self.trouble}" if self.trouble else "ok"

    @property
    def cut_off_s(self) -> float:
        """For how long the broker has taken nothing of what it is owed; 0: it takes it."""
        return time.monotonic() - self._cut_off_at if self._cut_off_at else 0.0

    def note_sent(self) -> None:
        """It has all that it was owed."""
        self._cut_off_at = self._unsent = None

    def note_unsent(self, why: str) -> None:
        """It has not, for this reason in words."""
        self._cut_off_at = self._cut_off_at or time.monotonic()
        self._unsent = why

    @property
    def _young(self) -> bool:
        return time.monotonic() < self._began_at + CONNECTING_S
