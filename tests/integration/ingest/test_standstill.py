"""Sessions whose messages are lost are sent again; those that are slow, or wait for something, are left alone."""

from uuid import UUID

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.dialects import postgresql

from services.ingest.sessions.outgoing.outbox import Relay
from services.ingest.sessions.progress.delays import Delays, current
from services.ingest.sessions.progress.totals import Totals
from services.ingest.sessions.recovery.standstill import PATIENCE_S, Standstill
from services.ingest.sessions.recovery.standstill import WORKING as LOOKED_AT
from services.ingest.sessions.recovery.unfinished import Unfinished
from services.ingest.sessions.serving.store import Sessions
from shared.contracts import WorkDelayed
from tests.integration.uploads import ask, listed, project, stored, submitted

EMPTY = {"presswork.hasher": 0, "presswork.storage": 0}
BUSY = EMPTY | {"presswork.storage": 3}
LOOK_S = 15.0
WORKING = Totals(received=2)


class Watched:
    """One ingest that looks every fifteen seconds of a clock of its own, and sends what it owes."""

    def __init__(self, engine: Engine) -> None:
        self.engine, self.now = engine, 1000.0
        self.standstill = Standstill(engine, Unfinished(engine, 2), clock=lambda: self.now)
        self.relay = Relay(engine, "comprehensive")

    def send(self) -> int:
        return self.relay.send(lambda _: None)

    def look(self, seconds: float, ready: dict[str, int] = EMPTY) -> int:
        """Look for so long; return how many messages were sent again."""
        sent, until = 0, self.now + seconds
        while self.now < until:
            self.now += LOOK_S
            self.standstill.look(ready)
            sent += self.send()
        return sent


@pytest.fixture
def watched(engine: Engine) -> Watched:
    return Watched(engine)


def sent_session(sessions: Sessions, watched: Watched) -> UUID:
    session, _ = submitted(sessions, "a.png", "b.png")
    assert watched.send()
    return session.id


def told(engine: Engine) -> list[str]:
    with engine.connect() as connection:
        return current(connection)


def test_files_that_are_lost_are_sent_again_and_seller_and_operator_read_of_it(
    engine: Engine, sessions: Sessions, watched: Watched
) -> None:
    session, files = submitted(sessions, "a.png", "b.png")
    assert watched.send() == 2
    assert watched.look(PATIENCE_S) == 0, "they may be in hand"
    assert watched.look(4 * LOOK_S) == 2
    words = Delays(engine).of(session.id, WORKING)
    assert words is not None
    assert words.startswith("it stood still, as nothing was on its way for 2 files")
    assert f"presswork resume --session {session.id}" in words
    assert told(engine) == [f"ingest: {words}"]
    project(engine, *stored(session, files[0]))
    assert told(engine) == [], "it moves"


def test_listings_that_are_lost_are_sent_again(engine: Engine, sessions: Sessions, watched: Watched) -> None:
    session, files = submitted(sessions, "a.png", "b.png")
    watched.send()
    project(engine, *stored(session, files[0]), *stored(session, files[1]))
    watched.look(3 * PATIENCE_S)
    ask(sessions, *(file.item_id for file in files))
    assert watched.send() == 2
    project(engine, *listed(session, files[0]))
    assert watched.look(PATIENCE_S + 4 * LOOK_S) == 1
    assert "for 1 listing (" in told(engine)[0]


def test_what_is_sent_again_in_vain_is_sent_ever_less_often(sessions: Sessions, watched: Watched) -> None:
    sent_session(sessions, watched)
    assert watched.look(PATIENCE_S + 4 * LOOK_S) == 2
    assert watched.look(2 * PATIENCE_S - LOOK_S) == 0
    assert watched.look(4 * LOOK_S) == 2


def test_a_session_that_moves_or_waits_in_a_queue_is_not_sent_again(
    engine: Engine, sessions: Sessions, watched: Watched
) -> None:
    session, files = submitted(sessions, "a.png", "b.png")
    watched.send()
    assert watched.look(2 * PATIENCE_S, BUSY) == 0, "they may wait in storage's queue"
    assert watched.look(PATIENCE_S - LOOK_S) == 0
    project(engine, stored(session, files[0])[0])
    assert watched.look(PATIENCE_S) == 0, "one of them moved"


def test_a_queue_that_is_never_empty_at_the_same_time_as_another_hides_nothing(
    sessions: Sessions, watched: Watched
) -> None:
    sent_session(sessions, watched)
    turns = [
        watched.look(LOOK_S, {"presswork.hasher": turn % 2, "presswork.storage": 1 - turn % 2}) for turn in range(60)
    ]
    assert sum(turns) == 2


def test_what_a_service_waits_for_is_no_standstill_and_neither_is_its_first_minute_after(
    engine: Engine, sessions: Sessions, watched: Watched
) -> None:
    session_id = sent_session(sessions, watched)
    for whose in (None, session_id):
        cause = WorkDelayed(service="storage", session_id=whose, cause="NasFull: the NAS is full", again_in_s=10)
        Delays(engine).note(cause)
        assert watched.look(3 * PATIENCE_S) == 0
        Delays(engine).note(cause.model_copy(update={"cause": ""}))
        assert watched.look(PATIENCE_S) == 0


def test_what_waits_for_its_tenants_other_session_is_not_sent_again(
    engine: Engine, sessions: Sessions, watched: Watched
) -> None:
    first, files = submitted(sessions, "a.png", "b.png")
    watched.send()
    submitted(sessions, "c.png")
    watched.send = lambda: 0  # type: ignore[method-assign]  # the window is full
    watched.look(PATIENCE_S - LOOK_S)
    project(engine, stored(first, files[0])[0])
    watched.look(PATIENCE_S)
    assert told(engine) == []


def test_a_broker_that_can_not_be_asked_tells_nothing(sessions: Sessions, watched: Watched) -> None:
    sent_session(sessions, watched)
    watched.look(PATIENCE_S)
    watched.standstill.forget()
    assert watched.look(PATIENCE_S) == 0


def test_a_look_does_not_read_every_session_that_ever_was_for_each_that_works(engine: Engine) -> None:
    many = """INSERT INTO ingest.sessions (id, user_id, client_key, state, lane, received, stored)
        SELECT gen_random_uuid(), gen_random_uuid(), 's' || n, CASE WHEN n > 20000 THEN 'working' ELSE 'finished' END,
               'comprehensive', 2, 1 FROM generate_series(1, 20500) n"""
    with engine.connect() as connection:
        connection.execute(text(many))
        connection.execute(text("ANALYZE ingest.sessions"))
        query = str(LOOKED_AT.compile(dialect=postgresql.dialect(), compile_kwargs={"literal_binds": True}))
        (plan,) = connection.execute(text(f"EXPLAIN (FORMAT JSON) {query}")).scalar_one()
    assert plan["Plan"]["Total Cost"] < 50_000
