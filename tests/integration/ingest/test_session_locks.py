"""Which replica works on a session of the original lane, when the database's connections break."""

from uuid import uuid4

import pytest
from sqlalchemy import NullPool, create_engine, text

from services.ingest.sessions.recovery.session_locks import SessionLocks
from shared.errors import Unavailable

# pg_locks shows those of every database of the server, other tests' among them
OTHERS = """
    SELECT pg_terminate_backend(pid) FROM pg_locks
    WHERE locktype = 'advisory' AND pid <> pg_backend_pid()
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


def test_a_replica_whose_connection_broke_does_not_go_on_as_if_it_held_its_sessions(database_url: str) -> None:
    engine = create_engine(database_url, poolclass=NullPool)
    first, second, session_id = SessionLocks(engine), SessionLocks(engine), uuid4()
    assert first.acquire(session_id)
    assert not second.acquire(session_id)
    with engine.begin() as connection:
        assert connection.execute(text(OTHERS)).all() == [(True,)]
    with pytest.raises(Unavailable):
        first.keep_only([session_id])
    assert not first.held(session_id)
    assert second.acquire(session_id)
    assert not first.acquire(session_id)
    second.keep_only([])
    assert first.acquire(session_id)
    first.close()
    second.close()


def test_a_pool_that_has_no_connection_left_is_an_outage_as_everywhere(database_url: str) -> None:
    engine = create_engine(database_url, pool_size=1, max_overflow=0, pool_timeout=0.1)
    with engine.connect(), pytest.raises(Unavailable):
        SessionLocks(engine).acquire(uuid4())
    engine.dispose()
