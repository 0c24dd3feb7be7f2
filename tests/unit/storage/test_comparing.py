"""What a scan has to do, with nothing around it."""

import pytest

from services.storage.comparing import Difference, Listing, Met, compare, is_picture, is_wanted, unlisted
from shared.nas import Stat

ROSE, TULIP = "NorthCups/Cups/rose.png", "NorthCups/tulip.png"


def found(**files: tuple[int, int]) -> dict[str, Stat]:
    paths = {"rose": ROSE, "tulip": TULIP}
    return {paths[name]: Stat(paths[name], *facts) for name, facts in files.items()}


def difference(
    pictures: dict[str, Stat], met: dict[str, Met], stored: dict[str, int] | None = None, *, anew: bool = False
) -> Difference:
    return compare(Listing(pictures, {}), met, stored or {}, anew=anew)


def test_what_nobody_has_met_is_to_be_hashed_and_what_is_as_it_was_is_not() -> None:
    pictures = found(rose=(10, 1), tulip=(20, 2))
    assert [file.path for file in difference(pictures, {}).to_hash] == [ROSE, TULIP]
    assert [file.path for file in difference(pictures, {ROSE: Met(10, 1, "known")}).to_hash] == [TULIP]
    met = {ROSE: Met(10, 1, "known"), TULIP: Met(20, 2, "unusable")}
    assert difference(pictures, met) == Difference((), (), 2, 0)


@pytest.mark.parametrize("last", [Met(11, 1, "known"), Met(10, 0, "unusable"), Met(10, 1, "gone")])
def test_another_size_or_time_or_a_file_that_came_back_is_to_be_hashed(last: Met) -> None:
    assert len(difference(found(rose=(10, 1)), {ROSE: last}).to_hash) == 1


def test_what_the_hashers_have_in_hand_is_left_alone_until_it_is_late() -> None:
    in_hand, late = Met(10, 1, "sent"), Met(10, 1, "sent", is_late=True)
    assert difference(found(rose=(99, 9)), {ROSE: in_hand}) == Difference((), (), 1, 0)
    assert difference({}, {ROSE: in_hand}).gone == ()
    assert len(difference(found(rose=(10, 1)), {ROSE: late}).to_hash) == 1
    assert difference({}, {ROSE: late}).gone == (ROSE,)


def test_anew_is_all_that_does_not_wait_already() -> None:
    pictures = found(rose=(10, 1), tulip=(20, 2))
    met = {ROSE: Met(10, 1, "known"), TULIP: Met(20, 2, "waiting")}
    assert [file.path for file in difference(pictures, met, anew=True).to_hash] == [ROSE]


def test_designs_of_ours_are_not_hashed_unless_somebody_changed_them() -> None:
    pictures = found(rose=(10, 1))
    assert difference(pictures, {}, {ROSE: 10}) == Difference((), (), 0, 1)
    assert len(difference(pictures, {}, {ROSE: 9}).to_hash) == 1


def test_one_of_ours_that_was_met_as_another_file_is_hashed_once_it_has_changed() -> None:
    pictures, before = found(rose=(10, 1)), {ROSE: Met(10, 1, "known")}
    assert difference(pictures, before, {ROSE: 10}) == Difference((), (), 1, 0)
    assert len(difference(found(rose=(10, 2)), before, {ROSE: 10}).to_hash) == 1
    assert difference(pictures, {ROSE: Met(10, 1, "gone")}, {ROSE: 10}) == Difference((), (), 0, 1)


def test_our_designs_that_are_not_listed_are_looked_up_until_missing_and_hashed_when_back() -> None:
    nothing, missing = Listing({}, {}), Met(0, 0, "missing")
    assert unlisted(nothing, {TULIP: Met(1, 1, "known")}, {ROSE: 10, TULIP: 20}) == [ROSE, TULIP]
    assert unlisted(Listing({}, {"NorthCups/Cups": "no right to"}), {}, {ROSE: 10}) == []
    assert unlisted(nothing, {ROSE: missing}, {ROSE: 10}) == []
    assert difference({}, {ROSE: missing}, {ROSE: 10}).gone == ()
    assert len(difference(found(rose=(10, 1)), {ROSE: missing}, {ROSE: 10}).to_hash) == 1


def test_what_lies_there_no_more_is_gone_once_and_what_could_not_be_listed_is_not() -> None:
    met = {ROSE: Met(10, 1, "known"), TULIP: Met(20, 2, "gone")}
    assert difference({}, met).gone == (ROSE,)
    assert compare(Listing({}, {"NorthCups/Cups": "no right to"}), met, {}).gone == ()


def test_only_pictures_outside_of_the_mockups_folder_are_looked_at() -> None:
    assert all(map(is_picture, ("a/b.PNG", "a/b.jpeg", "a/b.webp")))
    assert not any(map(is_picture, ("a/b.psd", "a/png", "a/b.zip", f"{'x' * 1000}.png")))
    assert is_wanted("NorthCups", "NorthCups/Digital")
    assert is_wanted("NorthCups", "NorthCups/Cups/Mockups")
    assert not is_wanted("NorthCups", "NorthCups/Mockups")
    assert not is_wanted("NorthCups", "NorthCups/MOCKUPS")
