"""Sessions that nobody asks for listings end, and their users have the whole grace in which the database answers."""

import pytest
from sqlalchemy import Engine

from services.ingest.sessions.intake.grace_period import LOOK_S, Unasked
from services.ingest.sessions.lifecycle.records import Session
from shared.database import engine_of
from shared.errors import Unavailable
from tests.integration.ingest.test_outlook import stored
from tests.integration.ops.letterbox import Letterbox

GRACE_S = 10.0
NOBODY = "postgresql+psycopg://presswork@127.0.0.1:1/nobody"


class Looks:
    """One process that looks, by a clock of the test's own."""

    def __init__(self, engine: Engine) -> None:
        self.at = 1000.0
        self.there, self.away = engine, engine_of(NOBODY)
        self.unasked = Unasked(engine, GRACE_S, lambda: self.at)

    def each_second(self, seconds: int) -> int:
        """How many sessions it has ended in so long."""
        ended = 0
        for _ in range(seconds):
            self.at += 1
            ended += self.unasked.finish()
        return ended

    def outage(self, seconds: int) -> None:
        """The database is away for so long."""
        self.unasked.engine = self.away
        for _ in range(seconds):
            self.at += 1
            with pytest.raises(Unavailable):
                self.unasked.finish()
        self.unasked.engine = self.there


@pytest.fixture
def looks(engine: Engine) -> Looks:
    return Looks(engine)


def settled(box: Letterbox) -> Session:
    session = box.submitted("a.png")
    stored(box, session, 1)
    return session


def state(box: Letterbox, session: Session) -> str:
    found = box.sessions.get(box.tenant, session.id)
    assert found is not None
    return found.state


def test_a_session_whose_designs_nobody_lists_ends_after_the_grace(box: Letterbox, looks: Looks) -> None:
    session, at_work = settled(box), box.submitted("a.png", "b.png")
    stored(box, at_work, 1)
    assert looks.each_second(10) == 0
    assert looks.each_second(1) == 1
    assert (state(box, session), state(box, at_work)) == ("finished", "working")
    assert looks.each_second(20) == 0


def test_the_time_in_which_the_database_is_away_is_no_grace(box: Letterbox, looks: Looks) -> None:
    session = settled(box)
    looks.each_second(2)
    looks.outage(60)
    assert looks.each_second(7) == 0
    assert state(box, session) == "working"
    assert looks.each_second(2) == 1


def test_nor_is_the_time_in_which_it_is_frozen_and_nothing_fails(box: Letterbox, looks: Looks) -> None:
    settled(box)
    looks.each_second(2)
    looks.at += 60
    assert looks.each_second(7) == 0


def test_a_process_that_has_just_started_gives_the_whole_grace(box: Letterbox, looks: Looks, engine: Engine) -> None:
    settled(box)
    looks.each_second(10)
    assert Unasked(engine, GRACE_S).finish() == 0


def test_one_that_is_slow_to_look_ends_sessions_all_the_same(box: Letterbox, looks: Looks) -> None:
    settled(box)
    ended = 0
    for _ in range(1 + int(GRACE_S / LOOK_S)):
        looks.at += 30
        ended += looks.unasked.finish()
    assert ended == 1


def test_a_file_that_is_taken_up_again_begins_another_wait(box: Letterbox, looks: Looks) -> None:
    session = box.submitted("a.png", "b.png")
    stored(box, session, 1)
    box.project(box.failed(session, 1))
    looks.each_second(9)
    box.sessions.retry(session, "somebody")
    box.project(box.failed(session, 1, 1))
    assert looks.each_second(9) == 0
    assert state(box, session) == "working"
