"""What people said of a pair stands: in either order, whatever fails, and however often it is told."""

from uuid import UUID, uuid4

from services.dedup.handlers import on_image_hashed, on_pair_judged, on_storage_failed, on_work_cancelled
from services.dedup.store import HashIndex
from shared.contracts import DuplicateFound, ImageAccepted, ImageHashed, PairJudged
from tests.integration.dedup.fates import cancelled, handled, storage_failed
from tests.unit.dedup.pictures import hashed, random_hash

LOOK = random_hash()


def asking(tenant: UUID, upload: str, **facts: int) -> ImageHashed:
    """One of many near copies, from an upload that asks."""
    found = hashed(tenant=tenant, phash=LOOK, upload=f"{tenant} {upload}", **facts)  # type: ignore[arg-type]
    return found.model_copy(update={"duplicates": "review"})


def to_keep(event: ImageHashed, generation: int) -> ImageHashed:
    """As it comes again when somebody has said so."""
    return event.model_copy(update={"generation": generation, "kept": True})


def said(event: ImageHashed, decision: str) -> PairJudged:
    return PairJudged.model_validate(
        {"tenant_id": event.tenant_id, "item_id": event.item_id, "generation": event.generation, "decision": decision}
    )


def answer(event: ImageHashed, index: HashIndex) -> ImageAccepted | DuplicateFound:
    (found,) = handled(on_image_hashed(event, index))
    return found


def asked(found: ImageAccepted | DuplicateFound) -> bool:
    return isinstance(found, DuplicateFound) and found.review


def test_a_kept_file_is_accepted_and_the_pair_asks_nobody_again_in_either_order(index: HashIndex) -> None:
    tenant = uuid4()
    first, second = asking(tenant, "a"), asking(tenant, "b")
    answer(first, index)
    assert asked(answer(second, index))
    on_pair_judged(said(second, "keep"), index)
    accepted = answer(to_keep(second, 1), index)
    assert isinstance(accepted, ImageAccepted)
    assert answer(to_keep(second, 1), index) == accepted, "told twice"
    for original in (first, to_keep(second, 1)):
        handled(on_storage_failed(storage_failed(original), index))
    assert isinstance(answer(asking(tenant, "b"), index), ImageAccepted)
    assert isinstance(answer(asking(tenant, "a"), index), ImageAccepted), "the other one comes second now"


def test_what_was_skipped_is_not_asked_again_and_a_keep_goes_before_it_whenever_it_comes(index: HashIndex) -> None:
    tenant = uuid4()
    first, second = asking(tenant, "a"), asking(tenant, "b")
    answer(first, index)
    answer(second, index)
    on_pair_judged(said(second, "skip"), index)
    again = answer(asking(tenant, "b"), index)
    assert isinstance(again, DuplicateFound)
    assert not again.review
    for decision in ("keep", "skip"):  # the news of the skip was delivered once more, late
        on_pair_judged(said(second, decision), index)
    assert isinstance(answer(asking(tenant, "b"), index), ImageAccepted)


def test_another_tenant_is_asked_about_the_same_files(index: HashIndex) -> None:
    tenant, other = uuid4(), uuid4()
    mine = [asking(tenant, "a"), asking(tenant, "b")]
    theirs = [event.model_copy(update={"tenant_id": other, "item_id": uuid4()}) for event in mine]
    for event in (*mine, *theirs):
        answer(event, index)
    on_pair_judged(said(mine[1], "keep"), index)
    third = theirs[1].model_copy(update={"item_id": uuid4()})
    assert asked(answer(third, index))
    on_pair_judged(said(mine[1], "keep").model_copy(update={"tenant_id": other}), index)
    assert asked(answer(third.model_copy(update={"item_id": uuid4()}), index)), "a verdict that is not theirs"


def test_a_kept_file_that_was_judged_once_more_meanwhile_is_accepted_all_the_same(index: HashIndex) -> None:
    """What it matched failed before its turn came: it is a near copy of another one now, whose turn came first."""
    tenant, session = uuid4(), uuid4()
    first, second, third = (
        asking(tenant, name, index=place).model_copy(update={"session_id": session}) for place, name in enumerate("abc")
    )
    for event in (first, second, third):
        answer(event, index)
    anew = handled(on_storage_failed(storage_failed(first), index))
    assert [(found.item_id, asked(found)) for found in anew] == [(second.item_id, False), (third.item_id, True)]
    kept = answer(to_keep(third, 1), index)
    assert isinstance(kept, ImageAccepted)
    assert kept.generation == 2
    assert answer(to_keep(third, 1), index) == kept


def test_a_kept_file_that_was_cancelled_meanwhile_is_not_judged_once_more(index: HashIndex) -> None:
    tenant, session = uuid4(), uuid4()
    first, second, third = (
        asking(tenant, name, index=place).model_copy(update={"session_id": session}) for place, name in enumerate("abc")
    )
    for event in (first, second, third):
        answer(event, index)
    handled(on_storage_failed(storage_failed(first), index))
    on_work_cancelled(cancelled(to_keep(third, 1)), index)
    assert isinstance(answer(to_keep(third, 1), index), DuplicateFound)


def test_a_kept_file_that_fails_is_kept_when_it_is_tried_again_beside_whatever_came_meanwhile(index: HashIndex) -> None:
    tenant = uuid4()
    first, second, third = asking(tenant, "a"), asking(tenant, "b"), asking(tenant, "c")
    answer(first, index)
    answer(second, index)
    on_pair_judged(said(second, "keep"), index)
    answer(to_keep(second, 1), index)
    handled(on_storage_failed(storage_failed(second, 1), index))
    answer(third, index)
    answer(to_keep(third, 1), index)
    assert isinstance(answer(to_keep(second, 2), index), ImageAccepted)
    twin = asking(tenant, "b")
    found = answer(to_keep(twin, 0), index)
    assert isinstance(found, DuplicateFound), "never the same file twice"
    assert found.kind == "identical"


def test_a_pair_that_an_earlier_release_found_is_known_by_what_the_other_file_holds(index: HashIndex) -> None:
    tenant = uuid4()
    first, second = asking(tenant, "a"), asking(tenant, "b")
    answer(first, index)
    answer(second, index)
    with index.engine.begin() as connection:
        strip = "UPDATE dedup.verdicts SET duplicate = duplicate #- '{match,content}' WHERE item_id = %s"
        connection.exec_driver_sql(strip, (second.item_id,))
    on_pair_judged(said(second, "keep"), index)
    assert isinstance(answer(asking(tenant, "b"), index), ImageAccepted)


def test_a_file_that_is_tried_again_though_it_is_stored_is_no_duplicate_of_what_was_kept_beside_it(
    index: HashIndex,
) -> None:
    """Its failure was told, and it is on the NAS all the same: only storage lets go of a claim."""
    tenant = uuid4()
    first = asking(tenant, "a")
    answer(first, index)
    answer(asking(tenant, "b").model_copy(update={"duplicates": "keep_all"}), index)
    answer(asking(tenant, "a").model_copy(update={"duplicates": "keep_all"}), index)
    again = first.model_copy(update={"generation": 1})
    assert isinstance(answer(again, index), ImageAccepted)
    handled(on_storage_failed(storage_failed(first, 1), index))
    assert isinstance(answer(first.model_copy(update={"generation": 2}), index), DuplicateFound), "nobody holds it now"


def test_what_was_said_of_a_verdict_that_is_lost_changes_nothing(index: HashIndex) -> None:
    tenant = uuid4()
    first, second = asking(tenant, "a"), asking(tenant, "b")
    answer(first, index)
    on_pair_judged(said(second, "keep"), index)
    assert asked(answer(second, index))
