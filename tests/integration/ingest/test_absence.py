"""A service that nobody runs can't say so itself: ingest sees what lies in its queue, and that nobody takes it."""

from uuid import UUID

import pytest
from sqlalchemy import Engine, insert

from services.ingest.sessions.progress.absence import Absence
from services.ingest.sessions.progress.delays import Delays, current, over
from services.ingest.sessions.progress.totals import Totals
from services.ingest.sessions.serving.store import Sessions
from services.ingest.tables import users
from services.ingest.watch import Depth
from services.storage.shops import COMMON
from shared.contracts import WorkDelayed
from tests.integration.uploads import USER, submitted

WORKING = Totals(received=2, hashed=2)
DEDUP = "presswork.dedup"
LEFT = Depth(messages=2, consumers=0)
TAKEN = Depth(messages=2, consumers=1)
SAID = "a part of the server is not running; it goes on by itself when that runs again"


@pytest.fixture
def delays(engine: Engine) -> Delays:
    return Delays(engine)


@pytest.fixture
def absence(delays: Delays) -> Absence:
    return Absence(delays)


@pytest.fixture
def session(engine: Engine) -> UUID:
    return submitted(Sessions(engine, hashers=2), "a.png", "b.png")[0].id


def told(delays: Delays) -> list[str]:
    with delays.engine.connect() as connection:
        return current(connection)


def test_who_waits_for_a_service_that_is_gone_reads_so_until_it_is_there(
    absence: Absence, delays: Delays, session: UUID
) -> None:
    absence.look({DEDUP: LEFT})
    assert told(delays) == [], "as in the moment in which a service is started anew"
    absence.look({DEDUP: LEFT})
    assert delays.of(session, WORKING) == SAID
    assert delays.of(session, Totals(received=2, accepted=2)) is None, "dedup has none of it any more"
    words = "no dedup is running, or none that the broker can reach, and 2 messages wait in presswork.dedup"
    assert told(delays) == [f"dedup: {words}; start it, or look into its log"]
    absence.look({DEDUP: TAKEN})
    assert told(delays) == []


def test_who_did_some_work_again_is_not_said_to_be_gone_until_the_queues_are_looked_at_next(
    absence: Absence, delays: Delays, session: UUID
) -> None:
    original, _ = submitted(Sessions(delays.engine, hashers=2), "a.png", lane="original")

    def did(service: str, session_id: UUID) -> None:
        with delays.engine.begin() as connection:
            over(connection, {service, "ingest"}, session_id)

    for _ in range(2):
        absence.look({DEDUP: LEFT})
    did("dedup", original.id)
    did("hasher", session)
    assert delays.of(session, WORKING) == SAID, "the in-process lane's work says nothing of who takes from the queue"
    did("dedup", session)
    assert delays.of(session, WORKING) is None
    absence.look({DEDUP: LEFT})
    assert delays.of(session, WORKING) == SAID, "that was the last that it did"


@pytest.mark.parametrize("now", [TAKEN, Depth(0, 0), Depth(0, 1)])
def test_a_queue_that_is_taken_from_or_empty_is_nobodys_trouble(absence: Absence, delays: Delays, now: Depth) -> None:
    for depth in (LEFT, now, LEFT, now):
        absence.look({DEDUP: depth})
        assert told(delays) == []


def test_what_waits_for_its_next_try_or_for_ingest_itself_has_no_absent_service(
    absence: Absence, delays: Delays
) -> None:
    for _ in range(3):
        absence.look({"presswork.retry.5000ms": LEFT, "presswork.ingest": LEFT})
    assert told(delays) == []


def test_an_upload_in_the_lane_without_a_broker_waits_for_no_absent_service(
    absence: Absence, delays: Delays, engine: Engine
) -> None:
    original, _ = submitted(Sessions(engine, hashers=2), "a.png", lane="original")
    for _ in range(2):
        absence.look({DEDUP: LEFT})
    assert delays.of(original.id, WORKING) is None
    delays.note(WorkDelayed(service="dedup", session_id=original.id, cause="Retryable: locked"))
    assert delays.of(original.id, WORKING) == "locked"


@pytest.mark.parametrize(("queue", "waits"), [(COMMON, SAID), (f"{COMMON}.south", None)])
def test_who_waits_for_the_queue_of_one_nas_are_the_shops_on_it(
    absence: Absence, engine: Engine, session: UUID, queue: str, waits: str | None
) -> None:
    key = {"email": "ana@example.com", "email_key": "ana@example.com", "hashed_password": "!"}
    shop = {"shop_name": "NorthCups", "shop_folder": "NorthCups", "shop_folder_key": "northcups"}
    with engine.begin() as connection:
        connection.execute(insert(users).values(id=USER, **key, **shop))
    for _ in range(2):
        absence.look({queue: LEFT})
    queue_of = {"NorthCups": COMMON}
    assert Delays(engine, queue_of.__getitem__).of(session, Totals(received=1, accepted=1)) == waits


def test_after_the_broker_could_not_be_asked_it_takes_two_looks_again(absence: Absence, delays: Delays) -> None:
    absence.look({DEDUP: LEFT})
    absence.forget()
    absence.look({DEDUP: LEFT})
    assert told(delays) == []
    absence.look({DEDUP: LEFT})
    assert len(told(delays)) == 1
