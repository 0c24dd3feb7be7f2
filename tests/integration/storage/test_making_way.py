"""A later copy that was accepted first makes way for the earlier one of its upload: both are never stored, nor none."""

from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import Engine

from shared.blobs import Blobs
from shared.contracts import DesignStored, DuplicateFound, ImageAccepted, ImageHashed, StorageFailed
from tests.integration.storage.pipeline import Watcher, run
from tests.integration.storage.test_claims import blobs, given_up, picture, sent
from tests.integration.storage.test_trouble import Crash, DyingNas
from tests.integration.storage.workshop import Upload, Workshop, numbers, uv
from tests.unit.dedup.pictures import random_hash

__all__ = ["blobs"]


@pytest.fixture
def copies(blobs: Blobs) -> tuple[ImageHashed, ImageHashed]:
    """The earlier and the later one of an upload."""
    tenant, session, look = uuid4(), uuid4(), random_hash()
    early, late = (picture(blobs, tenant, look, session=session, index=index) for index in range(2))
    return early, late


def instead(workshop: Workshop, upload: Upload) -> tuple[ImageAccepted, DuplicateFound]:
    """What dedup says of the first two files when the second had been accepted first."""
    duplicate = upload.duplicate(1, generation=1).model_copy(update={"anew": True})
    return workshop.accepted(upload, 0).model_copy(update={"instead_of": (duplicate,)}), duplicate


def test_the_earlier_of_two_copies_is_stored_though_the_later_was_accepted_first(
    database_url: str, tmp_path: Path, copies: tuple[ImageHashed, ImageHashed]
) -> None:
    early, late = copies
    watcher = Watcher()
    run(database_url, tmp_path, watcher, sent(late), sent(early), sent(late, early))
    assert watcher.stored().keys() == {early.item_id}
    told = watcher.newest()[late.item_id]
    assert isinstance(told, DuplicateFound)
    assert told.match.item_id == early.item_id
    assert watcher.dead == []


def test_one_of_them_is_stored_if_the_earlier_one_fails_in_the_moment_in_which_it_is_hashed(
    database_url: str, tmp_path: Path, copies: tuple[ImageHashed, ImageHashed]
) -> None:
    early, late = copies
    watcher = Watcher()
    run(database_url, tmp_path, watcher, sent(late), sent(given_up(early), early), sent(late))
    stored = {(event.item_id, event.name) for event in watcher.events if isinstance(event, DesignStored)}
    assert len(stored) == 1
    assert {event.outcome for event in watcher.newest().values()} <= {"stored", "duplicate", "failed"}


@pytest.mark.parametrize("also", ["", "told before", "told after", "accepted once more"])
def test_the_file_of_the_later_one_goes_and_the_earlier_one_has_the_number(workshop: Workshop, also: str) -> None:
    upload = Upload()
    acceptance, duplicate = instead(workshop, upload)
    late = workshop.accepted(upload, 1)
    heard = [late, *([duplicate] if also == "told before" else []), acceptance]
    heard += {"told after": [duplicate], "accepted once more": [late, acceptance]}.get(also, [])
    assert set(numbers(workshop.hear(*heard)).items()) == {(0, 100)}
    assert (workshop.files(), workshop.hidden()) == (uv(100), [])
    assert numbers(workshop.hear(workshop.accepted(upload, 2))) == {2: 101}


def test_a_later_copy_whose_acceptance_comes_late_is_not_stored(workshop: Workshop) -> None:
    upload = Upload()
    acceptance, duplicate = instead(workshop, upload)
    assert numbers(workshop.hear(acceptance, workshop.accepted(upload, 1), duplicate)) == {0: 100}
    assert (workshop.files(), workshop.hidden()) == (uv(100), [])


def test_what_has_a_number_stays_stored_and_whoever_comes_in_its_place_fails(workshop: Workshop) -> None:
    upload = Upload()
    acceptance, duplicate = instead(workshop, upload)
    assert numbers(workshop.hear(upload.failed(0), workshop.accepted(upload, 1))) == {1: 100}
    (failed,) = workshop.hear(acceptance)
    assert (type(failed), failed.item_id, failed.generation) == (StorageFailed, upload.item(0), 0)
    workshop.hear(duplicate)
    anew = workshop.accepted(upload, 1, generation=2).model_copy(update={"anew": True})
    assert numbers(workshop.hear(anew)) == {1: 100}
    assert workshop.files() == uv(100)


@pytest.mark.parametrize("renamed", [True, False])
def test_what_has_a_number_is_said_to_be_stored_once_more_though_dedup_has_another_original_by_now(
    workshop: Workshop, engine: Engine, tmp_path: Path, renamed: bool
) -> None:
    """A third one, which only the later one is like, was accepted while the later one made way. Else nobody knew of
    the file that lies on the NAS.
    """
    upload = Upload()
    acceptance, _ = instead(workshop, upload)
    workshop.hear(workshop.accepted(upload, 1))
    if renamed:
        workshop.hear(upload.failed(0))
    else:
        with pytest.raises(Crash):
            Workshop(engine, tmp_path, DyingNas(workshop.root, 1, after=False)).hear(upload.failed(0))
    workshop.hear(acceptance)
    original = upload.duplicate(1, generation=2).model_copy(update={"anew": True})
    (stored,) = workshop.hear(original)
    assert isinstance(stored, DesignStored)
    assert (stored.index, stored.generation, stored.number) == (1, 2, 100)
    assert workshop.hear(original) == [stored]
    assert (workshop.files(), workshop.hidden()) == (uv(100), [])
