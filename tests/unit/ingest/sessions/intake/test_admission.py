"""The room for uploads, counted before it is measured."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier, Event

import pytest
from sqlalchemy import create_engine

from services.ingest.sessions.intake import admission
from services.ingest.sessions.intake.admission import Door, NotAdmitted, Room

AT_A_TIME = 8


@pytest.fixture
def door(tmp_path: Path) -> Door:
    """To a thousand bytes."""
    nobody = create_engine("postgresql+psycopg://nobody@localhost:1/none")
    return Door(nobody, tmp_path, Room(free_bytes=0, spool_bytes=1000, outbox_age_s=900, files_of_user=10), lambda: 0)


def test_uploads_that_come_one_after_the_other_dont_share_the_room_that_was_measured_before_them(door: Door) -> None:
    with door.holding() as held:
        door.check(600, held)
        door.check(400)
    door.check(400)
    with pytest.raises(NotAdmitted, match="has no room for this upload"):
        door.check(401)


def test_of_uploads_that_come_at_once_as_many_are_let_in_as_there_is_room_for(door: Door) -> None:
    decided = Barrier(AT_A_TIME, timeout=30)

    def comes(_: int) -> bool:
        with door.holding() as held:
            try:
                door.check(400, held)
            except NotAdmitted:
                return False
            finally:
                decided.wait()
            return True

    with ThreadPoolExecutor(AT_A_TIME) as uploads:
        assert sum(uploads.map(comes, range(AT_A_TIME))) == 2


def test_a_refused_upload_takes_no_room(door: Door) -> None:
    for _ in range(3):
        with door.holding() as held, pytest.raises(NotAdmitted):
            door.check(1001, held)
    door.check(1000)


def test_who_comes_while_the_spool_is_measured_takes_the_last_figure(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    door.check(0)
    begun, go_on, walks = Event(), Event(), []

    def walk(_: Path) -> int:
        walks.append(1)
        begun.set()
        assert go_on.wait(30)
        return 900

    monkeypatch.setattr(admission, "_size_of", walk)
    monkeypatch.setattr(admission, "SPOOL_EVERY_S", 0.0)
    with ThreadPoolExecutor(AT_A_TIME) as calls:
        first = calls.submit(door.check, 0)
        assert begun.wait(30)
        others = [calls.submit(door.check, 1000) for _ in range(AT_A_TIME - 1)]
        try:
            assert [other.result(10) for other in others] == [None] * len(others)
        finally:
            go_on.set()
        first.result(30)
    assert len(walks) == 1
    with pytest.raises(NotAdmitted):
        door.check(101)


def test_nobody_is_let_in_before_the_spool_was_measured_once(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    begun, go_on = Event(), Event()

    def walk(_: Path) -> int:
        begun.set()
        assert go_on.wait(30)
        return 1000

    monkeypatch.setattr(admission, "_size_of", walk)
    with ThreadPoolExecutor(2) as calls:
        first = calls.submit(door.check, 0)
        assert begun.wait(30)
        second = calls.submit(door.check, 1)
        go_on.set()
        first.result(30)
        with pytest.raises(NotAdmitted):
            second.result(30)


def test_a_measure_that_failed_is_made_again_by_the_next_call(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(_: Path) -> int:
        raise OSError("the disk is away")

    with monkeypatch.context() as broken:
        broken.setattr(admission, "_size_of", away)
        with pytest.raises(OSError, match="away"):
            door.check(0)
    door.check(1000)
