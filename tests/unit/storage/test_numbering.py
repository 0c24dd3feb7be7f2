"""Designs become due for a number in upload order, each once."""

from hypothesis import given
from hypothesis import strategies as st

from services.storage.numbering import Standing, first_free, items_due

PENDING, SETTLED, PLACED, NUMBERED = Standing.PENDING, Standing.SETTLED, Standing.PLACED, Standing.NUMBERED


def test_placed_items_are_due_up_to_the_first_pending_one() -> None:
    session = dict(enumerate([PLACED, SETTLED, PLACED, PENDING, PLACED]))
    assert items_due(session) == [0, 2]


def test_an_item_that_nobody_has_heard_of_holds_up_the_later_ones() -> None:
    assert items_due({1: PLACED, 2: PLACED}) == []
    assert items_due({0: SETTLED, 1: PLACED, 3: PLACED}) == [1]


def test_numbered_items_need_no_other_number() -> None:
    assert items_due({0: NUMBERED, 1: PLACED, 2: NUMBERED}) == [1]


def test_a_session_of_nothing_but_duplicates_needs_no_number() -> None:
    assert items_due({0: SETTLED, 1: SETTLED}) == []


@given(
    st.lists(st.booleans(), min_size=1, max_size=12).flatmap(
        lambda kept: st.tuples(st.just(kept), st.permutations(range(len(kept))))
    )
)
def test_in_whatever_order_verdicts_come_items_are_due_once_and_in_upload_order(
    case: tuple[list[bool], list[int]],
) -> None:
    kept, arrivals = case
    standings: dict[int, Standing] = {}
    numbered: list[int] = []
    for index in arrivals:
        standings[index] = PLACED if kept[index] else SETTLED
        due = items_due(standings)
        numbered += due
        standings |= dict.fromkeys(due, NUMBERED)
    assert numbered == [index for index, keep in enumerate(kept) if keep]


def test_the_first_free_number_follows_the_greatest_taken() -> None:
    assert first_free([]) == 0
    assert first_free([0]) == 1
    assert first_free([105, 7, 100]) == 106
