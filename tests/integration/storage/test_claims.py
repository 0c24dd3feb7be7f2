"""Whatever dedup accepted it hears the end of, so that no picture is blocked by one that nobody will store."""

from collections.abc import Callable
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from shared.blobs import Blobs
from shared.bus.envelope import Envelope
from shared.contracts import DuplicateFound, ImageAccepted, ImageFailed, ImageHashed, ItemEvent, StorageFailed
from shared.nas import PathNas
from tests.integration.storage.pipeline import Watcher, run
from tests.integration.storage.workshop import FOLDER, Upload, Verdict, Workshop, numbers, uv
from tests.unit.dedup.pictures import hashed, random_hash


@pytest.fixture
def blobs(tmp_path: Path) -> Blobs:
    PathNas(tmp_path / "nas").initialise()
    return Blobs(tmp_path / "blobs")


def picture(blobs: Blobs, tenant: UUID, look: str, *, session: UUID | None = None, index: int = 0) -> ImageHashed:
    """A picture whose print file is in the blob store."""
    event = hashed(tenant=tenant, phash=look, session=session, index=index)
    return event.model_copy(update={"print_file": blobs.put(f"print of {event.item_id}".encode())})


def given_up(event: ImageHashed) -> ImageFailed:
    """The batch that brought it was buried."""
    return ImageFailed.model_validate(event.model_dump() | {"failed_stage": "hasher", "reason": "hasher gave up"})


def sent(*events: ItemEvent) -> list[Envelope]:
    return [Envelope(uuid4(), event, "hasher", str(event.session_id)) for event in events]


def test_a_failure_that_overtook_the_hash_does_not_block_the_picture_for_ever(
    database_url: str, tmp_path: Path, blobs: Blobs
) -> None:
    tenant, look, watcher = uuid4(), random_hash(), Watcher()
    late, again = picture(blobs, tenant, look), picture(blobs, tenant, look)
    hash_of_late = sent(late)
    run(database_url, tmp_path, watcher, sent(given_up(late)), hash_of_late, hash_of_late, sent(again))
    (failed, *repeats) = [event for event in watcher.events if isinstance(event, StorageFailed)]
    assert (failed.item_id, failed.generation, failed.reason) == (late.item_id, 0, "hasher gave up")
    assert set(repeats) <= {failed}
    assert watcher.stored().keys() == {again.item_id}
    assert watcher.dead == []


def test_what_was_a_duplicate_of_the_picture_that_failed_first_is_stored_in_its_place(
    database_url: str, tmp_path: Path, blobs: Blobs
) -> None:
    tenant, look, watcher = uuid4(), random_hash(), Watcher()
    late = picture(blobs, tenant, look)
    twin = picture(blobs, tenant, look, session=late.session_id, index=1)
    run(database_url, tmp_path, watcher, sent(given_up(late)), sent(late, twin), dedup_prefetch=1)
    assert watcher.stored().keys() == {twin.item_id}


GivenUp = Callable[[Upload, int], Verdict]
WAYS = [Upload.failed, Upload.rejected]


@pytest.mark.parametrize("way", WAYS)
def test_an_acceptance_after_the_end_is_answered_and_so_is_its_repeat(workshop: Workshop, way: GivenUp) -> None:
    upload = Upload()
    end, acceptance = way(upload, 0), workshop.accepted(upload, 0)
    workshop.hear(end)
    answers = workshop.hear(acceptance)
    (failed,) = answers
    assert isinstance(failed, StorageFailed)
    assert (failed.item_id, failed.reason) == (upload.item(0), end.reason)  # type: ignore[union-attr]
    assert workshop.hear(acceptance) == answers
    assert workshop.hear(end) == (answers if isinstance(end, ImageFailed) else [])
    assert workshop.hidden() == []


@pytest.mark.parametrize("way", WAYS)
def test_an_end_after_the_acceptance_is_answered_and_so_is_its_repeat(workshop: Workshop, way: GivenUp) -> None:
    upload = Upload()
    end, acceptance = way(upload, 1), workshop.accepted(upload, 1)
    assert workshop.hear(acceptance) == []
    answers = workshop.hear(end)
    (failed,) = answers
    assert isinstance(failed, StorageFailed)
    assert (failed.item_id, failed.reason) == (upload.item(1), end.reason)  # type: ignore[union-attr]
    assert workshop.hear(end) == answers
    assert workshop.hear(acceptance) == []
    assert workshop.hidden() == []


def test_an_acceptance_that_a_later_failure_overtook_is_answered_too(workshop: Workshop) -> None:
    upload = Upload()
    acceptance = workshop.accepted(upload, 0)
    workshop.hear(upload.failed(0), upload.failed(0, generation=1))
    (failed,) = workshop.hear(acceptance)
    assert isinstance(failed, StorageFailed)
    assert failed.generation == 0  # the claim that is given up
    assert numbers(workshop.hear(workshop.accepted(upload, 0, generation=2))) == {0: 100}
    assert workshop.files() == uv(100)


def test_a_failure_is_answered_though_no_acceptance_came_and_again_when_it_is_tried_anew(workshop: Workshop) -> None:
    """Dedup may have claimed it and died before it said so, or what it said was lost."""
    upload = Upload()
    ends = [upload.failed(0), upload.failed(0, "storage", generation=1)]
    for end in ends:
        answers = workshop.hear(end)
        (failed,) = answers
        assert isinstance(failed, StorageFailed)
        assert (failed.item_id, failed.generation) == (upload.item(0), end.generation)
        assert workshop.hear(end) == answers
    accepted = workshop.accepted(upload, 0, generation=2)
    assert numbers(workshop.hear(accepted)) == {0: 100}
    assert workshop.hear(upload.failed(0, generation=2)) == [], "it is stored"


def test_the_second_try_that_dies_before_storage_has_it_is_answered_too(workshop: Workshop) -> None:
    upload = Upload()
    workshop.hear(workshop.accepted(upload, 1), upload.failed(1))
    (failed,) = workshop.hear(upload.failed(1, "storage", generation=1))
    assert isinstance(failed, StorageFailed)
    assert failed.generation == 1


def test_a_listing_that_failed_is_no_failure_of_its_file(workshop: Workshop) -> None:
    upload = Upload()
    assert workshop.hear(*(upload.failed(0, stage) for stage in ("ingest", "mockup", "publisher"))) == []
    assert numbers(workshop.hear(workshop.accepted(upload, 0))) == {0: 100}


def test_a_later_acceptance_of_what_had_failed_before_is_stored(workshop: Workshop) -> None:
    upload = Upload()
    first: ImageAccepted = workshop.accepted(upload, 0)
    workshop.hear(upload.failed(0), first)
    assert numbers(workshop.hear(workshop.accepted(upload, 0, generation=1))) == {0: 100}
    assert workshop.hear(first) == []


def test_a_duplicate_has_no_claim_and_gets_no_answer(workshop: Workshop) -> None:
    upload = Upload()
    assert workshop.hear(workshop.accepted(upload, 1)) == []
    verdict: DuplicateFound = upload.duplicate(1, generation=1)
    assert workshop.hear(verdict, verdict) == []
    assert workshop.hidden() == []


def test_whoever_tells_of_a_failure_once_more_hears_its_end_once_more(workshop: Workshop) -> None:
    """A broker that lost its disk may have lost the word of it on its way to dedup."""
    upload = Upload()
    unplaceable = workshop.accepted(upload, 0)
    workshop.blobs.path(unplaceable.print_file).unlink()
    assert [type(answer) for answer in workshop.hear(unplaceable)] == [StorageFailed]
    (again,) = workshop.hear(upload.failed(0))
    assert isinstance(again, StorageFailed)
    assert (again.item_id, again.generation) == (upload.item(0), 0)
    assert workshop.hear(upload.failed(1)) == workshop.hear(upload.failed(1)), "and one end is told once at a time"


def test_what_a_failure_led_to_does_not_tell_of_it_once_more(workshop: Workshop) -> None:
    """Dedup would answer with the very same verdict, and the two would go on for ever."""
    upload = Upload()
    original = workshop.accepted(upload, 1)
    workshop.hear(original)
    workshop.blobs.path(original.print_file).unlink()
    for hidden in workshop.hidden():
        (workshop.root / FOLDER / hidden).unlink()
    twin = upload.duplicate(0)
    (failed,) = workshop.hear(twin)
    assert isinstance(failed, StorageFailed)
    assert (failed.index, workshop.hear(twin)) == (1, [failed])
    anew = workshop.accepted(upload, 0, generation=1).model_copy(update={"anew": True})
    answers = workshop.hear(anew, anew)
    assert (numbers(answers), failed in answers) == ({0: 100}, False)
    tried_again = workshop.accepted(upload, 0, generation=2)
    assert failed in workshop.hear(tried_again), "by somebody: the word of it may have died with the first try"


def test_whoever_tells_that_storage_failed_at_what_is_stored_hears_that_it_is_stored(workshop: Workshop) -> None:
    """A broker that lost its disk may have lost the word of it; who cancelled the file takes it for failed."""
    upload = Upload()
    answers = workshop.hear(workshop.accepted(upload, 0))
    assert numbers(answers) == {0: 100}
    assert workshop.hear(upload.failed(0, "storage")) == answers
