"""A design that the user took out of use blocks no picture, in whatever order dedup hears of it."""

import itertools
from collections.abc import Callable
from uuid import uuid4

import pytest

from services.dedup.handlers import (
    on_design_activity_changed,
    on_design_stored,
    on_image_hashed,
    on_storage_failed,
)
from services.dedup.store import HashIndex
from shared.contracts import DuplicateFound, ImageAccepted, ImageHashed
from tests.integration.dedup.fates import deleted, handled, restored, storage_failed, stored
from tests.unit.dedup.pictures import hashed


def blocks(rose: ImageHashed, index: HashIndex) -> bool:
    """Whether a copy is a duplicate of it. The copy is given up again, so that it blocks none itself."""
    copy = hashed(tenant=rose.tenant_id, phash=rose.phash)
    (answer,) = handled(on_image_hashed(copy, index))
    handled(on_storage_failed(storage_failed(copy), index))
    return isinstance(answer, DuplicateFound) and answer.match.item_id == rose.item_id


@pytest.fixture
def rose(index: HashIndex) -> ImageHashed:
    """A picture that was accepted."""
    event = hashed(tenant=uuid4())
    (answer,) = handled(on_image_hashed(event, index))
    assert isinstance(answer, ImageAccepted)
    return event


def test_a_deleted_design_matches_nothing_until_it_is_restored(rose: ImageHashed, index: HashIndex) -> None:
    on_design_stored(stored(rose), index)
    assert blocks(rose, index)
    on_design_activity_changed(deleted(rose), index)
    assert not blocks(rose, index)
    on_design_activity_changed(restored(rose), index)
    assert blocks(rose, index)


Step = Callable[[ImageHashed, HashIndex], None]
STEPS: dict[str, Step] = {
    "stored": lambda rose, index: on_design_stored(stored(rose), index),
    "deleted": lambda rose, index: on_design_activity_changed(deleted(rose, 1), index),
    "restored": lambda rose, index: on_design_activity_changed(restored(rose, 2), index),
    "deleted again": lambda rose, index: on_design_activity_changed(deleted(rose, 3), index),
}


@pytest.mark.parametrize("order", list(itertools.permutations(STEPS)), ids=" < ".join)
def test_the_newest_change_counts_in_whatever_order_they_come(
    rose: ImageHashed, index: HashIndex, order: tuple[str, ...]
) -> None:
    for step in order:
        STEPS[step](rose, index)
    assert not blocks(rose, index)
    on_design_activity_changed(restored(rose, 4), index)
    assert blocks(rose, index)


def test_repeats_bring_nothing_back(rose: ImageHashed, index: HashIndex) -> None:
    for _ in range(2):
        on_design_stored(stored(rose), index)
        on_design_activity_changed(restored(rose, 2), index)
        on_design_activity_changed(deleted(rose, 3), index)
    on_design_activity_changed(restored(rose, 2), index)
    on_design_stored(stored(rose), index)
    assert not blocks(rose, index)


def test_a_deleted_design_is_still_known_as_stored(rose: ImageHashed, index: HashIndex) -> None:
    on_design_stored(stored(rose), index)
    on_design_activity_changed(deleted(rose), index)
    handled(on_storage_failed(storage_failed(rose), index))  # late: it lies on the NAS
    on_design_activity_changed(restored(rose), index)
    assert blocks(rose, index)


def test_nobody_takes_another_tenants_design_out_of_use(rose: ImageHashed, index: HashIndex) -> None:
    on_design_stored(stored(rose), index)
    on_design_activity_changed(deleted(rose).model_copy(update={"tenant_id": uuid4()}), index)
    assert blocks(rose, index)
