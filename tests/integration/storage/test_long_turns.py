"""What one message makes due may be more than its turn: then each file goes on by a message of its own."""

from dataclasses import replace
from functools import partial
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import Engine

from services.storage import service
from services.storage.filing import NUMBERS, Filing
from shared.bus.envelope import Envelope
from shared.contracts import DesignStored, ImageAccepted, StorageFailed
from shared.errors import Retryable
from shared.nas import PathNas
from tests.integration.storage import pipeline
from tests.integration.storage.workshop import FOLDER, Upload, Verdict, Workshop, numbers, uv


class RottenNas(PathNas):
    """The second name's file comes back changed."""

    def verify(self, path: str, sha256: str, size: int) -> bool:
        return not path.endswith(uv(101)[0]) and super().verify(path, sha256, size)


@pytest.fixture
def hurried(workshop: Workshop) -> Workshop:
    """Has time for one file a message."""
    workshop.filing = replace(workshop.filing, turn_s=0)
    return workshop


def waiting(workshop: Workshop, upload: Upload, *indexes: int) -> list[ImageAccepted]:
    """Files that lie on the NAS and wait for the first one's verdict."""
    events = [workshop.accepted(upload, index) for index in indexes]
    assert workshop.hear(*events) == []
    return events


@pytest.mark.parametrize("last", ["duplicate", "cancelled", "accepted"])
def test_what_a_turn_is_too_short_for_has_its_number_and_goes_on_by_its_own_acceptance(
    hurried: Workshop, last: str
) -> None:
    upload = Upload()
    one, two, three = waiting(hurried, upload, 1, 2, 3)
    verdict: Verdict = hurried.accepted(upload, 0) if last == "accepted" else getattr(upload, last)(0)
    answers = hurried.hear(verdict)
    begin, left = (0, [one, two, three]) if last == "accepted" else (1, [two, three])
    assert numbers(answers) == {begin: 100}
    assert [answer for answer in answers if isinstance(answer, ImageAccepted)] == left
    assert hurried.files() == uv(100)
    assert numbers(hurried.hear(*reversed(left))) == {event.index: 100 + event.index - begin for event in left}
    assert numbers(hurried.hear(verdict, *left)) == {index: 100 + index - begin for index in range(begin, 4)}
    assert hurried.files() == uv(*range(100, 104 - begin))
    assert hurried.hidden() == []


def test_a_repeat_goes_on_where_the_first_delivery_died(hurried: Workshop) -> None:
    upload = Upload()
    _, _, three = waiting(hurried, upload, 1, 2, 3)
    verdict = upload.duplicate(0)
    first = next(iter(hurried._handled(verdict)))  # and the process dies
    assert [type(answer) for answer in hurried.hear(verdict)] == [DesignStored, DesignStored, ImageAccepted]
    again, _ = hurried.hear(verdict)[:2]
    assert again == first
    assert numbers(hurried.hear(three)) == {3: 102}


def test_a_file_that_fails_by_its_own_acceptance_is_told_to_have_failed(
    hurried: Workshop, engine: Engine, tmp_path: Path
) -> None:
    upload = Upload()
    _, two, _ = waiting(hurried, upload, 1, 2, 3)
    hurried.hear(upload.duplicate(0))
    rotten = Workshop(engine, tmp_path, RottenNas(hurried.root))
    for _ in range(2):
        with pytest.raises(Retryable, match="came back changed"):
            rotten.hear(two)
    died = upload.failed(2, "storage")
    for _ in range(2):
        (end,) = rotten.hear(died)
        assert isinstance(end, StorageFailed)
        assert end.item_id == two.item_id


def test_on_a_bus_every_file_comes_to_its_name(
    database_url: str, workshop: Workshop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "Filing", partial(Filing, turn_s=0))
    upload, watcher = Upload(), pipeline.Watcher()
    events: list[Verdict] = [workshop.accepted(upload, index) for index in (4, 3, 2, 1)]
    rounds = [[Envelope(uuid4(), event, "dedup") for event in part] for part in (events, [upload.duplicate(0)])]
    pipeline.run(database_url, tmp_path, watcher, *rounds)
    stored = watcher.stored().values()
    assert {design.index: design.number for design in stored} == {1: 100, 2: 101, 3: 102, 4: 103}
    assert sum(isinstance(event, ImageAccepted) for event in watcher.events) == 4 + 3
    assert watcher.dead == []


def test_what_is_in_the_way_of_every_number_costs_a_few_and_then_the_file_fails_in_words(workshop: Workshop) -> None:
    upload = Upload()
    waiting(workshop, upload, 1)
    folder = workshop.root / FOLDER
    folder.rename(workshop.root / "aside")
    folder.write_bytes(b"a file where the folder was")
    answers = workshop.hear(upload.duplicate(0))
    assert [type(answer) for answer in answers] == [StorageFailed]
    folder.unlink()
    (workshop.root / "aside").rename(folder)
    assert numbers(workshop.hear(workshop.accepted(upload, 1, 1)))[1] < 100 + NUMBERS + 2
