"""An engine from a URL, and the database's errors in our words. No table lives here."""

import contextlib
from collections.abc import Iterator

from sqlalchemy import Connection, Engine, ExceptionContext, create_engine, event, exc, make_url

from shared.errors import Busy, Retryable, Unavailable

ROLLED_BACK = "40"  # a class of SQLSTATE: deadlocks and serialization
LOCKED = "55P03"
READ_ONLY = "25006"
AWAY = (exc.OperationalError, exc.InterfaceError, exc.TimeoutError)

# PostgreSQL lets go after a minute of what a frozen process holds, and after half of one when its host was lost without
# a word; by itself it would wait for ever, or for the two hours of Linux's keepalive. So we notice a lost server, too.
TCP = {"keepalives_idle": 15, "keepalives_interval": 5, "keepalives_count": 3}
LIMITS = {"idle_in_transaction_session_timeout": "60s", "tcp_user_timeout": "30s"}
LIMITS |= {f"tcp_{name}": str(value) for name, value in TCP.items()}


def engine_of(url: str, *, pool_size: int = 5) -> Engine:
    """An engine that connects on first use and notices a server that went away."""
    options = " ".join([str(make_url(url).query.get("options", "")), *(f"-c {k}={v}" for k, v in LIMITS.items())])
    wait = {"connect_timeout": 5, "tcp_user_timeout": 30_000, **TCP, "options": options}
    most = {"max_overflow": 0, "pool_timeout": 30, "pool_pre_ping": True}
    engine = create_engine(url, pool_size=pool_size, **most, connect_args=wait)
    event.listen(engine, "handle_error", _leave_a_standby)
    return engine


def _leave_a_standby(error: ExceptionContext) -> None:
    """A server that takes no writes is away, and so are all connections to it: another one may be the primary now."""
    error.is_disconnect |= getattr(error.original_exception, "sqlstate", None) == READ_ONLY


@contextlib.contextmanager
def transaction(engine: Engine) -> Iterator[Connection]:
    """One transaction, committed when the block ends well. Raises as `in_our_words`."""
    with in_our_words(), engine.begin() as connection:
        yield connection


@contextlib.contextmanager
def in_our_words() -> Iterator[None]:
    """Raise the database's errors as ours.

    Raises:
        Unavailable: the database can't be reached or went away, perhaps after it committed: repeat, idempotently.
        Busy: another transaction held a lock for longer than `lock_timeout`.
        Retryable: the transaction lost against another one.
    """
    try:
        yield
    except (exc.DBAPIError, exc.TimeoutError) as error:
        cause = getattr(error, "orig", None)  # the pool's time limit has none
        state = str(getattr(cause, "sqlstate", None) or "")
        if state == LOCKED:
            raise Busy("the database is locked by another transaction") from error
        if state.startswith(ROLLED_BACK):
            raise Retryable(f"the database asks for another try ({state})") from error
        if isinstance(error, AWAY) or error.connection_invalidated:
            words = str(cause or error).strip().split("\n", 1)[0].removeprefix("connection failed: ")
            raise Unavailable(f"the database can't be used: {words.removeprefix('connection is bad: ')}") from error
        raise
