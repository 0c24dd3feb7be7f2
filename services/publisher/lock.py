"""One writer per shop: a PostgreSQL session that holds the shop's lock, and short transactions on that session."""

import contextlib
import hashlib
from collections.abc import Iterator

from sqlalchemy import Connection, Engine, func, select, text
from sqlalchemy.exc import DBAPIError

from shared.database import in_our_words
from shared.errors import Busy


@contextlib.contextmanager
def locked(engine: Engine, target: str, shop: str, wait_s: float) -> Iterator[Connection]:
    """The session that may write to this shop. It is idle, outside any transaction, while the shop is called.

    Raises:
        Busy: another publisher has kept the shop for longer than `wait_s`. The message waits in a queue then, and
            costs no attempt: a busy shop must not bury its own messages, nor hold up those of others.
    """
    # docs/reliability.md, "Locks"
    lock = int.from_bytes(hashlib.sha256(f"publisher\n{target}\n{shop}".encode()).digest()[:8], signed=True)
    with in_our_words():
        connection = engine.connect()
    try:
        with _no_lock_left(connection), step(connection, when_locked=f"another publisher is still writing to {shop}"):
            connection.execute(text(f"SET LOCAL lock_timeout = {int(wait_s * 1000)}"))
            connection.execute(select(func.pg_advisory_lock(lock)))
        try:
            yield connection
        finally:
            _unlock(connection, lock)
    finally:
        connection.close()


@contextlib.contextmanager
def step(connection: Connection, *, when_locked: str = "the ledger is locked") -> Iterator[None]:
    """One short transaction on the session: `shared.database.transaction` would take another connection of the pool.

    Raises:
        Busy: in the words `when_locked`.
        Unavailable: the session, and the lock with it, is lost: begin again from what was committed.
    """
    try:
        with in_our_words(), connection.begin():
            yield
    except Busy as error:
        raise Busy(when_locked) from error


def _unlock(connection: Connection, lock: int) -> None:
    with contextlib.suppress(DBAPIError), _no_lock_left(connection), connection.begin():
        connection.execute(select(func.pg_advisory_unlock(lock)))


@contextlib.contextmanager
def _no_lock_left(connection: Connection) -> Iterator[None]:
    """End the session, and its lock with it, whatever breaks here: back in the pool it would keep its shop for ever."""
    try:
        yield
    except BaseException:
        connection.invalidate()
        raise
