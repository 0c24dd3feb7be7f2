"""What events of other services change in the rows of ingest, whatever came before."""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import Engine

from services.ingest.sessions import projection
from services.ingest.sessions.projection import MANY, Projection
from shared.contracts import DuplicateFound, ImageFailed, ItemEvent, Match
from tests.integration.ops.letterbox import Letterbox


@pytest.fixture
def box(engine: Engine) -> Letterbox:
    return Letterbox(engine)


def duplicate(about: dict[str, Any]) -> ItemEvent:
    return DuplicateFound(**about, kind="near", distance=2, match=Match(source="nas"), reason="the same picture")


def failed(about: dict[str, Any]) -> ItemEvent:
    return ImageFailed(**about, failed_stage="hasher", reason="gave up")


@pytest.mark.parametrize(("end", "state"), [(duplicate, "duplicate"), (failed, "failed")])
def test_a_file_that_comes_to_the_same_end_again_counts_once(box: Letterbox, end: Any, state: str) -> None:
    """What it was a duplicate of has failed, say; decided anew it is a duplicate of another."""
    session = box.submitted("a.png", "b.png")
    box.project(*(end(box.about(session, 0, generation)) for generation in (0, 1, 1)))
    now = box.sessions.get(box.tenant, session.id)
    assert now is not None
    assert now.totals.as_dict()[state] == 1
    assert (now.totals.in_progress, now.state) == (1, "working"), "the other file is still to come"


def test_what_is_told_of_a_session_with_many_files_to_come_gathers_while_it_rests(
    box: Letterbox, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [f"{number}.png" for number in range(MANY + 5)]
    session = box.submitted(*names)
    events = [box.accepted(session, index) for index in range(len(names))]
    resting, go_on = threading.Event(), threading.Event()

    def rest(_seconds: float) -> None:
        resting.set()
        assert go_on.wait(10)

    monkeypatch.setattr(projection.time, "sleep", rest)
    rows = Projection(engine)
    with ThreadPoolExecutor(len(events)) as threads:
        told = [threads.submit(rows.file_is, events[0], "accepted")]
        assert resting.wait(10)
        assert box.sessions.items(session.id)[0]["state"] == "accepted", "what was told first did not wait"
        told += [threads.submit(rows.file_is, event, "accepted") for event in events[1:]]
        while rows._together._lines[session.id].inside < len(events):
            assert not any(each.done() for each in told)
        go_on.set()
    assert [each.result() for each in told] == [None] * len(events)
    commits = (
        "SELECT count(*), max(seq), count(DISTINCT created_at) FROM ingest.session_events WHERE item_id IS NOT NULL"
    )
    assert box.rows(commits) == [(len(events), 2 + len(events), 2)], "each in its place, in two transactions"


def test_a_session_with_few_files_to_come_never_rests(
    box: Letterbox, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor does the end of a large one: somebody waits for just these."""
    rests: list[float] = []
    monkeypatch.setattr(projection.time, "sleep", rests.append)
    session = box.submitted(*(f"{number}.png" for number in range(MANY)))
    Projection(engine).file_is(box.accepted(session, 0), "accepted")
    assert rests == []
