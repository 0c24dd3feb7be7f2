"""Dead letters are replayed while the process that replays them dies, by two operators at once, and some die again."""

from collections import Counter
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from services.ingest.catalog.users import Users
from shared.database import transaction
from tests.chaos import broker_control as control
from tests.chaos.conftest import Case
from tests.chaos.failpoints import CREATE, DECIDE, PUBLISH, REPLAY
from tests.chaos.work import Work
from tests.seller import Seller
from tests.waiting import until

FILES = 4
UNREADABLE = 3
SERVICES = ("hasher", "dedup", "storage", "mockup", "publisher")
BROKEN = "raise:shared.errors:Permanent"
REPLAYED = ("reopened", "redelivered")

# where ingest dies: the place, the moment, what the call is about, and how many calls may pass at most
DEATHS = {
    "before a letter's commit": (REPLAY, "before", (), FILES + UNREADABLE),
    "after a letter's commit": (REPLAY, "after", (), FILES + UNREADABLE),
    "before a publish": (PUBLISH, "before", ("'replay.",), UNREADABLE),
    "between confirm and mark": (PUBLISH, "after", ("'replay.",), UNREADABLE),
}


@pytest.mark.parametrize("moment", DEATHS)
def test_f29_replay_killed_and_submitted_twice(case: Case, moment: str) -> None:
    point, when, needles, calls = DEATHS[moment]
    work, ids = dead(case)
    shot = case.world.points.arm(point, when, "kill", *needles, service="ingest", skip=case.chance.randrange(calls))
    case.world.points.arm(CREATE, "before", BROKEN, service="publisher", skip=case.chance.randrange(FILES))
    runs = submitted_twice(case, ids)
    shot.wait()
    work.dead_letters = FILES + 1
    work.finish()
    each_was_replayed_once(case, ids, runs)
    again = died_again(case, work, ids)
    submitted_twice(case, [again])
    work.listings_expected.clear()
    case.balance(work)
    until(lambda: {row.status for row in letters(case, [again])} == {"resolved"}, what="it is not resolved")


@pytest.mark.parametrize("when", ["before", "after"])
def test_f29_failed_files_replayed(case: Case, when: str) -> None:
    """Each is taken up again from the start, once, and is stored; ingest dies around the commit of one of them."""
    failed = case.chance.sample(range(FILES), 2)
    for place in failed:
        case.world.points.arm(DECIDE, "before", BROKEN, f"name='design-{place}.png'", service="dedup", lasting=True)
    expected = dict.fromkeys(failed, "failed")
    work = case.begin(case.files(FILES), expected=expected, listed=False, dead_letters=len(failed))
    case.balance(work)
    case.world.points.disarm()
    session = case.world.rows("SELECT id FROM ingest.sessions WHERE client_key = :key", key=work.session_id)[0].id
    found = case.world.rows("SELECT id FROM ingest.dead_letters WHERE session_id = :id", id=session)
    ids = [str(row.id) for row in found]
    assert len(ids) == len(failed)
    shot = case.world.points.arm(REPLAY, when, "kill", service="ingest", skip=case.chance.randrange(len(ids)))
    runs = submitted_twice(case, ids)
    shot.wait()
    work.expected.clear()
    until(lambda: {row.status for row in letters(case, ids)} == {"resolved"}, what="no end")
    work.told_by_receipt()
    case.balance(work)
    each_was_replayed_once(case, ids, runs)
    generations = case.world.rows("SELECT generation FROM ingest.items WHERE session_id = :id", id=session)
    assert sorted(row.generation for row in generations) == [0] * (FILES - len(failed)) + [1] * len(failed)


def dead(case: Case) -> tuple[Work, list[str]]:
    """An upload whose listings all failed, messages that nobody can read, and the letters of both."""
    points, marker = case.world.points, f"unreadable {case.seed}"
    points.arm(CREATE, "before", BROKEN, service="publisher", lasting=True)
    expected = dict.fromkeys(range(FILES), "failed")
    work = case.begin(case.files(FILES), listings_expected=expected, dead_letters=FILES)
    for service in case.chance.sample(SERVICES, UNREADABLE):
        control.send(case.world.broker, f"presswork.{service}", f"{marker} {service}".encode())
    case.balance(work)
    points.disarm()
    until(lambda: len(control.letters(case.world, marker)) == UNREADABLE, what="not all are archived")
    query = "SELECT id FROM ingest.dead_letters WHERE position(:marker in body) > 0 OR position(:key in body) > 0"
    session = case.world.rows("SELECT id FROM ingest.sessions WHERE client_key = :key", key=work.session_id)[0].id
    ids = [str(row.id) for row in case.world.rows(query, marker=marker, key=str(session))]
    assert len(ids) == FILES + UNREADABLE
    case.chance.shuffle(ids)
    return work, ids


def submitted_twice(case: Case, ids: list[str]) -> list[str]:
    """Two operators ask for the same replay at once, and ask again until they have an answer; the ids of their runs."""
    operators = [case.seller(), case.seller()]
    with transaction(case.world.engine) as connection:
        for operator in operators:
            Users(connection).set_role(operator.email, "operator")
    with ThreadPoolExecutor(2) as pool:
        asked = [pool.submit(replayed, operator, ids) for operator in operators]

        def answered() -> list[str] | None:
            case.world.revive()
            return [_run(future) for future in asked] if all(future.done() for future in asked) else None

        return until(answered, what="the replays were not answered")


def replayed(operator: Seller, ids: list[str]) -> dict[str, Any]:
    """What the server answers in the end: a letter that an earlier call has replayed is told as refused."""
    answers: list[dict[str, Any]] = []

    def ask() -> dict[str, Any] | None:
        try:
            response = operator.http.post("/api/v1/ops/dead-letters/replay", json={"filter": {"ids": ids}})
        except httpx.TransportError:
            return None
        if response.status_code == 409 and "no ingest is running" in response.text:
            return None  # it has only just been started: nothing was replayed, and asking again is safe
        assert response.is_success, response.text
        answers.append(response.json())
        return answers[-1]

    return until(ask, what="the server never answered")


def each_was_replayed_once(case: Case, ids: list[str], runs: list[str]) -> None:
    """One row of the audit says so of each letter, and every run that was answered accounts for every letter."""
    query = """
        SELECT run_id, letter_id, result, words FROM ingest.dead_letter_audit
        WHERE letter_id = ANY(CAST(:ids AS uuid[]))"""
    rows = case.world.rows(query, ids=ids)
    done = Counter(str(row.letter_id) for row in rows if row.result in REPLAYED)
    case.ledger.counts.doubled += sum(count - 1 for count in done.values())
    case.ledger.counts.lost += len(set(ids) - set(done))
    assert done == Counter(ids), [tuple(row) for row in rows]
    for run in runs:
        told = Counter(str(row.letter_id) for row in rows if str(row.run_id) == run)
        assert told == Counter(ids), f"the audit of {run} tells of {told}"


def died_again(case: Case, work: Work, ids: list[str]) -> str:
    """Each letter whose replay failed is followed by one that names it; returns the one of a listing."""
    query = """
        SELECT id, replay_of, status, generation, item_id FROM ingest.dead_letters
        WHERE replay_of = ANY(CAST(:ids AS uuid[]))"""
    found = until(
        lambda: rows if len(rows := case.world.rows(query, ids=ids)) == UNREADABLE + 1 else None,
        what="not every letter that died again is there",
    )
    assert {(row.status, row.generation) for row in found} == {("dead_again", 1)}
    assert len({row.replay_of for row in found}) == UNREADABLE + 1
    first = {row.id: row.status for row in letters(case, ids)}
    assert {first[row.replay_of] for row in found} == {"superseded"}
    (listing,) = (row for row in found if row.item_id)
    (place,) = case.world.rows('SELECT "index" FROM ingest.items WHERE id = :id', id=listing.item_id)
    work.listings_expected = {place.index: "failed"}
    case.balance(work)
    return str(listing.id)


def letters(case: Case, ids: list[str]) -> list[Any]:
    """How these stand."""
    return case.world.rows("SELECT id, status FROM ingest.dead_letters WHERE id = ANY(CAST(:ids AS uuid[]))", ids=ids)


def _run(asked: "Future[dict[str, Any]]") -> str:
    return str(asked.result()["run_id"])
