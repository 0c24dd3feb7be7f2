"""Numbers are given in upload order, without gap or reuse."""

from hypothesis import given, settings
from hypothesis import strategies as st

from services.storage.numbering import Standing, first_free, numbers_due

PENDING, SETTLED, PLACED, NUMBERED = Standing.PENDING, Standing.SETTLED, Standing.PLACED, Standing.NUMBERED


def test_placed_items_get_numbers_up_to_the_first_pending_one() -> None:
    session = dict(enumerate([PLACED, SETTLED, PLACED, PENDING, PLACED]))
    assert numbers_due(session, 100) == {0: 100, 2: 101}


def test_an_item_that_nobody_has_heard_of_holds_up_the_later_ones() -> None:
    assert numbers_due({1: PLACED, 2: PLACED}, 100) == {}
    assert numbers_due({0: SETTLED, 1: PLACED, 3: PLACED}, 100) == {1: 100}


def test_numbered_items_keep_theirs() -> None:
    assert numbers_due({0: NUMBERED, 1: PLACED, 2: NUMBERED}, 102) == {1: 102}


def test_a_session_of_nothing_but_duplicates_needs_no_number() -> None:
    assert numbers_due({0: SETTLED, 1: SETTLED}, 100) == {}


@settings(deadline=None)
@given(
    st.lists(st.booleans(), min_size=1, max_size=12).flatmap(
        lambda kept: st.tuples(st.just(kept), st.permutations(range(len(kept))))
    )
)
def test_in_whatever_order_verdicts_come_the_numbers_follow_the_upload_order(
    case: tuple[list[bool], list[int]],
) -> None:
    kept, arrivals = case
    standings: dict[int, Standing] = {}
    given_numbers: dict[int, int] = {}
    for index in arrivals:
        standings[index] = PLACED if kept[index] else SETTLED
        due = numbers_due(standings, 100 + len(given_numbers))
        assert not due.keys() & given_numbers.keys()
        given_numbers |= due
        standings |= dict.fromkeys(due, NUMBERED)
    expected = [index for index, keep in enumerate(kept) if keep]
    assert sorted(given_numbers, key=given_numbers.__getitem__) == expected
    assert sorted(given_numbers.values()) == list(range(100, 100 + len(expected)))


def test_the_next_number_follows_the_greatest_taken_and_never_falls_below_the_floor() -> None:
    assert first_free(100, []) == 100
    assert first_free(100, [7, 99]) == 100
    assert first_free(100, [100, 105]) == 106
    assert first_free(0, []) == 0
