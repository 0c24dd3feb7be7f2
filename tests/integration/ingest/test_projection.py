"""What events of other services change in the rows of ingest, whatever came before."""

from typing import Any

import pytest
from sqlalchemy import Engine

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
