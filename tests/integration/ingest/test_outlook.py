"""What an upload learns from earlier ones in its lane, and the load there now: from rows on a real PostgreSQL."""

from datetime import timedelta
from itertools import count

import pytest
from sqlalchemy import Engine, text

from services.ingest.sessions.intake.grace_period import Unasked
from services.ingest.sessions.lifecycle.records import Session, Wanted
from services.ingest.sessions.progress.slowdown import Left
from services.ingest.sessions.progress.workload import Costs, weight
from shared.contracts import DesignStored, ImageFailed, ListingFailed
from tests.integration.ops.letterbox import BLOB, Letterbox
from tests.integration.uploads import LISTING, MOCKUP

OVER = """
UPDATE ingest.sessions SET submitted_at = :began, hashed_at = :at, settled_at = :at, finished_at = :at WHERE id = :id
"""
_minutes = count(1)


def stored(box: Letterbox, session: Session, count: int) -> None:
    for index in range(count):
        base = box.about(session, index)
        box.project(DesignStored(**base, number=index, name=f"UV {index}", path=f"s/{index}", print_file=BLOB))


def finished(box: Letterbox, seconds: float, *names: str, lane: str = "comprehensive") -> None:
    """An upload that nobody listed, over after so long, with nobody beside it."""
    session = box.submitted(*names, lane=lane)
    stored(box, session, len(names))
    assert Unasked(box.engine, 0).finish() == 1
    assert session.submitted_at is not None
    with box.engine.begin() as connection:
        began = session.submitted_at - timedelta(days=1, minutes=10 * next(_minutes))
        at = began + timedelta(seconds=seconds)
        connection.execute(text(OVER), {"began": began, "at": at, "id": session.id})


def costs(box: Letterbox, session: Session) -> Costs:
    found = box.sessions.get(box.tenant, session.id)
    assert found is not None
    return found.workload.costs


def test_an_upload_learns_from_what_nothing_disturbed_in_its_lane(engine: Engine) -> None:
    box = Letterbox(engine)
    assert costs(box, box.submitted("first.png")) == Costs()
    for seconds in (8.0, 10.0, 12.0, 14.0, 16.0):
        finished(box, seconds, "a.png", "b.png")
    finished(box, 500.0, "a.png", "b.png", lane="original")
    failed = box.submitted("a.png", "b.png")
    box.project(*(ImageFailed(**box.about(failed, n), failed_stage="storage", reason="a disk") for n in (0, 1)))
    learnt = costs(box, box.submitted("a.png", "b.png", "c.png"))
    assert (learnt.uploads, learnt.listing_uploads) == (5, 0)
    assert learnt.file_s[1] * 2 * weight(1000) == pytest.approx(12.0)
    assert learnt.file_s[0] < learnt.file_s[1] < learnt.file_s[2]
    assert not learnt.listed, "this user asked for no listings"
    other = Letterbox(engine)
    assert costs(other, other.submitted("a.png")).listed, "of others nobody knows"


def test_the_load_is_the_users_earlier_work_and_that_of_each_other_user(engine: Engine) -> None:
    one, other, third = Letterbox(engine), Letterbox(engine), Letterbox(engine)
    earlier = one.submitted("a.png", "b.png", "c.png")
    stored(one, earlier, 1)
    other.submitted("a.png")
    third.submitted("a.png", lane="original")
    mine = one.submitted("a.png", "b.png")
    one.submitted("later.png")
    now, load, _ = one.sessions.outlook(mine)
    assert now.workload.left == 2 * weight(1000)
    assert (load.earlier, list(load.others)) == (Left(2 * weight(1000), 3), [Left(weight(1000), 1)])


def test_others_listings_are_load_as_far_as_they_are_not_made(engine: Engine) -> None:
    box, other = Letterbox(engine), Letterbox(engine)
    theirs = other.submitted("a.png", "b.png", "c.png", "d.png")
    mine = box.submitted("a.png")

    def others() -> list[Left]:
        return list(box.sessions.outlook(mine)[1].others)

    other.project(other.failed(theirs, 3))
    assert others() == [Left(3 * weight(1000), 3)], "of those that may still be stored"
    stored(other, theirs, 3)
    assert others() == [Left(0.0, 3)]
    ids = [row["id"] for row in other.sessions.items(theirs)]
    template = LISTING.model_copy(update={"template_id": other.sessions.items(theirs)[0]["template_id"]})
    other.sessions.ask_listings(other.tenant, ids[:2], Wanted("s", template, MOCKUP, ()))
    assert others() == [Left(0.0, 2)]
    other.project(ListingFailed(**other.about(theirs, 0), mockup_id=MOCKUP, reason="no"))
    assert others() == [Left(0.0, 1)]


def test_who_asks_for_no_listings_is_no_load_with_them(engine: Engine) -> None:
    box, other = Letterbox(engine), Letterbox(engine)
    finished(other, 5.0, "a.png")
    other.submitted("b.png")
    mine = box.submitted("a.png")
    assert list(box.sessions.outlook(mine)[1].others) == [Left(weight(1000), 0)]


def test_others_are_load_beside_an_upload_with_a_pace_of_its_own_too(engine: Engine) -> None:
    box = Letterbox(engine)
    Letterbox(engine).submitted("a.png")
    mine = box.submitted("a.png", "b.png", "c.png", "d.png")
    stored(box, mine, 3)
    now, load, at = box.sessions.outlook(mine)
    assert list(load.others) == [Left(weight(1000), 1)]
    assert now.workload.files is not None
    assert now.workload.files.ever == pytest.approx(3.0)
    assert at >= now.workload.files.at


def test_taken_up_again_after_its_end_an_upload_has_a_new_pace_and_teaches_nothing(engine: Engine) -> None:
    box = Letterbox(engine)
    session = box.submitted("a.png")
    box.project(ImageFailed(**box.about(session, 0), failed_stage="storage", reason="a disk"))
    ended = box.sessions.get(box.tenant, session.id)
    assert ended is not None
    assert (ended.state, ended.percent) == ("finished", 100.0)
    box.sessions.retry(session, "somebody")
    now, _, at = box.sessions.outlook(session)
    assert (now.state, now.percent, now.workload.done) == ("working", 0.0, 0.0)
    assert now.workload.files is not None
    assert ended.workload.files is not None
    assert ended.workload.files.began < now.workload.files.began <= at
    stored_again = DesignStored(**box.about(session, 0, 1), number=1, name="UV 1", path="s/1", print_file=BLOB)
    box.project(stored_again)
    assert Unasked(box.engine, 0).finish() == 1
    assert costs(box, box.submitted("b.png")) == Costs()


def test_a_session_of_an_older_release_is_read(engine: Engine) -> None:
    box = Letterbox(engine)
    session = box.submitted("a.png", "b.png")
    older = text("UPDATE ingest.sessions SET work = 0, work_done = 0, costs = NULL, pace = '{}' WHERE id = :id")
    with box.engine.begin() as connection:
        connection.execute(older, {"id": session.id})
    stored(box, session, 1)
    found = box.sessions.get(box.tenant, session.id)
    assert found is not None
    assert (found.percent, found.workload.costs) == (pytest.approx(99 * 0.6 / 2, abs=0.01), Costs())
