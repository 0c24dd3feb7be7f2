"""Which sessions a process of the original lane is at work on, on record in case it dies: `sessions.takeovers`.

A file that kills its worker would kill the next one too; the other lane has the broker's delivery limit against that.
So each session counts the processes that began to work on it and never said that they stopped, and starts afresh when
it advances. A process says so when it stops, when it waits for the end of an outage, and when it has lost its lock.
"""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import Connection, Engine, case, select, update

from services.ingest.sessions.tables import sessions
from shared.database import transaction

MOST_DEATHS = 3
"""One or two may have been the machine's own (out of memory, say). Each costs everybody a restart of ingest, so it is
not many more; the broker, whose hashers die alone, allows ten (`x-delivery-limit`)."""
STUCK = sessions.c.takeover_seq == sessions.c.last_seq


class AtWork:
    """What is on record for this process. Used by one thread at a time."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.sessions: set[UUID] = set()

    def note(self, now: Collection[UUID]) -> None:
        """It is at work on these, and on no others.

        Raises:
            Unavailable: the database is away, and nothing has changed.
        """
        rested, begun = self.sessions.difference(now), set(now).difference(self.sessions)
        if rested or begun:
            with transaction(self.engine) as connection:
                _lock(connection, rested | begun)
                _count(connection, rested, -1)
                _count(connection, begun, 1)
        self.sessions = set(now)


def taken_over(connection: Connection, session_id: UUID) -> bool:
    """Put on record that a process takes up a session; False: too many died of it, one after the other."""
    count = case((STUCK, sessions.c.takeovers + 1), else_=1)
    taken = update(sessions).where(sessions.c.id == session_id)
    taken = taken.values(takeovers=count, takeover_seq=sessions.c.last_seq).returning(sessions.c.takeovers)
    return bool(connection.execute(taken).scalar_one() <= MOST_DEATHS)


def _lock(connection: Connection, session_ids: Collection[UUID]) -> None:
    """Lock these sessions in the order of all who lock several."""
    in_order = select(sessions.c.id).where(sessions.c.id.in_(session_ids)).order_by(sessions.c.id)
    connection.execute(in_order.with_for_update(key_share=True))


def _count(connection: Connection, session_ids: Collection[UUID], change: int) -> None:
    """Count one death more, or less, of these sessions. One that has advanced counts as if nobody had died of it."""
    count = case((STUCK, sessions.c.takeovers + change), else_=min(change, 0))
    these = update(sessions).where(sessions.c.id.in_(session_ids), sessions.c.state == "working")
    connection.execute(these.values(takeovers=count, takeover_seq=sessions.c.last_seq))
