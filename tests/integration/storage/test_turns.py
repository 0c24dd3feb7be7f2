"""Messages of one session that come at a time have one turn, and what changes while they have it."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from sqlalchemy import Engine, func, insert, select, update

from services.storage.tables import designs
from tests.integration.storage.test_two_deliveries import PATIENCE_S, HaltingNas
from tests.integration.storage.workshop import Upload, Workshop, numbers, uv
from tests.waiting import somebody_waits, until


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(4) as pool:
        yield pool


def test_messages_that_come_at_a_time_are_numbered_in_upload_order_and_answer_each_for_its_own(
    workshop: Workshop, engine: Engine, threads: ThreadPoolExecutor
) -> None:
    upload = Upload()
    events = [workshop.accepted(upload, index) for index in range(4)]
    with engine.begin() as other:
        other.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"storage:{upload.session}", 0))))
        first = threads.submit(workshop.hear, events[3])
        until(lambda: somebody_waits(engine))
        rest = [threads.submit(workshop.hear, event) for event in events[:3]]
        until(lambda: len(workshop.hidden()) == 4)
        line = workshop.filing._together._lines[upload.session]
        until(lambda: len(line.wishes) == 3)
    assert first.result() == []
    answers = [each.result() for each in rest]
    own = [[answer.index for answer in each][:1] for each in answers]
    assert own == [[0], [1], [2]]
    assert numbers(answer for each in answers for answer in each) == {0: 100, 1: 101, 2: 102, 3: 103}
    assert [workshop.hear(event) for event in events[:3]] == answers
    assert workshop.files() == uv(100, 101, 102, 103)
    assert workshop.hidden() == []


def test_who_waits_for_the_turn_of_its_session_holds_up_nobody_who_wants_its_row(
    workshop: Workshop, engine: Engine, threads: ThreadPoolExecutor
) -> None:
    upload = Upload()
    event = workshop.accepted(upload, 0)
    with engine.begin() as other:
        other.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"storage:{upload.session}", 0))))
        turn = threads.submit(workshop.hear, event)
        until(lambda: somebody_waits(engine))
        row = select(designs.c.state).where(designs.c.item_id == event.item_id).with_for_update(nowait=True)
        assert other.execute(row).scalar_one() == "accepted"
    assert numbers(turn.result()) == {0: 100}


def test_a_generation_that_was_overtaken_leaves_no_file_though_both_have_one_turn(
    workshop: Workshop, engine: Engine, threads: ThreadPoolExecutor
) -> None:
    upload, nas = Upload(), HaltingNas(workshop.root, "put")
    workshop.hear(workshop.accepted(upload, 0))  # so that numbers are given without a look at the NAS
    workshop.filing = replace(workshop.filing, nas=nas)
    early = threads.submit(workshop.hear, workshop.accepted(upload, 1))
    assert nas.reached.wait(PATIENCE_S)
    with engine.begin() as other:
        other.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"storage:{upload.session}", 0))))
        first = threads.submit(workshop.hear, workshop.accepted(upload, 2))
        until(lambda: somebody_waits(engine))
        line = workshop.filing._together._lines[upload.session]
        late = threads.submit(workshop.hear, workshop.accepted(upload, 1, generation=1))
        until(lambda: len(line.wishes) == 1)
        nas.may_go_on.set()
        until(lambda: len(line.wishes) == 2)
    answers = [answer for each in (first, early, late) for answer in each.result()]
    assert sorted((answer.index, answer.generation) for answer in answers) == [(1, 1), (2, 0)]
    assert workshop.hidden() == []


def test_one_that_fails_while_numbers_are_given_leaves_no_gap(
    workshop: Workshop, engine: Engine, threads: ThreadPoolExecutor
) -> None:
    upload = Upload()
    workshop.hear(workshop.accepted(upload, 1), workshop.accepted(upload, 2))
    with engine.begin() as other:
        other.execute(update(designs).where(designs.c.item_id == upload.item(1)).values(state="failed"))
        turn = threads.submit(workshop.hear, upload.duplicate(0))
        until(lambda: somebody_waits(engine))
    assert numbers(turn.result()) == {2: 100}
    assert numbers(workshop.hear(workshop.accepted(upload, 3))) == {3: 101}


def test_two_generations_that_are_accepted_at_a_time_are_one_after_the_other(
    workshop: Workshop, engine: Engine, threads: ThreadPoolExecutor
) -> None:
    upload = Upload()
    with engine.connect() as other:
        ours = {"item_id": upload.item(1), "tenant_id": upload.tenant, "session_id": upload.session, "index": 1}
        other.execute(insert(designs).values(**ours, generation=0, filename="1.png", state="failed"))
        first = threads.submit(workshop.hear, workshop.accepted(upload, 1))
        until(lambda: somebody_waits(engine))
        line = workshop.filing.designs._accepting._lines[""]
        both = []
        for generation in range(2):
            both.append(threads.submit(workshop.hear, workshop.accepted(upload, 0, generation)))
            until(lambda: len(line.wishes) == len(both))
        other.rollback()
    answers = [answer for each in (first, *both) for answer in each.result()]
    assert {(answer.index, answer.generation) for answer in answers} == {(0, 1), (1, 0)}
    assert workshop.files() == uv(100, 101)
    assert workshop.hidden() == []
