"""What it means that a message gives an item up, by how the item stands: a row for each sentence of decision 4."""

from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest

from services.storage.giving_up import Ending, GivingUp
from shared.contracts import DuplicateFound, ImageFailed, ImageRejected, Match, Stage

ID = UUID(int=1)
ENDS, HEARD, TOLD, NOTHING = (
    GivingUp.ENDS,
    GivingUp.MUST_BE_HEARD,
    GivingUp.TOLD_ONCE_MORE,
    GivingUp.CHANGES_NOTHING,
)


def about(generation: int) -> dict[str, Any]:
    return {
        "tenant_id": ID, "session_id": ID, "item_id": ID, "index": 0, "generation": generation, "filename": "a.png",
    }  # fmt: skip


def duplicate(generation: int = 0) -> Ending:
    return DuplicateFound(
        **about(generation), kind="near", distance=2, match=Match(source="session"), reason="the same picture"
    )


def rejected(generation: int = 0) -> Ending:
    return ImageRejected(**about(generation), code="empty", reason="empty")


def failed(generation: int = 0, stage: Stage = "storage") -> Ending:
    return ImageFailed(**about(generation), failed_stage=stage, reason="cancelled")


def row(state: str, generation: int = 0, *, accepted: bool = True, answered: bool = False) -> Any:
    cause = "ImageFailed" if answered else None
    return SimpleNamespace(
        state=state, generation=generation, accepted={"generation": 0} if accepted else None, cause_type=cause
    )


@pytest.mark.parametrize(
    ("stands", "event", "state", "meaning"),
    [
        (row("accepted"), failed(), "failed", HEARD),
        (row("placed"), failed(), "failed", HEARD),
        (row("placed"), rejected(), "rejected", HEARD),
        (row("placed"), duplicate(), "duplicate", ENDS),  # dedup says so itself
        (row("accepted", accepted=False), failed(), "failed", ENDS),  # dedup never accepted it
        (row("accepted", answered=True), failed(), "failed", ENDS),  # an earlier message tells it
        (row("accepted", 1), failed(), "failed", NOTHING),  # of a generation that is over
        (row("failed"), failed(1), "failed", HEARD),
        (row("failed"), failed(), "failed", NOTHING),
        (row("numbered"), failed(), "failed", TOLD),
        (row("stored"), failed(1), "failed", TOLD),
        (row("stored", 1), failed(), "failed", NOTHING),
        (row("stored"), failed(1, "hasher"), "failed", NOTHING),
        (row("stored"), duplicate(1), "duplicate", TOLD),
        (row("stored"), duplicate(), "duplicate", NOTHING),
        (row("stored"), rejected(1), "rejected", NOTHING),
    ],
)
def test_what_gives_an_item_up_means(stands: Any, event: Ending, state: str, meaning: GivingUp) -> None:
    assert GivingUp.of(stands, event, state) is meaning
