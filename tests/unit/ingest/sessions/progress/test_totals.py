"""What a session's counts mean to the person who waits."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from services.ingest.sessions.progress.totals import Totals, concerns, message, percent, step, summary
from services.ingest.sessions.progress.workload import Workload

WAYS = (["hashed", "accepted", "stored"], ["hashed", "duplicate"], ["rejected"], ["hashed", "accepted", "failed"])


@given(st.lists(st.sampled_from(WAYS), min_size=1, max_size=12), st.randoms())
def test_percent_and_step_never_go_back_and_the_counts_always_add_up(ways: list[list[str]], random: object) -> None:
    totals = Totals(received=len(ways))
    weights = [random.randint(1, 10**9) for _ in ways]  # type: ignore[attr-defined]
    workload = Workload(work=sum(weights))
    todo = [list(way) for way in ways]
    state = [""] * len(ways)
    last = (0.0, 0)
    while any(todo):
        index = random.choice([i for i, way in enumerate(todo) if way])  # type: ignore[attr-defined]
        new = todo[index].pop(0)
        changes = {new: 1} | ({state[index]: -1} if state[index] else {})
        state[index] = new
        totals = replace(totals, **{name: getattr(totals, name) + change for name, change in changes.items()})
        workload = workload.changed(weights[index], changes, 0.0)
        now = (percent(totals, workload, finished=False), step(totals, finished=False))
        assert now[0] >= last[0]
        assert now[1] >= last[1]
        assert now[0] < 100
        last = now
        working = totals.hashed + totals.accepted + sum(1 for s in state if not s)
        assert totals.received == totals.settled + working
        assert totals.in_progress == working


def test_the_last_step_comes_only_at_the_end() -> None:
    done = Totals(received=2, stored=2, requested=2, listed=2)
    assert step(done, finished=False) == 3
    assert percent(done, Workload(), finished=False) == 99.0
    assert (step(done, finished=True), percent(done, Workload(), finished=True)) == (4, 100.0)


def test_the_words_follow_the_work() -> None:
    assert message(Totals(received=3), finished=False) == "Checking for duplicates"
    assert message(Totals(received=3, hashed=1), finished=False) == "Processing and formatting images (0/3)"
    again = "Working on what was taken up again: 2 of 3 files to go"
    assert message(Totals(received=3, stored=1), finished=False, again=True) == again
    assert message(Totals(received=3, stored=3, requested=3, rendered=1), finished=False) == (
        "Creating product mockups (1/3)"
    )
    assert message(Totals(received=3, stored=3, requested=3, rendered=2, listed=1), finished=False) == (
        "Uploading to Etsy store (1/3)"
    )
    assert message(Totals(received=1, rejected=1), finished=True).startswith("Upload failed: ")
    assert message(Totals(received=2, duplicate=2), finished=True).startswith("Upload completed successfully")


def test_designs_that_nobody_asked_to_list_yet_wait_for_that_in_words() -> None:
    def words(**counts: int) -> str:
        return message(Totals(**counts), finished=False)

    assert words(received=30, stored=30) == "All 30 designs are stored; their listings are not asked for yet"
    assert words(received=1, stored=1) == "The design is stored; its listing is not asked for yet"
    assert words(received=4, stored=2, duplicate=2, to_review=1) == (
        "All files are done: 2 stored, 1 duplicate skipped, 1 near copy to decide about; listings are not asked for yet"
    )
    assert words(received=2, duplicate=2) == "Processing and formatting images (2/2)", "there is nothing to list"
    assert words(received=2, stored=2, requested=1) == "Creating product mockups (0/1)"


def test_the_end_is_called_a_success_only_when_nothing_failed() -> None:
    def words(**counts: int) -> str:
        return message(Totals(**counts), finished=True)

    assert words(received=4, stored=2, failed=2) == "Upload completed, but not all of it: 2 stored, 2 failed"
    assert words(received=2, stored=2, requested=2, listed=1, listing_failed=1) == (
        "Upload completed, but not all of it: 2 stored, 1 listed, 1 listing failed"
    )
    assert words(received=6, stored=6, requested=3, listing_failed=3) == (
        "Upload completed, but nothing was listed: 6 stored, 0 listed, 3 listings failed"
    )
    assert words(received=2, stored=2) == "Upload completed successfully: 2 stored"


def test_designs_that_nobody_asked_to_list_are_told_at_the_end() -> None:
    """Their upload was cancelled once all were stored, say, and somebody has listed some of them since."""

    def words(**counts: int) -> str:
        return message(Totals(**counts), finished=True)

    assert words(received=28, stored=28, requested=6, listed=6) == (
        "Upload completed successfully: 28 stored, 6 listed; listings of the others were not asked for"
    )
    assert words(received=2, stored=2, requested=1, listed=1) == (
        "Upload completed successfully: 2 stored, 1 listed; the listing of the other one was not asked for"
    )
    assert words(received=6, stored=6, requested=6, listed=6) == "Upload completed successfully: 6 stored, 6 listed"
    assert words(received=30, stored=28, failed=2, cancelled=2, requested=6, listed=6) == (
        "Upload completed, but not all of it: 28 stored, 6 listed, 2 cancelled; listings of the others were not asked "
        "for"
    )


def test_what_somebody_cancelled_is_not_called_failed() -> None:
    def words(**counts: int) -> str:
        return message(Totals(**counts), finished=True)

    assert words() == "Upload cancelled before its files came"
    assert words(received=2, failed=2, cancelled=2) == "Upload cancelled: 0 stored, 2 cancelled"
    assert words(received=3, failed=3, cancelled=1) == "Upload failed: 0 stored, 2 failed, 1 cancelled"
    assert words(received=3, stored=1, failed=2, cancelled=2) == (
        "Upload completed, but not all of it: 1 stored, 2 cancelled"
    )
    listings = {"requested": 4, "listing_failed": 4, "listing_cancelled": 3}
    assert words(received=4, stored=4, **listings) == (
        "Upload completed, but nothing was listed: 4 stored, 0 listed, 1 listing failed, 3 listings cancelled"
    )


def test_a_cancelled_upload_says_so_and_how_much_of_it_was_stored_by_then() -> None:
    def words(**counts: int) -> str:
        return message(Totals(**counts), finished=True, cancelled=True)

    assert words() == "Upload cancelled before its files came"
    assert words(received=3, failed=3, cancelled=3) == "Upload cancelled: 0 of 3 stored by then, 3 cancelled"
    assert words(received=5, stored=5) == "Upload cancelled: 5 of 5 stored by then"
    assert words(received=6, stored=1, duplicate=1, failed=4, cancelled=3) == (
        "Upload cancelled: 1 of 6 stored by then, 1 duplicate skipped, 1 failed, 3 cancelled"
    )
    assert words(received=3, stored=3, requested=3, listed=1, listing_failed=2, listing_cancelled=2) == (
        "Upload cancelled: 3 of 3 stored by then, 1 listed, 2 listings cancelled"
    )


def test_only_the_work_that_is_left_waits() -> None:
    hashing, listing = Totals(received=2, hashed=1), Totals(received=2, stored=2, requested=2, rendered=2)
    services = ("hasher", "dedup", "storage", "mockup", "publisher")
    assert [name for name in services if concerns(name, hashing)] == ["hasher", "dedup", "storage"]
    assert [name for name in services if concerns(name, listing)] == ["publisher"]


def test_the_summary_names_what_is_not_zero() -> None:
    totals = Totals(received=6, stored=2, duplicate=2, rejected=1, failed=1, requested=2, listed=2)
    assert summary(totals) == "2 stored, 2 listed, 2 duplicates skipped, 1 could not be used, 1 failed"
