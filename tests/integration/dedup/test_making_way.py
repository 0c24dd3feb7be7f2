"""Of two copies in one upload the earlier one is the original, whichever was hashed first."""

from collections.abc import Callable
from uuid import uuid4

import pytest

from services.dedup.deciding.cases import Asked
from services.dedup.handlers import on_design_stored, on_image_hashed, on_storage_failed, on_work_cancelled
from services.dedup.store import HashIndex
from shared.contracts import DuplicateFound, ImageAccepted, ImageHashed
from tests.integration.dedup.fates import cancelled, handled, storage_failed, stored
from tests.integration.dedup.test_deciding_anew import shape
from tests.unit.dedup.pictures import flipped, hashed, random_hash


def copies(count: int, bits: int = 0) -> list[ImageHashed]:
    """Of one upload, in its order; each is so many bits away from the one before it."""
    tenant, session, look = uuid4(), uuid4(), random_hash()
    looks = (flipped(look, *range(n * bits)) for n in range(count))
    return [hashed(tenant=tenant, session=session, index=n, phash=seen) for n, seen in enumerate(looks)]


def wanted_beside(event: ImageHashed, **look: str) -> ImageHashed:
    """The very file of this one in another upload, which keeps all copies; it looks as `look` says, or otherwise."""
    same = hashed(tenant=event.tenant_id, **look)
    return same.model_copy(update={"upload": event.upload, "duplicates": "keep_all"})


def test_a_later_copy_makes_way_for_the_earlier_one_which_says_so(index: HashIndex) -> None:
    early, late = copies(2)
    handled(on_image_hashed(late, index))
    duplicate, accepted = answers = handled(on_image_hashed(early, index))
    assert shape(answers) == [(late.item_id, 1, early.item_id), (early.item_id, 0, None)]
    assert isinstance(accepted, ImageAccepted)
    assert (accepted.instead_of, accepted.anew, duplicate.anew) == ((duplicate,), False, True)
    assert handled(on_image_hashed(early, index)) == answers, "their words may have been lost"
    assert handled(on_image_hashed(late, index)) == [duplicate]


def test_what_was_a_duplicate_of_the_later_copy_only_is_decided_anew(index: HashIndex) -> None:
    early, late, other = copies(3, bits=4)
    for event in (late, other):
        handled(on_image_hashed(event, index))
    answers = handled(on_image_hashed(early, index))
    assert shape(answers) == [(late.item_id, 1, early.item_id), (other.item_id, 1, None), (early.item_id, 0, None)]
    assert handled(on_image_hashed(other, index)) == answers[1:2]


def test_the_later_copy_has_its_place_again_when_the_earlier_one_fails(index: HashIndex) -> None:
    early, late = copies(2)
    for event in (late, early):
        handled(on_image_hashed(event, index))
    assert shape(handled(on_storage_failed(storage_failed(early), index))) == [(late.item_id, 2, None)]


def test_one_after_the_other_may_make_way_and_whoever_comes_again_tells_all_that_it_led_to(index: HashIndex) -> None:
    first, second, third = copies(3, bits=4)
    for event in (third, second):
        handled(on_image_hashed(event, index))
    before = handled(on_image_hashed(second, index))
    answers = handled(on_image_hashed(first, index))
    assert shape(answers) == [(second.item_id, 1, first.item_id), (third.item_id, 2, None), (first.item_id, 0, None)]
    assert handled(on_image_hashed(second, index)) == [*before, answers[0]]


def test_whoever_takes_the_place_names_all_that_were_accepted_before_it(index: HashIndex) -> None:
    """Storage may not have heard yet that the third made way for the second."""
    first, second, third, fourth = copies(4)
    for event in (third, fourth, second):
        handled(on_image_hashed(event, index))
    *_, accepted = handled(on_image_hashed(first, index))
    assert isinstance(accepted, ImageAccepted)
    assert shape(list(accepted.instead_of)) == [(second.item_id, 1, first.item_id), (third.item_id, 2, first.item_id)]


def test_those_that_are_decided_in_one_go_with_them_get_their_verdicts_as_well(index: HashIndex) -> None:
    (early, late), session = copies(2), uuid4()
    others = [hashed(tenant=early.tenant_id, session=session, index=n) for n in range(2)]
    handled(on_image_hashed(late, index))
    asked = [Asked(event, None) for event in (others[0], early, others[1])]
    index._decide(asked)
    assert [(each.answers[-1].item_id, type(each.answers[-1])) for each in asked] == [
        (event.item_id, ImageAccepted) for event in (others[0], early, others[1])
    ]


def test_what_it_led_to_stands_for_those_that_are_decided_in_one_go_with_them(index: HashIndex) -> None:
    """Somebody tries the later copy anew, and wants its duplicate, in the moment in which the earlier one is hashed."""
    early, late, other = copies(3)
    for event in (late, other):
        handled(on_image_hashed(event, index))
    again = [event.model_copy(update={"generation": 1, "kept": event is other}) for event in (late, other)]
    asked = [Asked(event, None) for event in (early, *again)]
    index._decide(asked)
    assert shape([each.answers[-1] for each in asked]) == [
        (early.item_id, 0, None),
        (late.item_id, 1, early.item_id),
        (other.item_id, 2, None),
    ]


def test_all_later_copies_make_way_that_the_earlier_one_is_like_though_they_are_not_like_each_other(
    index: HashIndex,
) -> None:
    one, early, other = copies(3, bits=4)
    later = [event.model_copy(update={"index": n}) for n, event in ((2, one), (3, other))]
    for event in later:
        handled(on_image_hashed(event, index))
    *duplicates, accepted = answers = handled(on_image_hashed(early, index))
    assert shape(answers) == [*((event.item_id, 1, early.item_id) for event in later), (early.item_id, 0, None)]
    assert isinstance(accepted, ImageAccepted)
    assert accepted.instead_of == tuple(duplicates)
    assert shape(handled(on_storage_failed(storage_failed(early), index))) == [(e.item_id, 2, None) for e in later]


def test_nothing_makes_way_for_what_is_no_original(index: HashIndex) -> None:
    """Another upload keeps all copies, and has one of the later file, too: the earlier one is a duplicate in any case.

    Storage numbers the later one once it hears so.
    """
    early, late = copies(2)
    handled(on_image_hashed(late, index))
    handled(on_image_hashed(wanted_beside(late, phash=late.phash), index))
    (verdict,) = handled(on_image_hashed(early, index))
    assert isinstance(verdict, DuplicateFound)
    assert isinstance(handled(on_image_hashed(late, index))[0], ImageAccepted)


def test_who_makes_way_is_named_though_it_is_a_duplicate_of_another_file_by_now(index: HashIndex) -> None:
    """Of one that has its very bytes, and that the earlier one is not like."""
    early, late = copies(2)
    beside = wanted_beside(late)
    handled(on_image_hashed(late, index))
    handled(on_image_hashed(beside, index))
    duplicate, accepted = answers = handled(on_image_hashed(early, index))
    assert shape(answers) == [(late.item_id, 1, beside.item_id), (early.item_id, 0, None)]
    assert isinstance(accepted, ImageAccepted)
    assert accepted.instead_of == (duplicate,)


def test_who_made_way_before_is_named_though_it_is_a_duplicate_of_another_upload_by_now(index: HashIndex) -> None:
    """Storage may have heard of that one's acceptance alone, and would store it behind the first."""
    first, second, third = copies(3)
    beside = wanted_beside(third)
    for event in (third, beside, second):
        handled(on_image_hashed(event, index))
    *_, accepted = handled(on_image_hashed(first, index))
    assert isinstance(accepted, ImageAccepted)
    assert shape(list(accepted.instead_of)) == [
        (second.item_id, 1, first.item_id),
        (third.item_id, 1, beside.item_id),
    ]


def _is_stored(early: ImageHashed, late: ImageHashed, index: HashIndex) -> ImageHashed:
    handled(on_image_hashed(late, index))
    on_design_stored(stored(late), index)
    return early


def _comes_from_another_upload(early: ImageHashed, late: ImageHashed, index: HashIndex) -> ImageHashed:
    handled(on_image_hashed(late, index))
    return early.model_copy(update={"session_id": uuid4()})


def _was_tried_anew(early: ImageHashed, late: ImageHashed, index: HashIndex) -> ImageHashed:
    handled(on_image_hashed(late.model_copy(update={"generation": 1}), index))
    return early


def _the_earlier_was_tried_anew(early: ImageHashed, late: ImageHashed, index: HashIndex) -> ImageHashed:
    handled(on_image_hashed(late, index))
    return early.model_copy(update={"generation": 1})


def _the_earlier_is_cancelled(early: ImageHashed, late: ImageHashed, index: HashIndex) -> ImageHashed:
    handled(on_image_hashed(late, index))
    on_work_cancelled(cancelled(early), index)
    return early


def _is_cancelled(early: ImageHashed, late: ImageHashed, index: HashIndex) -> ImageHashed:
    handled(on_image_hashed(late, index))
    on_work_cancelled(cancelled(late), index)
    return early


@pytest.mark.parametrize(
    "happens",
    [
        _is_stored,
        _comes_from_another_upload,
        _was_tried_anew,
        _the_earlier_was_tried_anew,
        _the_earlier_is_cancelled,
        _is_cancelled,
    ],
)
def test_what_may_have_its_number_stays_the_original(
    index: HashIndex, happens: Callable[[ImageHashed, ImageHashed, HashIndex], ImageHashed]
) -> None:
    early, late = copies(2)
    (verdict,) = handled(on_image_hashed(happens(early, late, index), index))
    assert isinstance(verdict, DuplicateFound)
    assert verdict.match.item_id == late.item_id
