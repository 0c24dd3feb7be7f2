"""A NAS that goes away, refuses, loses or damages files; and crashes at every step."""

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Engine

from services.ingest.dead_letters.archive import failures
from services.storage.handlers import on_image_accepted
from services.storage.turns import Turn
from shared.contracts import Blob, DesignStored, StorageFailed
from shared.errors import Retryable, Unavailable
from shared.nas import PathNas
from shared.nas.errors import NasRefused, NasUnavailable
from tests.integration.storage.workshop import FOLDER, NOWHERE, Upload, Verdict, Workshop, lies, numbers, uv


class Crash(BaseException):
    """The process dies here."""


class DyingNas(PathNas):
    """Dies in the n-th of its calls that change something, just before or just after it takes effect."""

    def __init__(self, root: Path, calls_left: int, *, after: bool) -> None:
        super().__init__(root)
        self.calls_left = calls_left
        self.after = after

    def put(self, path: str, source: Path, sha256: str, size: int) -> None:
        self._perhaps(lambda: super(DyingNas, self).put(path, source, sha256, size))

    def move(self, source_path: str, target_path: str, sha256: str) -> None:
        self._perhaps(lambda: super(DyingNas, self).move(source_path, target_path, sha256))

    def _perhaps(self, call: Callable[[], None]) -> None:
        self.calls_left -= 1
        if self.calls_left == 0 and not self.after:
            raise Crash
        call()
        if self.calls_left == 0:
            raise Crash


class RefusingNas(PathNas):
    """Takes hidden files, but refuses to rename those of some items."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.refused: set[str] = set()

    def move(self, source_path: str, target_path: str, sha256: str) -> None:
        if any(item in source_path for item in self.refused):
            raise NasRefused(f"can't rename a file to '{target_path}': it is in use; close it where it is open")
        super().move(source_path, target_path, sha256)


class Refusing:
    """An upload whose files 1 and 2 wait for the first one's verdict, at a NAS that will refuse 1 its name."""

    def __init__(self, workshop: Workshop, root: Path) -> None:
        self.upload, self.nas = Upload(), RefusingNas(workshop.root)
        self.workshop = Workshop(workshop.engine, root, self.nas)
        self.workshop.hear(workshop.accepted(self.upload, 1), workshop.accepted(self.upload, 2))
        self.nas.refused.add(str(self.upload.item(1)))


@pytest.fixture
def refusing(workshop: Workshop, tmp_path: Path) -> Refusing:
    return Refusing(workshop, tmp_path)


class TidiedNas(PathNas):
    """A program there removes hidden files just before they get their names, so many times."""

    def __init__(self, root: Path, times: int) -> None:
        super().__init__(root)
        self.times = times

    def move(self, source_path: str, target_path: str, sha256: str) -> None:
        if self.times:
            self.times -= 1
            self.delete(source_path)
        super().move(source_path, target_path, sha256)


class DenyingNas(PathNas):
    """Renames files, and says that it did not."""

    def move(self, source_path: str, target_path: str, sha256: str) -> None:
        super().move(source_path, target_path, sha256)
        raise NasRefused(f"can't rename a file to '{target_path}': it is in use; close it where it is open")


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("call", range(1, 7))
def test_a_crash_at_any_step_loses_nothing_and_takes_no_number_twice(
    workshop: Workshop, engine: Engine, tmp_path: Path, call: int, *, after: bool
) -> None:
    upload = Upload()
    events = [workshop.accepted(upload, index) for index in (2, 1, 0)]
    dying = Workshop(engine, tmp_path, DyingNas(workshop.root, call, after=after))
    died_at = 3
    for place, event in enumerate(events):
        try:
            dying.hear(event)
        except Crash:
            died_at = place
            break
    assert died_at < 3
    answers = workshop.hear(*events[died_at:])  # delivered again, to another process
    assert numbers(answers) == {0: 100, 1: 101, 2: 102}
    assert workshop.files() == uv(100, 101, 102)
    assert workshop.hidden() == []
    assert all(isinstance(answer, DesignStored) and lies(workshop, answer) for answer in answers)


def test_work_waits_while_the_nas_is_away(workshop: Workshop) -> None:
    upload = Upload()
    event = workshop.accepted(upload, 0)
    away = workshop.root.rename(workshop.root.with_name("unmounted"))
    with pytest.raises(NasUnavailable, match="mount it"):
        workshop.hear(event)
    away.rename(workshop.root)
    assert numbers(workshop.hear(event)) == {0: 100}


def test_work_waits_while_the_blob_store_is_away(workshop: Workshop) -> None:
    event = workshop.accepted(Upload(), 0)
    away = workshop.blobs.root.rename(workshop.blobs.root.with_name("unmounted"))
    with pytest.raises(Unavailable, match="blob store"):
        workshop.hear(event)
    away.rename(workshop.blobs.root)
    assert numbers(workshop.hear(event)) == {0: 100}


def test_a_file_that_can_never_be_stored_fails_in_words_and_holds_nobody_up(workshop: Workshop) -> None:
    upload = Upload()
    workshop.hear(workshop.accepted(upload, 1))
    lost = workshop.accepted(upload, 0).model_copy(update={"print_file": NOWHERE})
    answers = workshop.hear(lost)
    failed, stored = answers
    assert isinstance(failed, StorageFailed)
    assert failed.reason.startswith("0.png could not be stored: ")
    assert "try it again, and it is made anew" in failed.reason
    assert numbers([stored]) == {1: 100}
    assert workshop.hear(lost) == answers
    told, again = workshop.hear(upload.failed(0, "storage"))
    assert told == stored, "the dead message may not have said it"
    assert isinstance(again, StorageFailed)
    assert numbers(workshop.hear(workshop.accepted(upload, 0, generation=1))) == {0: 101, 1: 100}


def test_bytes_that_changed_in_the_blob_store_are_not_stored(workshop: Workshop) -> None:
    event = workshop.accepted(Upload(), 0)
    workshop.blobs.path(event.print_file).write_bytes(b"x" * event.print_file.size)
    (answer,) = workshop.hear(event)
    assert isinstance(answer, StorageFailed)
    assert workshop.files() + workshop.hidden() == []


def test_a_file_that_was_given_up_is_settled_and_its_hidden_copy_removed(workshop: Workshop) -> None:
    upload = Upload()
    workshop.hear(workshop.accepted(upload, 1), workshop.accepted(upload, 2))
    (told,) = workshop.hear(upload.failed(1, "storage"))
    assert isinstance(told, StorageFailed)
    assert len(workshop.hidden()) == 1
    assert numbers(workshop.hear(workshop.accepted(upload, 0))) == {0: 100, 2: 101}
    assert workshop.hear(workshop.accepted(upload, 1)) == []  # the same generation never comes back
    assert workshop.hidden() == []


def test_a_refused_name_is_tried_again_and_the_others_keep_their_numbers(
    workshop: Workshop, refusing: Refusing
) -> None:
    upload, refused = refusing.upload, refusing.workshop
    last = workshop.accepted(upload, 0)
    answers = on_image_accepted(last, refused.filing)
    first = next(answers)
    with pytest.raises(NasRefused):
        next(answers)
    refusing.nas.refused.clear()
    again = refused.hear(last)
    assert again[0] == first
    assert numbers(again) == {0: 100, 1: 101, 2: 102}


def test_what_a_dead_message_had_begun_is_finished_by_its_failure(refusing: Refusing) -> None:
    upload, refused = refusing.upload, refusing.workshop
    with pytest.raises(NasRefused):
        refused.hear(upload.duplicate(0))
    answers = refused.hear(upload.failed(0, "storage"))  # the duplicate's message ended in the dead-letter queue
    failed, stored = answers
    assert isinstance(failed, StorageFailed)
    assert (failed.index, failed.item_id) == (1, upload.item(1))
    assert "in use" in failed.reason
    assert numbers([stored]) == {2: 101}
    assert refused.hidden() == []
    assert refused.hear(upload.failed(0, "storage")) == answers


@pytest.mark.parametrize("end", ["cancelled", "failed"])
def test_what_a_dead_cancellation_or_failure_had_numbered_is_finished_too(refusing: Refusing, end: str) -> None:
    upload, refused = refusing.upload, refusing.workshop
    died = upload.cancelled(0)
    if end == "cancelled":
        with pytest.raises(NasRefused):
            refused.hear(died)
        (burial,) = failures(died, "storage", "it is in use")
    else:  # it dies of a fault of ours, having numbered the others
        refused.filing.designs.settle(upload.failed(0), "failed")
        refused.filing._number([Turn([upload.failed(0)])])
        (burial,) = failures(upload.failed(0), "storage", "it is in use")
        assert list(failures(burial, "storage", "it is in use")) == [], "its news would never end"
    failed, stored, _ = refused.hear(burial)
    assert isinstance(failed, StorageFailed)
    assert failed.index == 1
    assert numbers([stored]) == {2: 101}


@pytest.mark.parametrize("then", ["sent again", "taken up again", "taken up again, and a duplicate now"])
def test_what_a_dead_message_had_numbered_is_finished_though_its_failure_died_too(
    workshop: Workshop, engine: Engine, tmp_path: Path, then: str
) -> None:
    """The database was in its way, say. It is mended, and of the two letters one is replayed."""
    upload = Upload()
    nas = RefusingNas(workshop.root)
    refused = Workshop(engine, tmp_path, nas)
    refused.hear(waiting := workshop.accepted(upload, 1))
    nas.refused.add(str(upload.item(1)))
    with pytest.raises(NasRefused):
        refused.hear(upload.rejected(0))
    refused.filing.designs.adopt(upload.failed(0, "storage"))
    anew: dict[str, Verdict] = {
        "sent again": waiting,
        "taken up again": workshop.accepted(upload, 0, generation=1),
        "taken up again, and a duplicate now": upload.duplicate(0, generation=1),
    }
    assert numbers(workshop.hear(anew[then]))[1] == 100
    assert workshop.hidden() == []


def test_a_number_that_was_taken_back_goes_to_the_next_session(workshop: Workshop, refusing: Refusing) -> None:
    upload, refused = refusing.upload, refusing.workshop
    refused.hear(upload.failed(0, "storage"))
    assert workshop.files() == uv(101)
    # within the session it would come after a greater one
    assert numbers(workshop.hear(workshop.accepted(upload, 3))) == {3: 102}
    later = Upload()
    assert numbers(workshop.hear(workshop.accepted(later, 0), workshop.accepted(later, 1))) == {0: 100, 1: 103}
    assert workshop.files() == uv(100, 101, 102, 103)


def test_a_number_that_another_print_file_of_its_design_does_not_take_goes_to_the_next_session(
    workshop: Workshop, refusing: Refusing
) -> None:
    upload, refused = refusing.upload, refusing.workshop
    with pytest.raises(NasRefused):
        refused.hear(upload.duplicate(0))  # 1 is to be 100, and 2 101
    anew = workshop.accepted(upload, 1, generation=1, print_file=b"printed anew")
    assert numbers(workshop.hear(anew)) == {1: 102}
    assert numbers(workshop.hear(upload.duplicate(0))) == {2: 101}
    assert numbers(workshop.hear(workshop.accepted(Upload(), 0))) == {0: 100}
    assert workshop.files() == uv(100, 101, 102)


def test_a_stored_designs_number_is_not_given_again_when_its_next_print_file_differs(workshop: Workshop) -> None:
    upload = Upload()
    workshop.hear(workshop.accepted(upload, 0))
    assert numbers(workshop.hear(workshop.accepted(upload, 0, generation=1, print_file=b"printed anew"))) == {0: 101}
    assert numbers(workshop.hear(workshop.accepted(Upload(), 0))) == {0: 102}


def test_a_hidden_file_that_somebody_tidied_away_is_stored_again(workshop: Workshop) -> None:
    upload = Upload()
    workshop.hear(workshop.accepted(upload, 1))
    for hidden in (workshop.root / "NorthCups/UVDTF 16oz").glob(".*"):
        hidden.unlink()
    answers = workshop.hear(workshop.accepted(upload, 0))
    assert numbers(answers) == {0: 100, 1: 101}
    assert all(isinstance(answer, DesignStored) and lies(workshop, answer) for answer in answers)


def test_a_file_damaged_while_it_waited_is_not_called_stored(workshop: Workshop) -> None:
    upload = Upload()
    workshop.hear(workshop.accepted(upload, 1))
    (hidden,) = (workshop.root / "NorthCups/UVDTF 16oz").glob(".*")
    hidden.write_bytes(b"rot")
    with pytest.raises(Retryable, match="came back changed"):
        workshop.hear(upload.rejected(0))
    assert workshop.files() == [], "nobody may print it"
    (damaged,) = (workshop.root / "NorthCups/UVDTF 16oz").glob(".*.damaged")
    assert damaged.read_bytes() == b"rot"
    (answer,) = workshop.hear(upload.rejected(0))
    assert isinstance(answer, DesignStored)
    assert answer.number == 100
    assert lies(workshop, answer)
    assert workshop.files() == uv(100)


def test_a_file_that_somebody_removed_before_it_was_read_back_is_not_called_damaged(
    workshop: Workshop, engine: Engine, tmp_path: Path
) -> None:
    class TidyNas(PathNas):
        def verify(self, path: str, sha256: str, size: int) -> bool:
            self.delete(path)
            return super().verify(path, sha256, size)

    event = workshop.accepted(Upload(), 0)
    with pytest.raises(Retryable, match="has just been removed on the NAS"):
        Workshop(engine, tmp_path, TidyNas(workshop.root)).hear(event)
    assert numbers(workshop.hear(event)) == {0: 100}


def test_a_nas_that_damages_every_file_leaves_no_damaged_one_under_a_good_name(
    workshop: Workshop, engine: Engine, tmp_path: Path
) -> None:
    class Damaging(PathNas):
        def move(self, source_path: str, target_path: str, sha256: str) -> None:
            if target_path.endswith(".png"):
                (workshop.root / source_path).write_bytes(b"rot")
            super().move(source_path, target_path, sha256)

    upload = Upload()
    damaging = Workshop(engine, tmp_path, Damaging(workshop.root))
    for _ in range(3):
        with pytest.raises(Retryable, match="came back changed"):
            damaging.hear(damaging.accepted(upload, 0))
    (answer,) = damaging.hear(upload.failed(0, "storage"))
    assert isinstance(answer, StorageFailed)
    assert workshop.files() == []
    assert len(list((workshop.root / "NorthCups/UVDTF 16oz").glob(".*"))) == 1, "one, however often it was tried"


def test_another_print_file_of_the_next_generation_replaces_the_hidden_one(workshop: Workshop) -> None:
    upload = Upload()
    workshop.hear(workshop.accepted(upload, 1, print_file=b"first try"))
    second: Blob = workshop.accepted(upload, 1, generation=1, print_file=b"second try").print_file
    workshop.hear(workshop.accepted(upload, 1, generation=1, print_file=b"second try"))
    stored = workshop.hear(workshop.accepted(upload, 0))[1]
    assert isinstance(stored, DesignStored)
    assert (stored.print_file, stored.generation) == (second, 1)
    assert lies(workshop, stored)
    assert workshop.hidden() == []


def test_what_lies_under_its_name_at_the_last_try_is_stored_whatever_the_nas_says(
    workshop: Workshop, engine: Engine, tmp_path: Path
) -> None:
    upload = Upload()
    denying = Workshop(engine, tmp_path, DenyingNas(workshop.root))
    with pytest.raises(NasRefused):
        denying.hear(denying.accepted(upload, 0))
    assert numbers(denying.hear(upload.failed(0, "storage"))) == {0: 100}
    assert numbers(workshop.hear(workshop.accepted(upload, 1))) == {1: 101}
    assert workshop.files() == uv(100, 101)


def test_a_shop_folder_that_is_a_link_out_of_the_nas_fails_in_words_and_is_not_followed(
    workshop: Workshop, tmp_path: Path
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (workshop.root / "NorthCups").symlink_to(outside)
    (answer,) = workshop.hear(workshop.accepted(Upload(), 0))
    assert isinstance(answer, StorageFailed), "a dead letter as well, for each file, would tell of it twice"
    assert "leads out of the NAS folder" in answer.reason
    assert list(outside.iterdir()) == []


@pytest.mark.parametrize("leads_to", ["../../../outside/archive.png", "UV 100 UVDTF_16oz_100.png"])
def test_a_link_that_has_the_name_of_the_next_design_is_passed_over(workshop: Workshop, leads_to: str) -> None:
    (workshop.root / FOLDER).mkdir(parents=True)
    link = workshop.root / FOLDER / "UV 100 UVDTF_16oz_100.png"
    link.symlink_to(leads_to)
    upload = Upload()
    assert numbers(workshop.hear(*(workshop.accepted(upload, index) for index in (0, 1)))) == {0: 101, 1: 102}
    assert link.is_symlink()
    assert workshop.hidden() == []


def test_a_hidden_copy_that_is_removed_again_and_again_is_put_there_again(
    workshop: Workshop, engine: Engine, tmp_path: Path
) -> None:
    tidied = Workshop(engine, tmp_path, TidiedNas(workshop.root, 2))
    event = tidied.accepted(Upload(), 0)
    with pytest.raises(Retryable, match="removes its hidden copy again and again"):
        tidied.hear(event)
    assert numbers(tidied.hear(event)) == {0: 100}
    assert tidied.files() == uv(100)
    assert tidied.hidden() == []
