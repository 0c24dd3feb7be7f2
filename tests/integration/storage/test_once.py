"""Of one picture one copy is stored, though its file is given up between its number and its name."""

import itertools
from collections.abc import Sequence
from pathlib import Path

import pytest
from sqlalchemy import Engine

from services.dedup.service import build
from services.dedup.settings import Settings
from shared.contracts import DuplicateFound, ImageAccepted, ImageHashed, Message
from shared.errors import Retryable
from shared.nas import PathNas
from tests.integration.storage.workshop import Answers, Upload, Verdict, Workshop, numbers, uv


class RottenNas(PathNas):
    """The file that first gets the first name there comes back changed, for a while or for ever."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.rotten = True
        self.first = ""

    def verify(self, path: str, sha256: str, size: int) -> bool:
        if path.endswith(uv(100)[0]):
            self.first = self.first or sha256
        return not (self.rotten and sha256 == self.first) and super().verify(path, sha256, size)


class House:
    """Dedup and storage, a picture that has its number and not its name, and its twin."""

    def __init__(self, engine: Engine, root: Path, database_url: str) -> None:
        self.nas = RottenNas(root / "nas")
        self.workshop = Workshop(engine, root, self.nas)
        self.dedup = build(Settings(database_url=database_url, blob_dir=root / "blobs")).handlers
        self.upload = Upload()
        first, twin = self.decided(0), self.decided(1)
        assert isinstance(first, ImageAccepted)
        assert isinstance(twin, DuplicateFound)
        self.first, self.twin = first, twin
        with pytest.raises(Retryable, match="came back changed"):
            self.workshop.hear(first)

    def decided(self, place: int) -> ImageAccepted | DuplicateFound:
        facts = self.workshop.accepted(self.upload, place).model_dump()
        (verdict,) = self._decided(ImageHashed.model_validate(facts))
        return verdict

    def hear(self, events: Sequence[Verdict]) -> Answers:
        """What storage answers in the end: dedup hears each event and each answer, and storage what it decides."""
        told: Answers = []
        for event in events:
            decided = self._decided(event)
            answers = self.workshop.hear(event)
            told += [*answers, *self.hear(decided)]
            for answer in answers:
                told += self.hear(self._decided(answer))
        return told

    def _decided(self, event: Message) -> list[ImageAccepted | DuplicateFound]:
        answers = self.dedup[type(event)].call(event) if type(event) in self.dedup else ()
        return [answer for answer in answers or () if isinstance(answer, ImageAccepted | DuplicateFound)]


@pytest.fixture
def house(workshop: Workshop, engine: Engine, database_url: str) -> House:
    return House(engine, workshop.root.parent, database_url)


ORDERS = [*itertools.permutations(("end", "twin", "first")), ("end", "end", "twin", "first", "end", "first")]


@pytest.mark.parametrize("order", ORDERS, ids=" ".join)
@pytest.mark.parametrize("end", ["cancelled", "failed"])
def test_a_numbered_file_that_is_given_up_is_stored_and_its_twin_is_not(
    house: House, end: str, order: Sequence[str]
) -> None:
    house.nas.rotten = False
    given_up = house.upload.cancelled(0) if end == "cancelled" else house.upload.failed(0, "storage")
    events: dict[str, Verdict] = {"end": given_up, "twin": house.twin, "first": house.first}
    assert numbers(house.hear([events[name] for name in order])) == {0: 100}
    assert house.workshop.files() == uv(100)


def test_when_the_numbered_file_fails_for_good_its_twin_is_stored_in_its_place(house: House) -> None:
    """Once, however often the end is told."""
    end = house.upload.failed(0, "storage")
    assert numbers(house.hear([house.twin, end, house.first, end, house.twin])) == {1: 100}
