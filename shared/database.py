"""An engine from a URL, and the database's errors in our two words. No table lives here."""

import contextlib
from collections.abc import Iterator

from sqlalchemy import Connection, Engine, create_engine, make_url
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from shared.errors import Retryable, Unavailable

# SQLSTATE classes: 40 transaction rollback (deadlock, serialization), 55P03 lock not available
PASSING_STATES = ("40", "55P03")

# PostgreSQL lets go after a minute of what a frozen process holds, and after half of one when its host was lost without
# a word; by itself it would wait for ever, or for the two hours of Linux's keepalive. So we notice a lost server, too.
TCP = {"keepalives_idle": 15, "keepalives_interval": 5, "keepalives_count": 3}
LIMITS = {"idle_in_transaction_session_timeout": "60s", "tcp_user_timeout": "30s"}
LIMITS |= {f"tcp_{name}": str(value) for name, value in TCP.items()}


def engine_of(url: str, *, pool_size: int = 5) -> Engine:
    """An engine that connects on first use and notices a server that went away."""
    options = " ".join([str(make_url(url).query.get("options", "")), *(f"-c {k}={v}" for k, v in LIMITS.items())])
    wait = {"connect_timeout": 5, "tcp_user_timeout": 30_000, **TCP, "options": options}
    most = {"pool_size": pool_size, "max_overflow": 0}
    return create_engine(url, **most, pool_timeout=30, pool_pre_ping=True, connect_args=wait)


@contextlib.contextmanager
def transaction(engine: Engine) -> Iterator[Connection]:
    """One transaction, committed when the block ends well.

    Raises:
        Unavailable: the database can't be reached or went away, perhaps after it committed: repeat, idempotently.
        Retryable: the transaction lost against another one.
    """
    try:
        with engine.begin() as connection:
            yield connection
    except (OperationalError, InterfaceError, PoolTimeoutError) as error:
        state = str(getattr(getattr(error, "orig", None), "sqlstate", None) or "")
        if state.startswith(PASSING_STATES):
            raise Retryable(f"the database asks for another try ({state})") from error
        raise Unavailable(f"the database can't be used: {_first_line(error)}") from error
    except DBAPIError as error:
        if error.connection_invalidated:
            raise Unavailable(f"the database went away: {_first_line(error)}") from error
        raise


def _first_line(error: BaseException) -> str:
    words = str(getattr(error, "orig", None) or error).strip().split("\n", 1)[0]
    return words.removeprefix("connection failed: ").removeprefix("connection is bad: ")  # which libpq goes on to say
