"""What operators do with a letter besides replaying it: edit, send elsewhere, purge, stop; and what nobody deletes."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Engine, text

from services.ingest.dead_letters import auditing, editing, jobs, purging, shelving
from services.ingest.dead_letters.auditing import Run
from services.ingest.dead_letters.editing import NotSent, edit
from services.ingest.dead_letters.finding import Filter
from services.ingest.dead_letters.jobs import Job
from services.ingest.dead_letters.replaying import Replays, Result
from services.ingest.dead_letters.steps import ReplayPace
from services.ingest.sessions.outgoing.outbox import Redelivery
from services.ops.spool import sweep as sweep_spool
from shared.blobs import Blobs
from shared.bus.envelope import unseal
from shared.contracts import BatchSubmitted, ImageHashed, StoreFile
from shared.database import transaction
from tests.integration.ops.letterbox import Letterbox
from tests.integration.ops.test_dead_command import presswork
from tests.integration.uploads import relayed


def message(box: Letterbox, letter_id: UUID, **changes: Any) -> dict[str, Any]:
    """What a letter says, edited."""
    found: dict[str, Any] = json.loads(box.letter(letter_id)["body"])
    found["data"] |= changes
    return found


def job(box: Letterbox, wanted: Filter | None = None, **how: Any) -> Job:
    ids, cutoff = jobs.chosen(box.engine, wanted or Filter())
    return Job(box.engine, 8, Run("ana", "replay"), Filter(), ids, cutoff, pace=ReplayPace(**how))


def test_an_edited_copy_goes_out_as_a_new_message_and_the_original_never(
    engine: Engine, box: Letterbox, database_url: str, tmp_path: Path
) -> None:
    letter_id = box.loose()
    shown = json.loads(presswork(database_url, "dead", "show", letter_id, "--body").output)
    assert shown == message(box, letter_id)
    shown["data"]["path"] = "b.png"
    file = tmp_path / "message.json"
    file.write_text(json.dumps(shown))
    presswork(database_url, "dead", "edit", letter_id, file, code=2)
    said = presswork(database_url, "dead", "edit", str(letter_id)[:8], file, "--allow-edit").output
    assert "sent edited, as message" in said
    (owed,) = relayed(engine)
    assert isinstance(owed, Redelivery)
    sent = unseal(owed.sealed.body)
    assert isinstance(sent.message, StoreFile)
    assert (owed.service, sent.message.path) == ("storage", "b.png")
    assert sent.id != UUID(shown["id"])
    assert sent.causation_id == UUID(shown["id"])
    assert box.letter(letter_id)["status"] == "superseded"
    assert "superseded" in presswork(database_url, "dead", "edit", letter_id, file, "--allow-edit", code=1).output
    assert box.replays.replay(letter_id, Run("ana", "replay")).result == "refused"
    assert relayed(engine) == []
    history = presswork(database_url, "dead", "show", letter_id).output
    assert '-    "path": "a.png"' in history
    assert '+    "path": "b.png"' in history
    again = box.dies("storage", owed.sealed.body, **{k.replace("-", "_"): v for k, v in owed.sealed.headers.items()})
    assert box.letter(again)["replay_of"] == letter_id, "a copy that dies names what it was a copy of"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"path": 7}, "the edited message is none: StoreFile: path: Input should be a valid string"),
        ({"pth": "b.png"}, "StoreFile has no field pth; is it misspelt?"),
        ({"content": {"sha256": "ab" * 32, "size": 10, "siez": 1}}, "StoreFile has no field content.siez"),
        ({"tenant_id": "3f2a0000-0000-4000-8000-000000000000"}, "whose it is can't be edited: tenant_id"),
        ({}, "nothing is edited; replay it"),
    ],
)
def test_an_edit_that_is_no_message_or_another_ones_is_refused(
    engine: Engine, box: Letterbox, changes: dict[str, Any], words: str
) -> None:
    letter_id = box.loose()
    with pytest.raises(NotSent, match=words.replace("?", r"\?")):
        edit(engine, letter_id, message(box, letter_id, **changes), Run("ana", "edit"))
    other = message(box, letter_id) | {"type": "WorkCancelled", "data": {"tenant_id": str(box.tenant)}}
    with pytest.raises(NotSent):
        edit(engine, letter_id, other, Run("ana", "edit"))
    assert box.letter(letter_id)["status"] == "dead"
    assert relayed(engine) == []


def test_a_failed_file_goes_on_with_the_edited_message_as_its_next_generation(engine: Engine, box: Letterbox) -> None:
    """What dedup had accepted passes it again: a twin may have been stored meanwhile."""
    session = box.submitted("rose.png", "tulip.png")
    letters = [
        box.dies("storage", box.accepted(session, 0)),
        box.dies("hasher", box.batch(session).model_copy(update={"files": box.batch(session).files[1:]})),
    ]
    relayed(engine)
    place = {"destination": {"shop": "s", "template": "mended"}}
    for letter_id in letters:
        assert edit(engine, letter_id, message(box, letter_id, **place), Run("ana", "edit")).result == "edited"
    rose, tulip = relayed(engine)
    assert isinstance(rose, Redelivery)
    assert isinstance(tulip, Redelivery)
    hashed, batch = unseal(rose.sealed.body).message, unseal(tulip.sealed.body).message
    assert isinstance(hashed, ImageHashed)
    assert (rose.service, hashed.generation, hashed.destination.template) == ("dedup", 1, "mended")
    assert isinstance(batch, BatchSubmitted)
    assert (tulip.service, batch.files[0].generation, batch.destination.template) == ("hasher", 1, "mended")
    assert [row["state"] for row in box.sessions.items(session)] == ["received", "received"]
    assert {box.letter(letter_id)["status"] for letter_id in letters} == {"superseded"}
    with pytest.raises(NotSent, match="superseded"):
        edit(engine, letters[0], message(box, letters[0], **place), Run("bea", "edit"))


def test_an_edited_file_passes_duplicate_detection_again_as_its_seller_wants_it(engine: Engine, box: Letterbox) -> None:
    """An acceptance says nothing of that, and the usual way would bar what somebody has said to keep."""
    session = box.submitted("rose.png")
    letter_id = box.dies("storage", box.accepted(session, 0))
    relayed(engine)
    with transaction(engine) as connection:
        connection.execute(text("UPDATE ingest.sessions SET duplicates = 'review', duplicate_distance = 3"))
        connection.execute(text("UPDATE ingest.items SET review = 'keep'"))

    edit(engine, letter_id, message(box, letter_id, dpi=300), Run("ana", "edit"))

    (sent,) = relayed(engine)
    assert isinstance(sent, Redelivery)
    hashed = unseal(sent.sealed.body).message
    assert isinstance(hashed, ImageHashed)
    assert (hashed.duplicates, hashed.duplicate_distance, hashed.kept) == ("review", 3, True)


def test_an_edit_that_is_killed_before_its_commit_did_nothing(
    engine: Engine, box: Letterbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = box.submitted("rose.png")
    letter_id = box.dies("storage", box.accepted(session, 0))
    relayed(engine)
    before = box.sessions.items(session)

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(editing, "owe_redelivery", killed)
        with pytest.raises(KeyboardInterrupt):
            edit(engine, letter_id, message(box, letter_id, dpi=300), Run("ana", "edit"))
    assert (box.letter(letter_id)["status"], box.sessions.items(session)) == ("dead", before)


def test_letters_can_be_sent_to_another_of_our_services_and_to_nobody_else(
    engine: Engine, box: Letterbox, database_url: str
) -> None:
    session = box.submitted("rose.png")
    about_a_file = box.dies("storage", box.accepted(session, 0))
    relayed(engine)
    box.loose()
    said = presswork(database_url, "dead", "replay", "--all", "--to", "dedup", "--yes", "--force").output
    assert "beware: the messages go to dedup, not to who gave them up" in said
    owed = relayed(engine)
    assert [each.service for each in owed if isinstance(each, Redelivery)] == ["dedup", "dedup"]
    assert box.sessions.items(session)[0]["state"] == "failed"
    assert box.letter(about_a_file)["outcome"] == "sent to dedup, where it did not die"
    refused = presswork(database_url, "dead", "replay", "--all", "--to", "mail", code=2).output
    assert "none of our services" in " ".join(refused.replace("│", " ").split())


def test_a_purge_needs_service_count_and_an_export_and_takes_only_these(
    engine: Engine, box: Letterbox, database_url: str, tmp_path: Path
) -> None:
    session = box.submitted("rose.png")
    kept = box.dies("dedup", box.accepted(session, 0))
    gone = [box.loose(), box.loose()]
    command = ("dead", "purge", "--service", "storage", "--to")
    refused = presswork(database_url, *command, tmp_path / "1", answers="storage 3\n", code=1).output
    assert "type: storage 2" in refused
    presswork(database_url, *command, tmp_path / "1", answers="storage 2\n", code=2)  # never over an export
    nobody = presswork(database_url, *command, tmp_path / "0", code=1).output  # as from cron
    assert "Nothing was deleted. Nobody answered: --confirm 'storage 2' does it without asking." in nobody
    presswork(database_url, "dead", "purge", "--all", code=2)
    assert len(box.rows("SELECT id FROM ingest.dead_letters")) == 3
    presswork(database_url, *command, tmp_path / "2", answers="storage 2\n")
    assert [row.id for row in box.rows("SELECT id FROM ingest.dead_letters")] == [kept]
    exported = [json.loads(line) for line in (tmp_path / "2").read_text().splitlines()]
    assert {letter["id"] for letter in exported} == {str(letter_id) for letter_id in gone}
    (run, *_) = json.loads(presswork(database_url, "dead", "audit", "--json").output)
    assert (run["action"], run["counts"]) == ("purge", {"matched": 2, "purged": 2})
    assert "no letter fits" in presswork(database_url, *command, tmp_path / "3", answers="x\n", code=1).output


def test_what_has_changed_since_its_export_is_not_purged(engine: Engine, box: Letterbox) -> None:
    box.loose()
    wanted = Filter(service="storage")
    with pytest.raises(purging.NotPurged, match="changed since they were exported"):
        purging.purge(engine, wanted, Run("ana", "purge"), "storage 1", "0" * 64)
    box.replays.replay(box.loose("b.png"), Run("ana", "replay"))
    with pytest.raises(purging.NotPurged, match="1 of them are being replayed"):
        purging.purge(engine, wanted, Run("ana", "purge"), "storage 2", "0" * 64)


def test_what_is_over_goes_after_its_time_and_what_waits_never(engine: Engine, box: Letterbox) -> None:
    waits, discarded, replayed = (box.loose(path) for path in "abc")
    for letter_id in (discarded, replayed):
        shelving.discard(engine, Filter(ids=(letter_id,)), Run("ana", "discard"), "enough")
    shelving.restore(engine, Filter(ids=(replayed,)), Run("ana", "restore"))
    box.replays.replay(replayed, Run("ana", "replay"))
    assert purging.sweep(engine, timedelta(days=90)) == 0
    with engine.begin() as connection:
        connection.execute(text("UPDATE ingest.dead_letters SET status_at = status_at - interval '91 days'"))
    assert purging.sweep(engine, timedelta(days=90)) == 1
    assert {row.id for row in box.rows("SELECT id FROM ingest.dead_letters")} == {waits, replayed}


def test_the_sweep_of_the_spool_leaves_what_letters_need(box: Letterbox, tmp_path: Path) -> None:
    blobs = Blobs(tmp_path)
    needed = blobs.put(b"a photograph")
    box.dies("storage", StoreFile(tenant_id=box.tenant, shop="s", path="a.png", content=needed))
    assert sweep_spool(tmp_path, older_than_s=-1) == []
    assert blobs.get(needed) == b"a photograph"


def test_a_replay_that_is_cancelled_by_another_stops_before_its_next_letter(engine: Engine, box: Letterbox) -> None:
    for number in range(3):
        box.loose(str(number))
    work = job(box)
    run_id = work.begin()

    def after_the_first(_: str) -> None:
        with transaction(engine) as connection:
            found = auditing.cancel(connection, run_id, "bea")
        assert found is not None
        assert (found["state"], found["counts"]) == ("running", {"matched": 3, "redelivered": 1})

    done = work.carry_out(after_the_first)
    assert (done["counts"], done["left"], done["stopped"]) == ({"redelivered": 1}, 2, "cancelled by bea")
    assert len(relayed(engine)) == 1
    with transaction(engine) as connection:
        found = auditing.run(connection, run_id)
        assert found is not None
        assert (found["state"], found["words"]) == ("cancelled", "cancelled by bea")


def test_ctrl_c_says_what_was_sent(
    engine: Engine, box: Letterbox, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3):
        box.loose(str(number))
    once, seen = Replays.replay, []

    def interrupted(*given: Any) -> Result:
        seen.append(once(*given))
        if len(seen) == 2:
            raise KeyboardInterrupt  # after its commit, before anybody heard of it
        return seen[0]

    monkeypatch.setattr(Replays, "replay", interrupted)
    said = presswork(database_url, "dead", "replay", "--all", "--yes", "--force", code=1).output
    assert "2 redelivered" in said
    assert "stopped: you stopped it. 1 were left alone." in said
    assert len(relayed(engine)) == 2


def test_a_replay_whose_process_was_lost_says_so(engine: Engine, box: Letterbox) -> None:
    box.loose()
    run_id = job(box).begin()
    with engine.begin() as connection:
        connection.execute(text("UPDATE ingest.dead_letter_audit SET seen_at = seen_at - interval '2 minutes'"))
    with transaction(engine) as connection:
        (found,) = auditing.runs(connection, 5)
    assert (found["id"], found["state"]) == (run_id, "broke off")


@pytest.mark.parametrize(("tolerance", "end"), [(0.0, "stopped"), (0.5, "ended")])
def test_a_canary_bears_as_many_failures_as_was_said(
    engine: Engine, box: Letterbox, tolerance: float, end: str
) -> None:
    """Two of a step of five fail again."""
    letters = [box.loose(str(number)) for number in range(8)]
    failing = letters[2:4]

    def ended(_: str) -> None:
        now = "UPDATE ingest.dead_letters SET status = CASE WHEN id = ANY(:failing) THEN 'dead' ELSE 'resolved' END"
        with engine.begin() as connection:
            connection.execute(text(f"{now} WHERE status = 'replaying'"), {"failing": failing})

    work = job(box, canary=True, tolerance=tolerance)
    work.begin()
    done = work.carry_out(ended)
    assert done["left"] == (2 if end == "stopped" else 0)
    assert done["stopped"] == ("2 of 5 failed again: mend the cause first" if end == "stopped" else None)


def test_what_is_replayed_needs_the_services_that_will_work_on_it(box: Letterbox) -> None:
    session = box.submitted("rose.png")
    assert job(box).takers() == set()
    box.loose()
    assert job(box).takers() == {"ingest", "storage"}
    box.dies("storage", box.accepted(session, 0))
    assert job(box).takers() == {"ingest", "hasher", "dedup", "storage"}
    alone = box.submitted("tulip.png", lane="original")
    letter_id = box.dies("dedup", box.accepted(alone, 0))
    ids, cutoff = jobs.chosen(box.engine, Filter(ids=(letter_id,)))
    assert Job(box.engine, 8, Run("ana", "replay"), Filter(), ids, cutoff).takers() == set(), (
        "it is worked on without the broker"
    )
