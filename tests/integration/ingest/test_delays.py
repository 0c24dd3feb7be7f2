"""What services say that they wait for, in the rows and in the words that sellers and operators read."""

from concurrent.futures import ThreadPoolExecutor
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Engine, text

from services.ingest.sessions.progress.delays import Delays, current, on_work_delayed, outline, wait_no_more
from services.ingest.sessions.progress.totals import Totals
from services.ingest.sessions.serving.store import Sessions
from services.ops.resume import resume
from shared.contracts import DesignStored, WorkDelayed
from tests.integration.ops.letterbox import BLOB, Letterbox
from tests.integration.uploads import account, ask, listed, project, stored, submitted
from tests.waiting import somebody_waits, until

SESSION = uuid4()
WORKING = Totals(received=3, accepted=3)


@pytest.fixture
def delays(engine: Engine) -> Delays:
    return Delays(engine)


def delayed(cause: str, *, session: UUID | None = None, again_in_s: float | None = None) -> WorkDelayed:
    return WorkDelayed(service="storage", session_id=session, cause=cause, again_in_s=again_in_s)


def test_an_outage_is_told_to_every_upload_that_it_holds_up_until_it_is_over(delays: Delays, engine: Engine) -> None:
    on_work_delayed(delayed("NasFull: the NAS is full; free some space"), delays)
    assert delays.of(SESSION, WORKING) == "the NAS is full; free some space"
    assert delays.of(SESSION, Totals(received=3, stored=3, requested=3)) is None, "only mockups are left"
    with engine.connect() as connection:
        assert current(connection) == ["storage: the NAS is full; free some space"]
    on_work_delayed(delayed(""), delays)
    assert delays.of(SESSION, WORKING) is None


def test_who_is_not_logged_in_reads_that_services_wait_and_neither_where_nor_with_which_file(
    delays: Delays, engine: Engine
) -> None:
    nas = "NasRefused: can't store 'NorthCups/Secret/a.png' on the NAS sftp://anna@nas.example"
    on_work_delayed(delayed(nas, session=SESSION, again_in_s=300), delays)
    on_work_delayed(delayed(nas, session=uuid4(), again_in_s=300), delays)
    on_work_delayed(WorkDelayed(service="dedup", session_id=None, cause="OSError: 10.0.0.7 is away"), delays)
    with engine.connect() as connection:
        assert outline(connection) == ["dedup: all its work waits", "storage: some of its work waits"]
        assert "sftp://anna@nas.example" in current(connection)[1], "operators do"


def test_a_file_that_is_tried_again_is_told_to_its_upload_alone(delays: Delays) -> None:
    on_work_delayed(delayed("KeyError: 'x'", session=SESSION, again_in_s=300), delays)
    assert delays.of(SESSION, WORKING) == "a fault on the server (KeyError); tried again in 5 minutes"
    assert delays.of(uuid4(), WORKING) is None
    on_work_delayed(delayed("Retryable: locked", session=SESSION, again_in_s=5), delays)
    assert delays.of(SESSION, WORKING) == "locked; tried again in 5 minutes", "the file that waits longest counts"


def test_what_a_dead_process_said_is_not_believed_for_ever(delays: Delays, engine: Engine) -> None:
    on_work_delayed(delayed("NasFull: the NAS is full"), delays)
    with engine.begin() as connection:
        connection.execute(text("UPDATE ingest.delays SET until = until - interval '1 minute'"))
    assert delays.of(SESSION, WORKING) is None


def test_what_ingest_itself_waited_for_is_over_when_it_can_be_written_down(delays: Delays, engine: Engine) -> None:
    cause = "Unavailable: the database can't be used: refused"
    on_work_delayed(WorkDelayed(service="ingest", session_id=None, cause=cause), delays)
    with engine.connect() as connection:
        assert current(connection) == []


def test_work_that_is_done_ends_an_outage_that_nobody_told_the_end_of(delays: Delays, engine: Engine) -> None:
    """Its process was restarted meanwhile. A file that is tried again later is still to come."""
    box = Letterbox(engine)
    session = box.submitted("rose.png", "tulip.png")
    stored = DesignStored(**box.about(session, 0), number=1, name="1", path="1", print_file=BLOB)
    on_work_delayed(delayed("KeyError: 'x'", session=session.id, again_in_s=300), delays)
    on_work_delayed(delayed("NasUnavailable: another NAS is mounted"), delays)
    box.project(box.accepted(session, 0))
    assert "another NAS is mounted" in str(delays.of(session.id, WORKING)), "dedup's work says nothing of storage"
    box.project(stored)
    assert delays.of(session.id, WORKING) == "a fault on the server (KeyError); tried again in 5 minutes"


def told(engine: Engine) -> list[str]:
    with engine.connect() as connection:
        return current(connection)


def test_who_had_the_last_of_an_upload_has_nothing_to_try_again_later(delays: Delays, engine: Engine) -> None:
    """The file in its way was moved, and `presswork resume` had it tried at once."""
    box = Letterbox(engine)
    session = box.submitted("rose.png", "tulip.png")
    box.project(*(box.accepted(session, index) for index in range(2)))
    on_work_delayed(delayed("NasRefused: it is in use", session=session.id, again_in_s=300), delays)
    stored = [
        DesignStored(**box.about(session, i), number=i, name=f"{i}", path=f"{i}", print_file=BLOB) for i in (0, 1)
    ]
    box.project(stored[0])
    assert told(engine) == ["storage: it is in use; tried again in 5 minutes"], "which of them it was nobody knows"
    box.project(stored[1])
    assert told(engine) == [], "though its listings are still to be asked for"


@pytest.mark.parametrize("dry_run", [True, False], ids=["shown", "done"])
def test_what_resume_sends_again_is_not_tried_again_later(delays: Delays, engine: Engine, *, dry_run: bool) -> None:
    box = Letterbox(engine)
    mine, other = box.submitted("rose.png").id, box.submitted("tulip.png").id
    for session in (mine, other):
        on_work_delayed(delayed("NasRefused: it is in use", session=session, again_in_s=300), delays)
    on_work_delayed(delayed("NasFull: the NAS is full"), delays)
    resume(engine, 4, [mine], dry_run=dry_run)
    with engine.connect() as connection:
        (waits_for_all, *mine_too) = current(connection, [mine])
        assert current(connection, [other])[1:] == ["storage: it is in use; tried again in 5 minutes"]
    assert waits_for_all == "storage: the NAS is full"
    assert bool(mine_too) is dry_run


def test_a_listing_that_ends_while_its_upload_is_taken_up_again_waits_its_turn(delays: Delays, engine: Engine) -> None:
    """Both take the upload's row first: or else each would hold what the other one waits for."""
    sessions = Sessions(engine, hashers=8)
    session, (file,) = submitted(sessions, "rose.png")
    project(engine, *stored(session, file))
    ask(sessions, file.item_id)
    waits = WorkDelayed(service="publisher", session_id=session.id, cause="Retryable: the shop is busy")
    on_work_delayed(waits, delays)
    with ThreadPoolExecutor(1) as pool:
        with engine.begin() as connection:
            connection.execute(text("SELECT FROM ingest.sessions WHERE id = :id FOR UPDATE"), {"id": session.id})
            ending = pool.submit(project, engine, listed(session, file)[1])
            until(lambda: somebody_waits(engine))
            wait_no_more(connection, session.id)
        ending.result()
    assert account(engine, sessions, session.id).finished


def test_a_file_that_is_asked_for_all_the_time_is_not_said_to_be_tried_again(delays: Delays, engine: Engine) -> None:
    """It was, and waits on the spot since."""
    on_work_delayed(delayed("KeyError: 'x'", session=SESSION, again_in_s=300), delays)
    with engine.begin() as connection:
        connection.execute(text("UPDATE ingest.delays SET again_at = again_at - interval '301 s'"))
    on_work_delayed(delayed("Unavailable: the blob store is not there", session=SESSION), delays)
    assert delays.of(SESSION, WORKING) == "the blob store is not there"


def test_who_replays_hears_of_outages_and_of_their_own_uploads_alone(delays: Delays, engine: Engine) -> None:
    box = Letterbox(engine)
    mine, other = box.submitted("rose.png").id, box.submitted("tulip.png").id
    on_work_delayed(delayed("Retryable: mine", session=mine, again_in_s=300), delays)
    on_work_delayed(delayed("Retryable: not mine", session=other, again_in_s=300), delays)
    on_work_delayed(delayed("NasFull: the NAS is full"), delays)
    with engine.connect() as connection:
        told = current(connection, [mine])
    assert told == ["storage: the NAS is full", "storage: mine; tried again in 5 minutes"]
