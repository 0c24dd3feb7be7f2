"""What a process or a host takes with it into silence, PostgreSQL gives to others; and the other way round."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import Connection, text

from shared.database import engine_of, transaction
from shared.errors import Busy, Unavailable

pytestmark = pytest.mark.postgres

LOCK = text("SELECT pg_advisory_xact_lock(1)")


def setting(connection: Connection, name: str) -> Any:
    return connection.execute(text(f"SHOW {name}")).scalar_one()


def test_a_process_that_freezes_within_a_transaction_does_not_hold_up_the_others(database_url: str) -> None:
    engine = engine_of(database_url)

    def waits_for_it() -> bool:
        with transaction(engine) as other:
            other.execute(LOCK)
        return True

    def freezes_and_thaws() -> None:
        with transaction(engine) as frozen, ThreadPoolExecutor() as pool:
            frozen.execute(text("SET LOCAL idle_in_transaction_session_timeout = '300ms'"))  # it is a minute else
            frozen.execute(LOCK)
            assert pool.submit(waits_for_it).result(timeout=30)
            frozen.execute(text("SELECT 1"))

    with pytest.raises(Unavailable):
        freezes_and_thaws()


def test_both_ends_of_a_line_ask_now_and_then_whether_the_other_is_there(database_url: str) -> None:
    with transaction(engine_of(database_url)) as connection:
        assert connection.connection.dbapi_connection is not None
        ours = connection.connection.dbapi_connection.info.get_parameters()  # type: ignore[attr-defined]
        assert (ours["keepalives_idle"], ours["tcp_user_timeout"]) == ("15", "30000")
        over_tcp = ours["host"] and not ours["host"].startswith("/")
        assert setting(connection, "tcp_keepalives_idle") == ("15" if over_tcp else "0")


def test_the_options_of_an_address_are_kept(database_url: str) -> None:
    more = f"{database_url}{'&' if '?' in database_url else '?'}options=-c%20work_mem%3D7MB"
    with transaction(engine_of(more)) as connection:
        assert setting(connection, "work_mem") == "7MB"
        assert setting(connection, "idle_in_transaction_session_timeout") == "1min"


def test_a_lock_that_another_transaction_keeps_makes_the_message_wait_and_costs_no_attempt(database_url: str) -> None:
    engine = engine_of(database_url)

    def waits_a_little() -> None:
        with transaction(engine) as mine:
            mine.execute(text("SET LOCAL lock_timeout = 10"))
            mine.execute(LOCK)

    with transaction(engine) as other:
        other.execute(LOCK)
        with pytest.raises(Busy, match="locked by another transaction"):
            waits_a_little()
    engine.dispose()


def test_a_database_that_takes_no_writes_is_away_and_the_next_try_asks_whoever_takes_them_by_then(
    database_url: str,
) -> None:
    """As a standby does after a failover, or a provider's database whose disk is nearly full."""
    engine = engine_of(database_url, pool_size=1)

    def writes() -> None:
        with transaction(engine) as connection:
            connection.execute(text("CREATE TABLE IF NOT EXISTS public.written (at integer)"))

    with transaction(engine) as connection:
        connection.execute(text("SET default_transaction_read_only = on"))  # of this connection, which stays open
    with pytest.raises(Unavailable, match="read-only transaction"):
        writes()
    writes()
    engine.dispose()
