"""Cancelled files get no number and leave no file; those behind them go on; what has a number is stored."""

import pytest

from shared.contracts import DesignStored, StorageFailed
from tests.integration.storage.workshop import Upload, Workshop, numbers, uv


def cancelled(
    workshop: Workshop, upload: Upload, *indexes: int, generation: int = 0
) -> list[DesignStored | StorageFailed]:
    event = upload.cancelled(*indexes, generation=generation)
    first = workshop.hear(event)
    assert workshop.hear(event) == first, "a repeat gives the first answer again"
    return first


def test_files_behind_a_cancelled_one_get_their_numbers(workshop: Workshop) -> None:
    upload = Upload()
    assert workshop.hear(*(workshop.accepted(upload, index) for index in (1, 2, 3))) == []
    answers = cancelled(workshop, upload, 0, 2)
    assert numbers(answers) == {1: 100, 3: 101}
    refused = [answer for answer in answers if isinstance(answer, StorageFailed)]
    assert [(answer.index, answer.reason) for answer in refused] == [(2, "cancelled by you"), (0, "cancelled by you")]
    assert workshop.files() == uv(100, 101)
    assert workshop.hidden() == []


def test_what_is_accepted_after_it_was_cancelled_is_not_stored(workshop: Workshop) -> None:
    upload = Upload()
    at_once = cancelled(workshop, upload, 0)
    answers = workshop.hear(workshop.accepted(upload, 0))
    for (answer,) in (at_once, answers):
        assert isinstance(answer, StorageFailed), "its claim must be let go, whichever came first"
    assert workshop.files() == workshop.hidden() == []


def test_what_is_stored_stays_stored_and_what_is_tried_anew_is_stored(workshop: Workshop) -> None:
    upload = Upload()
    workshop.hear(workshop.accepted(upload, 0))
    assert [type(answer) for answer in cancelled(workshop, upload, 0, 1)] == [DesignStored, StorageFailed]
    assert numbers(workshop.hear(workshop.accepted(upload, 1, generation=1))) == {1: 101}
    assert workshop.files() == uv(100, 101)


@pytest.mark.parametrize("generation", [0, 1])
def test_whoever_cancels_hears_that_it_is_stored_though_another_message_was_answered_so(
    workshop: Workshop, generation: int
) -> None:
    """That answer may be lost with the broker; or the file was tried anew before it came, and cancelled again."""
    upload = Upload()
    workshop.hear(workshop.accepted(upload, 1))
    assert numbers(workshop.hear(upload.rejected(0))) == {1: 100}
    (told,) = cancelled(workshop, upload, 1, generation=generation)
    assert isinstance(told, DesignStored)
    assert (told.generation, told.number) == (generation, 100)
    (told,) = workshop.hear(upload.failed(1, "storage", generation))
    assert isinstance(told, DesignStored), "after the broker was lost, ingest says so once more"
    assert workshop.files() == uv(100)
