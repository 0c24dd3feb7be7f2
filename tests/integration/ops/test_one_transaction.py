"""Status, what is owed and the audit are one: killed anywhere, or done twice at once, a letter is sent once."""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Connection, Engine

from services.ingest.dead_letters import outcomes, replaying
from services.ingest.dead_letters.auditing import Run
from services.ingest.dead_letters.replaying import Replays, Result
from services.ingest.sessions.actions import reopening
from services.ingest.sessions.outgoing.outbox import Owed, Redelivery, Relay
from shared.bus.envelope import Envelope
from shared.contracts import (
    BatchSubmitted,
    DesignStored,
    DuplicateFound,
    ImageFailed,
    Match,
    MockupsRendered,
    Stage,
    StorageFailed,
    StoreFile,
    WorkCancelled,
)
from shared.database import transaction
from tests.integration.ops.letterbox import BLOB, Letterbox, dead
from tests.integration.uploads import relayed


class Killed(BaseException):
    """The process dies here."""


def failed_file(box: Letterbox, *names: str, lane: str = "comprehensive") -> tuple[Any, UUID]:
    session = box.submitted(*(names or ("rose.png",)), lane=lane)
    letter_id = box.dies("storage", box.accepted(session, 0))
    relayed(box.engine, lane)
    return session, letter_id


def run() -> Run:
    return Run("ana", "replay")


def test_a_replayed_failure_is_owed_as_the_next_generation(engine: Engine, box: Letterbox) -> None:
    session, letter_id = failed_file(box, "rose.png", "tulip.png")
    result = box.replays.replay(letter_id, run())
    assert (result.result, result.words) == ("reopened", "rose.png is being worked on again")
    (owed,) = relayed(engine)
    assert isinstance(owed, Envelope)
    assert isinstance(owed.message, BatchSubmitted)
    assert [(file.filename, file.generation) for file in owed.message.files] == [("rose.png", 1)]
    item = box.sessions.items(session)[0]
    assert (item["state"], item["stage_rank"], item["generation"], item["reason"]) == ("received", 0, 1, None)
    letter = box.letter(letter_id)
    assert (letter["status"], letter["status_by"], letter["target_generation"]) == ("replaying", "ana", 1)


def test_a_session_of_the_original_lane_stays_in_it(engine: Engine, box: Letterbox) -> None:
    _, letter_id = failed_file(box, lane="original")
    assert box.letter(letter_id)["lane"] == "original"
    assert box.replays.replay(letter_id, run()).sent
    assert relayed(engine) == []
    assert len(relayed(engine, "original")) == 1


def test_a_replay_that_is_killed_before_its_commit_did_nothing(
    engine: Engine, box: Letterbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    session, letter_id = failed_file(box)
    other = box.loose()
    before = box.sessions.items(session)

    def killed(*_: object, **__: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(reopening, "owe_files", killed)
        patch.setattr(replaying, "owe_redelivery", killed)
        for each in (letter_id, other):
            with pytest.raises(Killed):
                box.replays.replay(each, run())
            assert box.letter(each)["status"] == "dead"
    assert box.sessions.items(session) == before
    assert relayed(engine) == []
    assert [box.replays.replay(each, run()).result for each in (letter_id, other)] == ["reopened", "redelivered"]
    assert len(relayed(engine)) == 2


def test_a_relay_that_is_killed_between_commit_and_publish_is_made_up_for(engine: Engine, box: Letterbox) -> None:
    _, letter_id = failed_file(box)
    for each in (letter_id, box.loose()):
        assert box.replays.replay(each, run()).sent

    def killed(_: Owed) -> None:
        raise Killed

    with pytest.raises(Killed):
        Relay(engine, "comprehensive").send(killed)
    assert len(relayed(engine)) == 2
    assert relayed(engine) == []


@pytest.mark.parametrize("about", ["a file", "nothing"])
def test_many_at_once_send_it_once(engine: Engine, box: Letterbox, about: str) -> None:
    for _ in range(10):
        letter_id = failed_file(box)[1] if about == "a file" else box.loose()
        together = threading.Barrier(6)

        def replay(letter_id: UUID = letter_id, together: threading.Barrier = together) -> Result:
            together.wait()
            return box.replays.replay(letter_id, run())

        with ThreadPoolExecutor(6) as pool:
            results = [future.result() for future in [pool.submit(replay) for _ in range(6)]]
        assert sum(result.sent for result in results) == 1, results
        assert all(result.words for result in results)
        assert len(relayed(engine)) == 1


def test_a_redelivery_has_its_own_headers_and_none_of_its_death(engine: Engine, box: Letterbox) -> None:
    body = b"\xff not json"
    death: dict[str, Any] = {"x_death": [{"reason": "rejected"}], "x_first_death_queue": "q", "x_mine": "kept"}
    letter_id = box.dies("dedup", body, **death, x_delivery_count=3, x_version="1", x_host="h")
    box.replays.replay(letter_id, run())
    (owed,) = relayed(engine)
    assert isinstance(owed, Redelivery)
    assert (owed.service, owed.sealed.body) == ("dedup", body)
    assert owed.sealed.headers == {
        "x-mine": "kept",
        "x-first-failed-at": "2026-01-02T03:04:05+00:00",
        "x-generation": 1,
        "x-replay-id": str(box.letter(letter_id)["replay_id"]),
    }


def test_what_comes_back_is_the_same_lineage_even_where_the_broker_buried_it(engine: Engine, box: Letterbox) -> None:
    file = StoreFile(tenant_id=box.tenant, shop="s", path="a.png", content=BLOB)
    letter = dead("storage", file, x_dead_at="")
    box.project(letter)
    box.replays.replay(letter.id, run())
    replay_id = str(box.letter(letter.id)["replay_id"])
    buried = type(letter).of("storage", letter.body.encode(), {"x-replay-id": replay_id, "x-generation": 1})
    box.project(buried)
    box.project(buried)
    again = box.letter(buried.id)
    assert (again["status"], again["replay_of"], again["generation"]) == ("dead_again", letter.id, 1)
    assert box.letter(letter.id)["status"] == "superseded"
    assert box.rows("SELECT count(*) FROM ingest.dead_letters")[0][0] == 2


def test_a_letter_whose_file_ended_well_meanwhile_is_resolved_in_words(engine: Engine, box: Letterbox) -> None:
    session, letter_id = failed_file(box)
    box.project(DesignStored(**box.about(session, 0), number=100, name="UV 100", path="s/UV 100.png", print_file=BLOB))
    seq = box.sessions.get(box.tenant, session.id).last_seq  # type: ignore[union-attr]
    result = box.replays.replay(letter_id, run())
    assert (result.result, result.words) == ("resolved", "nothing is left to do: the file is stored meanwhile")
    assert box.letter(letter_id)["status"] == "resolved"
    assert relayed(engine) == []
    assert box.sessions.get(box.tenant, session.id).last_seq == seq  # type: ignore[union-attr]


def test_a_letter_that_files_behind_its_own_may_wait_for_is_sent_again_and_resolved_after_them(
    engine: Engine, box: Letterbox
) -> None:
    """The message had numbered the next file too, and died of that one; only this message would store it."""
    session, letter_id = failed_file(box, "a.png", "b.png")
    stored = [
        DesignStored(**box.about(session, index), number=index, name=f"{index}", path=f"{index}", print_file=BLOB)
        for index in range(2)
    ]
    box.project(stored[0], box.accepted(session, 1))
    outcomes.settle(engine)
    assert box.letter(letter_id)["status"] == "dead"
    result = box.replays.replay(letter_id, run())
    assert (result.result, result.words) == ("redelivered", "sent to storage again")
    (sent,) = relayed(engine)
    assert isinstance(sent, Redelivery)
    outcomes.settle(engine)
    assert box.letter(letter_id)["status"] == "replaying"
    box.project(stored[1])
    outcomes.settle(engine)
    assert box.letter(letter_id)["outcome"] == "what it was about is stored"


def test_who_waits_for_a_replay_hears_of_its_own_file_while_the_letter_waits_for_the_others(
    engine: Engine, box: Letterbox
) -> None:
    session, letter_id = failed_file(box, "a.png", "b.png")
    box.project(box.accepted(session, 1))
    assert box.replays.replay(letter_id, run()).result == "reopened"
    ends = [box.failed(session, 0, generation=0), box.accepted(session, 0, generation=1)]
    about = box.about(session, 0, generation=1)
    ends.append(DesignStored(**about, number=1, name="1", path="1", print_file=BLOB))
    told = []
    for end in ends:
        box.project(end)
        outcomes.settle(engine)
        with transaction(engine) as connection:
            told.append(tuple(ask(connection, [letter_id]) for ask in (_tally, outcomes.became, outcomes.held)))
    waits = (outcomes.Tally(open=1), {"in work": 1}, 0)
    assert told == [waits, waits, (outcomes.Tally(well=1), {"stored": 1}, 1)]
    assert box.letter(letter_id)["status"] == "replaying", "b.png may wait for it"


def test_who_waits_for_a_replay_hears_that_its_file_failed_again_while_others_are_in_work(
    engine: Engine, box: Letterbox
) -> None:
    session, letter_id = failed_file(box, "a.png", "b.png")
    box.replays.replay(letter_id, run())
    box.project(box.failed(session, 0, generation=1))
    outcomes.settle(engine)
    with transaction(engine) as connection:
        assert _tally(connection, [letter_id]) == outcomes.Tally(again=1)
        assert outcomes.became(connection, [letter_id]) == {"failed": 1}


def _tally(connection: Connection, letter_ids: list[UUID]) -> outcomes.Tally:
    return outcomes.tally(connection, letter_ids, calm_s=0)


@pytest.mark.parametrize("standing", ["received", "accepted"])
def test_a_verdict_that_died_is_kept_for_files_that_will_wait_for_it(
    engine: Engine, box: Letterbox, standing: str
) -> None:
    """Storage has not heard of the first file, and numbers the second when it has. That may come later."""
    session = box.submitted("a.png", "b.png")
    match = Match(source="nas")
    verdict = DuplicateFound(**box.about(session, 0), kind="near", distance=2, match=match, reason="the same")
    box.project(verdict)
    box.project(*[box.accepted(session, 1)][: standing == "accepted"])
    letter_id = box.dies("storage", verdict)
    outcomes.settle(engine)
    assert box.letter(letter_id)["status"] == "dead"
    assert box.replays.replay(letter_id, run()).result == "redelivered"


def test_files_before_one_that_is_tried_again_are_told_of_once_more_whatever_their_end(
    engine: Engine, box: Letterbox
) -> None:
    """Nobody waited for the verdict on the first when it died, or was lost; storage numbers the last when it has it."""
    session = box.submitted("a.png", "b.png", "c.png")
    match = Match(source="nas")
    box.project(DuplicateFound(**box.about(session, 0), kind="near", distance=2, match=match, reason="the same"))
    box.project(box.failed(session, 1), box.failed(session, 2))
    relayed(engine)
    told: list[int] = []
    for generation in range(2):
        box.sessions.retry(session, "her", [box.about(session, 2)["item_id"]])
        sent = [owed.message for owed in relayed(engine) if isinstance(owed, Envelope)]
        told += [message.index for message in sent if isinstance(message, ImageFailed)]
        box.project(box.failed(session, 2, generation + 1))
    assert told == [0, 1], "each once"


@pytest.mark.parametrize("service", ["ingest", "storage"])
def test_news_to_ingest_of_a_file_in_work_is_sent_again_and_work_on_it_is_not(
    engine: Engine, box: Letterbox, service: Stage
) -> None:
    """That the file had failed was never heard, and the news of that death died too: it waits for nothing else."""
    session = box.submitted("a.png")
    letter = dead(service, box.failed(session, 0))
    box.project(letter)
    result = box.replays.replay(letter.id, run())
    assert result.result == ("redelivered" if service == "ingest" else "refused")
    assert len(relayed(engine)) == 1 + (service == "ingest"), "beside the batch"


def test_letters_hear_how_their_files_ended(engine: Engine, box: Letterbox) -> None:
    session, first = failed_file(box, "a.png", "b.png", "c.png")
    second, third = (box.dies("storage", box.accepted(session, index)) for index in (1, 2))
    for each in (first, second):
        box.replays.replay(each, run())
    outcomes.settle(engine)
    assert [box.letter(each)["status"] for each in (first, second, third)] == ["replaying", "replaying", "dead"]
    twin = Match(source="nas", path="s/x.png")
    about = box.about(session, 0, 1)
    box.project(DuplicateFound(**about, kind="near", distance=1, match=twin, reason="as x.png"))
    box.project(*[DesignStored(**box.about(session, 2), number=1, name="n", path="p", print_file=BLOB)])
    box.project(*list(box.project(dead("storage", box.accepted(session, 1, 1)))))
    outcomes.settle(engine)
    assert box.letter(first)["outcome"] == "what it was about is duplicate: as x.png"
    assert box.letter(second)["status"] == "superseded"
    assert box.letter(third)["outcome"] == "what it was about is stored"


def test_a_file_that_fails_again_without_a_letter_makes_its_letter_dead_again(engine: Engine, box: Letterbox) -> None:
    session, letter_id = failed_file(box)
    box.replays.replay(letter_id, run())
    box.project(StorageFailed(**box.about(session, 0, 1), reason="the name is taken"))
    outcomes.settle(engine)
    letter = box.letter(letter_id)
    assert (letter["status"], letter["outcome"]) == ("dead_again", "it failed again: the name is taken")
    assert box.replays.replay(letter_id, run()).result == "reopened"


def test_a_death_leaves_the_letters_of_others_as_they_are(engine: Engine, box: Letterbox) -> None:
    session = box.submitted("a.png", "b.png")
    shared_out = box.dies("hasher", box.batch(session))
    mended = box.dies("storage", box.accepted(session, 0))
    box.project(DesignStored(**box.about(session, 0), number=1, name="n", path="p", print_file=BLOB))
    outcomes.settle(engine)
    replaying_one = box.loose()
    box.replays.replay(replaying_one, run())
    before = [box.letter(each) for each in (shared_out, mended, replaying_one)]
    another = box.letter(box.dies("storage", box.accepted(session, 1)))
    assert (another["status"], another["replay_of"]) == ("dead", None)
    assert box.letter(box.loose(x_dead_at=""))["replay_of"] is None
    assert [box.letter(each) for each in (shared_out, mended, replaying_one)] == before


def test_a_redelivery_that_nothing_came_back_of_is_resolved_in_the_end(engine: Engine, box: Letterbox) -> None:
    letter_id = box.loose()
    box.replays.replay(letter_id, run())
    outcomes.settle(engine, quiet_s=0)
    assert box.letter(letter_id)["status"] == "replaying", "it was not even sent"
    relayed(engine)
    outcomes.settle(engine)
    assert box.letter(letter_id)["status"] == "replaying"
    outcomes.settle(engine, quiet_s=0)
    assert box.letter(letter_id)["status"] == "resolved"


def test_what_was_sent_to_another_service_is_not_resolved_while_its_file_is_failed(
    engine: Engine, box: Letterbox
) -> None:
    session, letter_id = failed_file(box)
    elsewhere = Replays(engine, 8, to="dedup")
    assert elsewhere.replay(letter_id, run()).result == "redelivered"
    relayed(engine)
    outcomes.settle(engine)
    with transaction(engine) as connection:
        assert outcomes.tally(connection, [letter_id], calm_s=0) == outcomes.Tally(open=1)
    assert box.letter(letter_id)["status"] == "replaying"
    outcomes.settle(engine, quiet_s=0)
    letter = box.letter(letter_id)
    assert (letter["status"], "still failed" in letter["outcome"]) == ("dead_again", True)
    late = box.letter(box.dies("dedup", box.accepted(session, 0), x_replay_id=str(letter["replay_id"])))
    assert late["replay_of"] == letter_id, "it died after it was given up for lost"
    assert box.letter(letter_id)["status"] == "superseded"
    assert elsewhere.replay(late["id"], run()).result == "redelivered"
    relayed(engine)
    box.project(DesignStored(**box.about(session, 0), number=1, name="n", path="p", print_file=BLOB))
    outcomes.settle(engine, quiet_s=0)
    assert box.letter(late["id"])["status"] == "resolved"


def test_a_letter_of_months_ago_is_replayed_as_one_of_today(engine: Engine, box: Letterbox) -> None:
    session, letter_id = failed_file(box)
    with engine.begin() as connection:
        connection.exec_driver_sql(
            "UPDATE ingest.dead_letters SET dead_at = dead_at - interval '9 months', kept_at = dead_at"
        )
        connection.exec_driver_sql("DELETE FROM ingest.outbox")
    assert box.replays.replay(letter_id, run()).result == "reopened"
    assert len(relayed(engine)) == 1
    assert box.sessions.get(box.tenant, session.id).state == "working"  # type: ignore[union-attr]


def test_a_copy_that_could_not_be_kept_does_not_touch_its_design(engine: Engine, box: Letterbox) -> None:
    """MockupsRendered at storage is a copy for the NAS: its letter is redelivered, and no file is taken up again."""
    session = box.submitted("a.png")
    listing: dict[str, Any] = {"mockup_id": uuid4(), "design": BLOB, "design_name": "n", "number": 1, "shop": "s"}
    template = {"template_id": uuid4(), "name": "t", "title": "t", "description": "d", "price": 1, "quantity": 1}
    template |= {"who_made": "i", "when_made": "w"}
    rendered = MockupsRendered.model_validate(box.about(session, 0) | listing | {"template": template, "mockups": ()})
    letter_id = box.dies("storage", rendered)
    relayed(engine)
    assert box.replays.replay(letter_id, run()).result == "redelivered"
    assert [type(owed) for owed in relayed(engine)] == [Redelivery]
    assert box.sessions.items(session)[0]["generation"] == 0


def test_a_cancellation_that_died_is_sent_again_and_its_file_is_not_taken_up(engine: Engine, box: Letterbox) -> None:
    session = box.submitted("a.png")
    files = box.batch(session).files
    died = WorkCancelled(tenant_id=box.tenant, session_id=session.id, reason="cancelled by you", files=files)
    letter_id = box.dies("storage", died)
    assert box.sessions.items(session)[0]["state"] == "failed"
    relayed(engine)
    assert box.replays.replay(letter_id, run()).result == "redelivered"
    assert box.sessions.items(session)[0]["generation"] == 0


def test_foreseeing_does_nothing(engine: Engine, box: Letterbox) -> None:
    session, letter_id = failed_file(box)
    assert box.replays.foresee(letter_id, "ana").result == "reopened"
    assert box.letter(letter_id)["status"] == "dead"
    assert box.sessions.items(session)[0]["state"] == "failed"
    assert relayed(engine) == []
    with transaction(engine) as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM ingest.dead_letter_audit").scalar_one() == 0
