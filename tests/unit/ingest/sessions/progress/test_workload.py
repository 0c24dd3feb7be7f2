"""How much of an upload's work is done, and how fast it goes."""

import pytest

from services.ingest.sessions.progress.totals import Totals, percent
from services.ingest.sessions.progress.workload import FILE_BYTES, Costs, Pace, Workload, weight

MB = 10**6


def test_a_large_file_weighs_more_and_a_tiny_one_is_not_for_nothing() -> None:
    assert weight(100 * MB) > 5 * weight(1 * MB)
    assert weight(0) == FILE_BYTES


def test_percent_follows_the_bytes_and_not_the_number_of_files() -> None:
    workload = Workload(work=weight(100 * MB) + 3 * weight(0))
    for _ in range(3):
        workload = workload.changed(weight(0), {"hashed": 1}, 0.0).changed(weight(0), {"hashed": -1, "stored": 1}, 0.0)
    small = percent(Totals(received=4, stored=3), workload, finished=False)
    workload = workload.changed(weight(100 * MB), {"hashed": 1}, 0.0)
    assert small < 12  # three of four files, but a fifth of the work
    assert percent(Totals(received=4, stored=3, hashed=1), workload, finished=False) > 3 * small


def test_stages_count_as_much_as_they_cost_in_the_lane() -> None:
    def hashed(costs: Costs) -> float:
        workload = Workload(work=100.0, costs=costs).changed(100, {"hashed": 1}, 0.0)
        return percent(Totals(received=1, hashed=1), workload, finished=False)

    slow_nas, slow_shop = Costs(hashed=0.1, listing=0.1), Costs(hashed=0.9, listing=0.9)
    assert hashed(slow_nas) == pytest.approx(99 * 0.9 * 0.1, abs=0.01)
    assert hashed(slow_shop) == pytest.approx(99 * 0.1 * 0.9, abs=0.01)


def test_a_file_that_is_tried_anew_is_not_done_any_more() -> None:
    workload = Workload(work=30.0).changed(10, {"failed": 1}, 0.0).changed(20, {"hashed": 1}, 0.0)
    before = workload.changed(10, {"failed": -1}, 0.0)
    assert before.done == pytest.approx(20 * 0.6)
    assert before.changed(20, {"hashed": -1, "stored": 1}, 0.0).changed(10, {"stored": 1}, 0.0).done == 30.0


def test_of_an_upload_from_an_older_release_files_are_counted() -> None:
    totals = Totals(received=4, hashed=2, stored=1)
    assert percent(totals, Workload(), finished=False) == pytest.approx(99 * 0.6 * (0.6 * 2 + 1) / 4, abs=0.01)


def test_costs_are_kept_as_json_and_read_as_they_were() -> None:
    kept = Costs(hashed=0.3, file_s=(1.0, 2.0, 3.0), listed=False, uploads=7)
    assert Costs.of(kept.as_json()) == kept
    assert Costs.of(None) == Costs()


def rate(pace: Pace) -> float:
    return pace.done / pace.seconds


def test_the_pace_is_that_of_late() -> None:
    pace = Pace.from_now(0.0)
    for second in range(1, 61):
        pace = pace.advanced(1.0, 1.0, second)
    assert rate(pace) == pytest.approx(1.0)
    for second in range(61, 181):
        pace = pace.advanced(4.0, 1.0, second)
    assert 3.0 < rate(pace) <= 4.0


def test_an_outage_is_no_sign_of_the_pace() -> None:
    pace = Pace.from_now(0.0)
    for second in range(1, 11):
        pace = pace.advanced(1.0, 1.0, second)
    after = pace.advanced(1.0, 1.0, 10 + 6 * 3600)
    for second in range(1, 11):
        after = after.advanced(1.0, 1.0, 10 + 6 * 3600 + second)
    assert 0.1 < rate(after) < 1.0
    assert pace.passed(10 + 6 * 3600) == 60.0


def test_slow_files_make_a_pace_of_their_own_as_well() -> None:
    workload = Workload(work=100.0, files=Pace.from_now(0.0))
    for number in range(1, 4):
        assert not workload.measured
        workload = workload.changed(10, {"stored": 1}, 300.0 * number)
    assert workload.measured
