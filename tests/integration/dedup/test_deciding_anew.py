"""A failed original is let go, and what was a duplicate of it only is decided anew."""

from uuid import UUID, uuid4

from services.dedup.deciding.cases import AT_ONCE
from services.dedup.handlers import (
    on_design_stored,
    on_image_hashed,
    on_storage_failed,
    on_work_cancelled,
)
from services.dedup.store import HashIndex
from shared.contracts import DuplicateFound, ImageAccepted, ImageHashed
from tests.integration.dedup.fates import cancelled, handled, storage_failed, stored
from tests.unit.dedup.pictures import flipped, hashed, random_hash

LOOK = random_hash()


def judged(index: HashIndex, tenant: UUID, *places: tuple[UUID, int]) -> list[ImageHashed]:
    """Twins, one per session and upload position; the first becomes the original."""
    twins = [hashed(tenant=tenant, session=session, index=place, phash=LOOK) for session, place in places]
    for twin in twins:
        handled(on_image_hashed(twin, index))
    return twins


def shape(answers: list[ImageAccepted | DuplicateFound]) -> list[tuple[UUID, int, UUID | None]]:
    """Who was judged, in which generation, and as whose duplicate."""
    return [(a.item_id, a.generation, a.match.item_id if isinstance(a, DuplicateFound) else None) for a in answers]


def test_the_first_uploaded_duplicate_becomes_the_original_and_the_rest_follow(index: HashIndex) -> None:
    tenant, early, late = uuid4(), uuid4(), uuid4()
    original, third, second, fourth = judged(index, tenant, (early, 0), (early, 2), (early, 1), (late, 0))
    answers = handled(on_storage_failed(storage_failed(original), index))
    assert shape(answers) == [
        (second.item_id, 1, None),
        (third.item_id, 1, second.item_id),
        (fourth.item_id, 1, second.item_id),
    ]
    assert all(answer.anew for answer in answers), "storage tells of the failure by none of them"


def test_more_than_are_decided_at_once_come_in_order_of_upload_as_well(index: HashIndex) -> None:
    session = uuid4()
    places = [(session, place) for place in (0, *range(2 * AT_ONCE + 1, 0, -1))]
    original, *twins = judged(index, uuid4(), *places)
    answers = handled(on_storage_failed(storage_failed(original), index))
    assert [answer.item_id for answer in answers] == [twin.item_id for twin in reversed(twins)]
    assert [type(answer) for answer in answers] == [ImageAccepted] + [DuplicateFound] * (len(twins) - 1)


def test_a_repeat_gives_the_same_verdicts_in_the_same_order(index: HashIndex) -> None:
    session = uuid4()
    original, *_ = judged(index, uuid4(), (session, 0), (session, 2), (session, 1))
    first = handled(on_storage_failed(storage_failed(original), index))
    assert len(first) == 2
    assert handled(on_storage_failed(storage_failed(original), index)) == first


def test_a_hash_that_comes_again_gets_the_verdict_that_stands_now(index: HashIndex) -> None:
    session = uuid4()
    original, twin = judged(index, uuid4(), (session, 0), (session, 1))
    anew = handled(on_storage_failed(storage_failed(original), index))
    assert handled(on_image_hashed(twin, index)) == anew, "the word of it may have been lost with a broker"


def test_when_the_new_original_fails_as_well_the_next_one_follows(index: HashIndex) -> None:
    session = uuid4()
    original, second, third = judged(index, uuid4(), (session, 0), (session, 1), (session, 2))
    handled(on_storage_failed(storage_failed(original), index))
    answers = handled(on_storage_failed(storage_failed(second, generation=1), index))
    assert shape(answers) == [(third.item_id, 2, None)]
    last = handled(on_storage_failed(storage_failed(third, generation=2), index))
    assert last == []


def test_a_duplicate_of_another_known_picture_stays_one(index: HashIndex) -> None:
    tenant, session = uuid4(), uuid4()
    left = hashed(tenant=tenant, session=session, phash=flipped(LOOK, 0, 1, 2, 3))
    right = hashed(tenant=tenant, session=session, index=1, phash=flipped(LOOK, 60, 61, 62))
    middle = hashed(tenant=tenant, session=session, index=2, phash=LOOK)
    for event in (left, right, middle):
        handled(on_image_hashed(event, index))
    answers = handled(on_storage_failed(storage_failed(right), index))
    assert shape(answers) == [(middle.item_id, 1, left.item_id)]
    # its standing verdict names `left` now, so only that one's failure concerns it
    assert handled(on_storage_failed(storage_failed(right), index)) == answers
    assert shape(handled(on_storage_failed(storage_failed(left), index))) == [(middle.item_id, 2, None)]


def test_a_released_picture_matches_nothing(index: HashIndex) -> None:
    (original,) = judged(index, uuid4(), (uuid4(), 0))
    assert handled(on_storage_failed(storage_failed(original), index)) == []
    (answer,) = handled(on_image_hashed(hashed(tenant=original.tenant_id, phash=LOOK), index))
    assert isinstance(answer, ImageAccepted)


def test_a_design_on_the_nas_stays_known_when_a_late_failure_is_reported(index: HashIndex) -> None:
    session = uuid4()
    original, _ = judged(index, uuid4(), (session, 0), (session, 1))
    on_design_stored(stored(original), index)
    assert handled(on_storage_failed(storage_failed(original), index)) == []


def test_a_failure_of_an_earlier_generation_does_not_release_a_later_claim(index: HashIndex) -> None:
    (original,) = judged(index, uuid4(), (uuid4(), 0))
    handled(on_storage_failed(storage_failed(original), index))
    again = original.model_copy(update={"generation": 1})
    assert isinstance(handled(on_image_hashed(again, index))[0], ImageAccepted)
    handled(on_storage_failed(storage_failed(original), index))
    (answer,) = handled(on_image_hashed(hashed(tenant=original.tenant_id, phash=LOOK), index))
    assert isinstance(answer, DuplicateFound)


def test_a_failed_duplicate_releases_nothing(index: HashIndex) -> None:
    session = uuid4()
    original, twin = judged(index, uuid4(), (session, 0), (session, 1))
    assert handled(on_storage_failed(storage_failed(twin), index)) == []
    (answer,) = handled(on_image_hashed(hashed(tenant=original.tenant_id, phash=LOOK), index))
    assert isinstance(answer, DuplicateFound)


def test_a_retried_original_is_now_the_duplicate_of_its_former_duplicate(index: HashIndex) -> None:
    session = uuid4()
    original, twin = judged(index, uuid4(), (session, 0), (session, 1))
    handled(on_storage_failed(storage_failed(original), index))
    (answer,) = handled(on_image_hashed(original.model_copy(update={"generation": 1}), index))
    assert shape([answer]) == [(original.item_id, 1, twin.item_id)]


def test_what_is_cancelled_together_is_not_decided_anew_and_what_is_still_wanted_is(index: HashIndex) -> None:
    tenant, early, late = uuid4(), uuid4(), uuid4()
    original, copy, other = judged(index, tenant, (early, 0), (early, 1), (late, 0))
    on_work_cancelled(cancelled(original, copy), index)
    first = handled(on_storage_failed(storage_failed(original), index))
    assert shape(first) == [(other.item_id, 1, None)]
    assert handled(on_storage_failed(storage_failed(original), index)) == first
    (answer,) = handled(on_image_hashed(hashed(tenant=tenant, session=late, index=1, phash=LOOK), index))
    assert shape([answer])[0][2] == other.item_id, "nothing is a duplicate of what was cancelled"


def test_a_cancelled_picture_stays_claimed_until_storage_has_let_it_go(index: HashIndex) -> None:
    """It may have its number, and then is stored all the same."""
    tenant, session = uuid4(), uuid4()
    (original,) = judged(index, tenant, (session, 0))
    on_work_cancelled(cancelled(original), index)
    (answer,) = handled(on_image_hashed(hashed(tenant=tenant, phash=LOOK), index))
    assert shape([answer])[0][2] == original.item_id


def test_a_cancelled_claim_that_comes_late_is_let_go_when_storage_refuses_it(index: HashIndex) -> None:
    tenant, session = uuid4(), uuid4()
    original = hashed(tenant=tenant, session=session, index=0, phash=LOOK)
    copy = hashed(tenant=tenant, session=session, index=1, phash=LOOK)
    on_work_cancelled(cancelled(original, copy), index)
    for late in (original, copy):
        handled(on_image_hashed(late, index))
    assert handled(on_storage_failed(storage_failed(original), index)) == []
