"""Dedup's wiring."""

import pytest
from pydantic import ValidationError

from services.dedup.service import build
from services.dedup.settings import Settings
from shared.contracts import (
    DesignActivityChanged,
    DesignStored,
    DuplicateFound,
    ImageAccepted,
    ImageFailed,
    ImageHashed,
    StorageFailed,
)

NOWHERE = "postgresql+psycopg2://nobody@127.0.0.1:1/nothing"


def test_building_the_service_does_not_touch_the_database() -> None:
    service = build(Settings(database_url=NOWHERE))
    told = {message for handler in service.handlers.values() for message in handler.emits}
    assert service.name == "dedup"
    heard = {ImageHashed, DesignStored, DesignActivityChanged, StorageFailed, ImageFailed}
    assert service.handlers.keys() == heard
    assert told == {ImageAccepted, DuplicateFound}


@pytest.mark.parametrize("distance", [-1, 257])
def test_a_distance_that_no_hash_can_have_is_refused(distance: int) -> None:
    with pytest.raises(ValidationError):
        Settings(duplicate_distance=distance)


def test_the_distance_is_set_by_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DUPLICATE_DISTANCE", "8")
    assert Settings().duplicate_distance == 8
