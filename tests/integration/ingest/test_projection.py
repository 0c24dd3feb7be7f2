"""What events of other services change in the rows of ingest, whatever came before."""

from typing import Any

import pytest

from shared.contracts import DuplicateFound, ImageFailed, ItemEvent, Match
from tests.integration.ops.letterbox import Letterbox


def duplicate(about: dict[str, Any], of: str = "rose.png") -> ItemEvent:
    match = Match(source="session", filename=of)
    return DuplicateFound(**about, kind="near", distance=2, match=match, reason=f"the same picture as {of}")


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


def test_a_duplicate_is_told_again_when_it_is_one_of_another_picture_and_not_otherwise(box: Letterbox) -> None:
    """Of two copies the later one makes way: what was a duplicate of it is one of the earlier one from then on."""
    session = box.submitted("a.png", "b.png", "c.png")
    about = [box.about(session, 2, generation) for generation in range(4)]
    box.project(duplicate(about[0], of="b.png"))
    before = box.sessions.get(box.tenant, session.id)
    box.project(*(duplicate(about[number], of="a.png") for number in (1, 2, 2)))
    told = [event.payload for event in box.sessions.events(session, 0, 100) if event.type == "duplicate"]
    assert [each["match"]["filename"] for each in told] == ["b.png", "a.png"], "the second says where its original is"
    assert told[0]["totals"] == told[1]["totals"], "it counts once"
    assert told[0]["percent"] == told[1]["percent"]
    now = box.sessions.get(box.tenant, session.id)
    assert before is not None
    assert now is not None
    assert (now.totals, now.workload.done) == (before.totals, before.workload.done)
    row = box.sessions.items(session)[2]
    assert (row["generation"], row["reason"]) == (2, "the same picture as a.png"), "the next try is a later generation"
    box.project(duplicate(about[3] | {"generation": 1}, of="b.png"))
    assert box.sessions.items(session)[2]["reason"] == "the same picture as a.png", "it came late"


def test_a_duplicate_is_told_again_when_somebody_is_asked_about_it_now(box: Letterbox) -> None:
    session = box.submitted("a.png", "b.png")
    found = duplicate(box.about(session, 1))
    asked = found.model_copy(update={"generation": 1, "review": True})
    box.project(found, asked, asked.model_copy(update={"generation": 2}))
    told = [event.payload for event in box.sessions.events(session, 0, 100) if event.type == "duplicate"]
    assert [each.get("needs_review", False) for each in told] == [False, True]
    assert [each["totals"]["to_review"] for each in told] == [0, 1]
