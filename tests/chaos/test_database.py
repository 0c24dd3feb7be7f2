"""The database dies or is away."""

import pytest

from tests.chaos.conftest import Case
from tests.chaos.waiting import until
from tests.chaos.world import wait_s


@pytest.mark.chaos_short
def test_f11_postmaster_killed_in_a_commit_storm(case: Case) -> None:
    works = [case.begin(case.files(12)), case.begin(case.files(12))]
    works[0].until_heard("submitted")
    case.pause(1.5)
    case.world.database.kill()
    case.world.database.start()
    case.balance(*works)


def test_f12_away(case: Case) -> None:
    work = case.begin(case.files(12))
    work.until_heard("submitted")
    case.pause(1.0)
    case.world.database.proxy.refuse()
    try:
        until(lambda: case.world.state().get("database") == "away" or None)
        wait_s(case.outage_s())
    finally:
        case.world.database.proxy.accept()
    case.balance(work)
