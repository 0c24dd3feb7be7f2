"""Dedup's wiring."""

import re

import pytest
from pydantic import ValidationError

from services import dedup
from services.dedup.service import build
from services.dedup.settings import Settings
from shared.contracts import (
    DesignActivityChanged,
    DesignStored,
    DuplicateFound,
    ImageAccepted,
    ImageHashed,
    PairJudged,
    PictureHashed,
    PicturesGone,
    StorageFailed,
    WorkCancelled,
)

NOWHERE = "postgresql+psycopg://nobody@127.0.0.1:1/nothing"


def test_building_the_service_does_not_touch_the_database() -> None:
    service = build(Settings(database_url=NOWHERE))
    told = {message for handler in service.handlers.values() for message in handler.emits}
    assert service.name == "dedup"
    heard = {ImageHashed, DesignStored, DesignActivityChanged, StorageFailed, WorkCancelled}
    heard |= {PairJudged, PictureHashed, PicturesGone}
    assert service.handlers.keys() == heard
    assert told == {ImageAccepted, DuplicateFound}


def test_the_package_says_what_it_hears_and_tells() -> None:
    handlers = build(Settings(database_url=NOWHERE)).handlers
    told = {message.__name__ for handler in handlers.values() for message in handler.emits}
    listed = re.match(r"Listens to (.*)\.\s+Emits (.*)\. Owns schema dedup\.\n\n", dedup.__doc__ or "", re.DOTALL)
    assert listed is not None
    assert set(listed[1].split(", ")) == {message.__name__ for message in handlers}
    assert set(listed[2].split(", ")) == told


@pytest.mark.parametrize("distance", [-1, 257])
def test_a_distance_that_no_hash_can_have_is_refused(distance: int) -> None:
    with pytest.raises(ValidationError):
        Settings(duplicate_distance=distance)


def test_the_distance_is_set_by_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DUPLICATE_DISTANCE", "8")
    assert Settings().duplicate_distance == 8
