"""Sessions of which nothing is on its way any more, as after somebody purged a queue: sent again, and told of.

A queue gives out first what came first. So once each queue of the pipeline was seen empty, and once more for what goes
from one to the next, whatever was in them before is in some service's hands. There it ends within minutes and moves its
session, or its service tells what it waits for. A session of which neither is seen has lost its messages. Were it only
slow, their takers would recognise what comes again: that costs time, and nothing else.
"""

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from uuid import UUID

import structlog
from sqlalchemy import Engine, Row, and_, exists, func, or_, select

from services.ingest.lane_choice import COMPREHENSIVE
from services.ingest.sessions.progress.delays import Delays
from services.ingest.sessions.recovery.unfinished import Unfinished
from services.ingest.sessions.tables import FILES_IN_PROGRESS, LISTINGS_IN_PROGRESS, delays, outbox, sessions
from services.ingest.tables import CLOCK
from services.plurals import counted
from shared.contracts import WorkDelayed
from shared.database import transaction

log = structlog.get_logger()

PATIENCE_S = 600.0
"""Longer than anything is in hand: a print on its way to a slow NAS, a listing with all its pictures."""
ROUNDS = 2
MOST_DOUBLINGS = 5

_OURS = and_(delays.c.service == "ingest", delays.c.session_id == sessions.c.id, delays.c.again_at.is_(None))
_HOLDS = delays.c.until > CLOCK
_DELAYED = exists().where(_HOLDS, delays.c.session_id == sessions.c.id, ~_OURS)
_any_session = sessions.alias()
# What is told of all of a service, or of one of several NASes, may hold up any session. Asked once for all of them: for
# each, every session there ever was would be read.
_ALL_DELAYED = exists().where(_HOLDS, ~exists().where(_any_session.c.id == delays.c.session_id))
_LAST_SENT = select(func.max(outbox.c.sent_at)).where(outbox.c.session_id == sessions.c.id).scalar_subquery()
WORKING = select(
    sessions.c.id,
    sessions.c.user_id,
    sessions.c.last_seq,
    FILES_IN_PROGRESS.label("files"),
    LISTINGS_IN_PROGRESS.label("listings"),
    _LAST_SENT.label("last_sent"),
    exists().where(outbox.c.session_id == sessions.c.id, outbox.c.sent_at.is_(None)).label("owed"),
    or_(_ALL_DELAYED, _DELAYED).label("delayed"),
).where(sessions.c.lane == COMPREHENSIVE, sessions.c.state == "working", FILES_IN_PROGRESS + LISTINGS_IN_PROGRESS > 0)


class Quiet(NamedTuple):
    """Since when nothing of a session was seen to move, or since when it must be in hand."""

    seen: tuple[Any, ...]
    since: float
    rounds: int = 0
    """How often every queue was seen empty meanwhile."""


class SentAgain(NamedTuple):
    """How often a session was sent again at this event of it, and what is said of it."""

    last_seq: int
    times: int
    words: str


@dataclass
class Standstill:
    """What the looks of one process have seen, one look at a time. Of several processes, the first one acts."""

    engine: Engine
    unfinished: Unfinished
    patience_s: float = PATIENCE_S
    clock: Callable[[], float] = time.monotonic
    _emptied: dict[str, float] = field(default_factory=dict)
    _quiet: dict[UUID, Quiet] = field(default_factory=dict)
    _sent_again: dict[UUID, SentAgain] = field(default_factory=dict)

    def forget(self) -> None:
        """Begin anew: the broker can't be asked, or takes nothing, so nothing can be told from standing still."""
        self._emptied.clear()
        self._quiet.clear()

    def look(self, ready: Mapping[str, int]) -> None:
        """Send again what is lost. `ready`: how many messages lie in each queue just now.

        Raises:
            Unavailable: the database is away.
        """
        now = self.clock()
        self._emptied |= {queue: now for queue, messages in ready.items() if not messages}
        with transaction(self.engine) as connection:
            rows = connection.execute(WORKING).all()
        self._note_quiet(rows, min(self._emptied.get(queue, 0.0) for queue in ready), now)
        still = {row.id: row.last_seq for row in rows}
        self._sent_again = {key: told for key, told in self._sent_again.items() if still.get(key) == told.last_seq}
        for row in rows:
            if self._is_lost(row.id, now):
                self._send(row)
        for session_id, told in self._sent_again.items():
            Delays(self.engine).note(WorkDelayed(service="ingest", session_id=session_id, cause=told.words))

    def _note_quiet(self, rows: Sequence[Row[Any]], emptied: float, now: float) -> None:
        moved = Counter[UUID]()
        for row in rows:
            moved[row.user_id] += row.last_seq
        before, self._quiet = self._quiet, {}
        for row in rows:
            # What is not sent yet may wait for the other sessions of its tenant.
            seen = (row.last_seq, row.last_sent, moved[row.user_id] if row.owed else None)
            quiet = before.get(row.id)
            if quiet is None or quiet.seen != seen or row.delayed:
                quiet = Quiet(seen, now)
            elif quiet.rounds < ROUNDS and emptied > quiet.since:
                quiet = Quiet(seen, now, quiet.rounds + 1)
            self._quiet[row.id] = quiet

    def _is_lost(self, session_id: UUID, now: float) -> bool:
        """The oftener it was in vain, the longer it takes to the next time."""
        quiet, told = self._quiet[session_id], self._sent_again.get(session_id)
        patience_s = self.patience_s * 2 ** min(told.times if told else 0, MOST_DOUBLINGS)
        return quiet.rounds == ROUNDS and now - quiet.since >= patience_s

    def _send(self, row: Row[Any]) -> None:
        told = self._sent_again.get(row.id)
        self.unfinished.resume(row.id)
        again = SentAgain(row.last_seq, told.times + 1 if told else 1, cause_of(row))
        self._sent_again[row.id] = again
        log.warning("an upload stood still and is sent again", session_id=str(row.id), cause=again.words)


def cause_of(row: Row[Any]) -> str:
    """What the seller and the operator read until it moves."""
    numbers = ((row.files, "file"), (row.listings, "listing"))
    of = " and ".join(counted(number, noun) for number, noun in numbers if number)
    return (
        f"it stood still, as nothing was on its way for {of} (was a queue purged?), and was sent again; if it stands "
        f"still all the same, the operator can look at the log and say: presswork resume --session {row.id}"
    )
