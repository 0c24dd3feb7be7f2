"""Which replica works on a session of the original lane: PostgreSQL advisory locks, gone when their holder dies."""

from collections.abc import Collection
from uuid import UUID, uuid5

from sqlalchemy import ColumnElement, Connection, Engine, func, select, true

from shared.database import in_our_words


class SessionLocks:
    """Locks held on one connection of their own. Used by one thread at a time."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._connection: Connection | None = None
        self._held: set[UUID] = set()

    def held(self, session_id: UUID) -> bool:
        return session_id in self._held

    def acquire(self, session_id: UUID) -> bool:
        """Take a session's lock if nobody has it.

        Raises:
            Unavailable: the database is away; with its connection every lock is gone.
        """
        if self._ask(func.pg_try_advisory_lock(_key(session_id))):
            self._held.add(session_id)
            return True
        return False

    def keep_only(self, session_ids: Collection[UUID]) -> None:
        """Let go of the sessions that need no more work.

        Raises:
            Unavailable: the locks of the others are gone too; another replica may have them by now.
        """
        if self._held:
            self._ask(true())  # a connection that broke since the last round took its locks with it
        for session_id in self._held.difference(session_ids):
            self.release(session_id)

    def release(self, session_id: UUID) -> None:
        """Let go of one session.

        Raises:
            Unavailable: the database is away; with its connection every lock is gone.
        """
        self._ask(func.pg_advisory_unlock(_key(session_id)))
        self._held.discard(session_id)

    def close(self) -> None:
        """Let go of all of them."""
        self._held.clear()
        if self._connection is not None:
            # Not back into the pool: a pooled connection would keep its locks.
            self._connection.invalidate()
            self._connection.close()
            self._connection = None

    def _ask(self, function: ColumnElement[bool]) -> bool:
        try:
            with in_our_words():
                if self._connection is None:
                    self._connection = self.engine.connect().execution_options(isolation_level="AUTOCOMMIT")
                return bool(self._connection.execute(select(function)).scalar_one())
        except Exception:
            self.close()
            raise


def _key(session_id: UUID) -> int:
    """A signed 64-bit key of its own: storage has a lock for each session, too (docs/reliability.md, "Locks")."""
    return int.from_bytes(uuid5(session_id, "original lane").bytes[:8], "big", signed=True)
