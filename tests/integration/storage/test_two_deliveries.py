"""One message in two hands, as when a broker delivers it again while the first consumer is still at it."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import pytest
from sqlalchemy import Engine

from services.storage.filing import Answer
from shared.contracts import DesignStored
from shared.nas import PathNas
from shared.nas.files import Files
from tests.integration.storage.workshop import Upload, Workshop, lies, numbers, uv

PATIENCE_S = 30


class HaltingNas(PathNas):
    """Halts once: before it puts a file, or after it has moved one and before that is read back."""

    def __init__(self, root: Path, halts_at: str) -> None:
        super().__init__(root)
        self.halts_at = halts_at
        self.reached = Event()
        self.may_go_on = Event()

    def put(self, path: str, source: Path, sha256: str, size: int) -> None:
        self._halt("put")
        super().put(path, source, sha256, size)

    def verify(self, path: str, sha256: str, size: int) -> bool:
        self._halt("verify")
        return super().verify(path, sha256, size)

    def _halt(self, call: str) -> None:
        if call == self.halts_at and not self.reached.is_set():
            self.reached.set()
            assert self.may_go_on.wait(PATIENCE_S), "nobody let it go on"


Slow = Callable[[str], tuple[Workshop, HaltingNas]]


class Overtaken(Files):
    """Something else happens once, in the moment in which a file has got its name."""

    def __init__(self, meanwhile: Callable[[], object]) -> None:
        self.meanwhile = [meanwhile]

    def rename_new(self, source: Path, target: Path) -> None:
        super().rename_new(source, target)
        while self.meanwhile:
            self.meanwhile.pop()()


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(2) as pool:
        yield pool


@pytest.fixture
def slow(workshop: Workshop, engine: Engine, tmp_path: Path) -> Slow:
    """Another storage process on the same NAS and database, which halts at a call."""

    def made(halts_at: str) -> tuple[Workshop, HaltingNas]:
        nas = HaltingNas(workshop.root, halts_at)
        return Workshop(engine, tmp_path, nas), nas

    return made


def test_a_file_that_is_put_again_after_its_design_was_stored_leaves_nothing_behind(
    workshop: Workshop, slow: Slow, threads: ThreadPoolExecutor
) -> None:
    upload = Upload()
    other, nas = slow("put")
    event = workshop.accepted(upload, 1)
    late = threads.submit(other.hear, event)
    assert nas.reached.wait(PATIENCE_S)
    assert workshop.hear(event) == []  # it waits for the file before it
    assert numbers(workshop.hear(upload.duplicate(0))) == {1: 100}
    nas.may_go_on.set()
    assert numbers(late.result(PATIENCE_S)) == {1: 100}
    assert workshop.files() == uv(100)
    assert workshop.hidden() == []


def test_both_deliveries_of_a_message_get_the_same_answers(
    workshop: Workshop, slow: Slow, threads: ThreadPoolExecutor
) -> None:
    other, nas = slow("put")
    event = workshop.accepted(Upload(), 0)
    late = threads.submit(other.hear, event)
    assert nas.reached.wait(PATIENCE_S)
    answers = workshop.hear(event)
    nas.may_go_on.set()
    assert late.result(PATIENCE_S) == answers
    assert workshop.files() == uv(100)
    assert workshop.hidden() == []


def test_a_file_that_is_put_again_while_its_design_is_renamed_leaves_nothing_behind(
    workshop: Workshop, slow: Slow, threads: ThreadPoolExecutor
) -> None:
    upload = Upload()
    putting, put_nas = slow("put")
    renaming, rename_nas = slow("verify")
    event, last = workshop.accepted(upload, 1), upload.duplicate(0)
    late = threads.submit(putting.hear, event)
    assert put_nas.reached.wait(PATIENCE_S)
    assert workshop.hear(event) == []  # it waits for the file before it
    renamed = threads.submit(renaming.hear, last)
    assert rename_nas.reached.wait(PATIENCE_S)
    put_nas.may_go_on.set()
    (stored,) = late.result(PATIENCE_S)
    rename_nas.may_go_on.set()
    assert renamed.result(PATIENCE_S) == [stored]
    assert isinstance(stored, DesignStored)
    assert lies(workshop, stored)
    assert workshop.files() == uv(100)
    assert workshop.hidden() == []


def test_a_file_that_is_put_after_its_design_was_given_up_leaves_nothing_behind(
    workshop: Workshop, slow: Slow, threads: ThreadPoolExecutor
) -> None:
    upload = Upload()
    other, nas = slow("put")
    late = threads.submit(other.hear, workshop.accepted(upload, 0))
    assert nas.reached.wait(PATIENCE_S)
    workshop.hear(upload.failed(0, "storage"))
    nas.may_go_on.set()
    assert late.result(PATIENCE_S) == []
    assert workshop.files() + workshop.hidden() == []


def test_an_overtaken_delivery_does_not_touch_the_next_generations_file(
    workshop: Workshop, slow: Slow, threads: ThreadPoolExecutor
) -> None:
    upload = Upload()
    other, nas = slow("put")
    late = threads.submit(other.hear, workshop.accepted(upload, 1, print_file=b"first try"))
    assert nas.reached.wait(PATIENCE_S)
    anew = workshop.accepted(upload, 1, generation=1, print_file=b"second try")
    workshop.hear(upload.failed(1, "storage"), anew)
    nas.may_go_on.set()
    assert late.result(PATIENCE_S) == []
    assert len(workshop.hidden()) == 1
    (stored,) = workshop.hear(upload.duplicate(0))
    assert isinstance(stored, DesignStored)
    assert stored.print_file == anew.print_file
    assert lies(workshop, stored)
    assert workshop.hidden() == []


def test_a_generation_whose_file_the_next_one_removes_as_it_appears_just_ends(
    workshop: Workshop, engine: Engine, tmp_path: Path
) -> None:
    upload = Upload()
    first, anew = (workshop.accepted(upload, 0, generation) for generation in range(2))
    later: list[Answer] = []
    files = Overtaken(lambda: later.extend(workshop.hear(anew)))
    early = Workshop(engine, tmp_path, PathNas(workshop.root, files=files)).hear(first)
    assert numbers(later) == {0: 100}
    assert early == []
    assert workshop.files() == uv(100)
    assert workshop.hidden() == []


def test_a_file_that_a_crash_left_behind_is_removed_by_the_repeat(workshop: Workshop) -> None:
    upload = Upload()
    event, last = workshop.accepted(upload, 1), upload.duplicate(0)
    workshop.hear(event, last)
    content, design = event.print_file, workshop.filing.designs.find(event.item_id)
    for repeated in (event, last):
        workshop.filing.nas.put(design.staging, workshop.blobs.path(content), content.sha256, content.size)
        assert len(workshop.hidden()) == 1
        assert numbers(workshop.hear(repeated)) == {1: 100}
        assert workshop.hidden() == []
