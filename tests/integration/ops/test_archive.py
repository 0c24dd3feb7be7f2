"""What is kept of a dead letter, and how it is found again: on a real PostgreSQL, without anything at work."""

import json
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Engine

from services.ingest.dead_letters import auditing, finding, shelving
from services.ingest.dead_letters.auditing import Run
from services.ingest.dead_letters.exporting import exported
from services.ingest.dead_letters.finding import Filter
from shared.contracts import StoreFile
from shared.database import transaction
from tests.integration.ops.letterbox import BLOB, STACK, Letterbox


def found(engine: Engine, **wanted: Any) -> set[Any]:
    with transaction(engine) as connection:
        return {row["id"] for row in finding.letters(connection, Filter(**wanted), 100)}


def test_a_letter_is_kept_with_everything_that_tells_of_it(box: Letterbox) -> None:
    session = box.submitted("rose.png")
    headers = {"x_version": "0.2.0", "x_host": "hasher-7", "x_death": [{"queue": "presswork.storage", "count": 2}]}
    row = box.letter(box.dies("storage", box.accepted(session, 0), **headers))
    item = box.sessions.items(session)[0]
    assert (row["tenant_id"], row["session_id"], row["item_id"]) == (box.tenant, session.id, item["id"])
    assert row["files"] == [{"item_id": str(item["id"]), "filename": "rose.png", "generation": 0}]
    assert (row["service"], row["message_type"], row["lane"]) == ("storage", "ImageAccepted", "comprehensive")
    assert (row["status"], row["generation"], row["attempts"]) == ("dead", 0, 6)
    assert (row["version"], row["host"]) == ("0.2.0", "hasher-7")
    assert (row["error"], row["frame"]) == ("OSError", "services/storage/filing.py:place")
    assert row["first_failed_at"] == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert row["headers"]["x-death"] == [{"queue": "presswork.storage", "count": 2}]
    assert row["stack"] == STACK
    assert row["raw"] is None
    advice = f"try it again later, or tell your operator the number {str(row['id'])[:8]}"
    assert item["reason"] == f"rose.png could not be stored: a fault on the server (OSError); {advice}"


def test_bytes_that_are_no_text_are_kept_as_they_are(box: Letterbox) -> None:
    garbage = b"\xff\x00 not json"
    letter = box.letter(box.dies("dedup", garbage))
    assert bytes(letter["raw"]) == garbage
    assert (letter["files"], letter["item_id"], letter["session_id"]) == ([], None, None)


def test_a_message_is_kept_whatever_its_file_is_called(box: Letterbox) -> None:
    session = box.submitted("rose.png")
    message = box.accepted(session, 0).model_copy(update={"filename": "ro\x00se.png"})
    letter = box.letter(box.dies("storage", message, x_odd=float("nan")))
    assert letter["files"][0]["filename"] == "ro\ufffdse.png"
    assert box.sessions.items(session)[0]["state"] == "failed"


def test_a_message_that_says_what_no_row_can_hold_is_kept_for_a_person(box: Letterbox) -> None:
    session = box.submitted("rose.png")
    message = box.accepted(session, 0, generation=10**12)
    letter = box.letter(box.dies("storage", message))
    assert (letter["message_type"], letter["item_id"], letter["files"]) == ("ImageAccepted", None, [])
    assert str(10**12) in letter["body"]
    assert box.sessions.items(session)[0]["state"] == "received"


def test_a_batch_that_is_shared_out_waits_for_nobody(box: Letterbox) -> None:
    session = box.submitted("a.png", "b.png")
    letter = box.letter(box.dies("hasher", box.batch(session)))
    assert (letter["status"], letter["outcome"]) == ("resolved", "its 2 files were sent again one by one")
    assert [file["filename"] for file in letter["files"]] == ["a.png", "b.png"]


def test_every_filter_finds_its_letters_and_no_others(engine: Engine, box: Letterbox) -> None:
    session, other = box.submitted("rose.png", "100%_tulip.png"), box.submitted("iris.png")
    rose = box.dies("storage", box.accepted(session, 0), "OSError: the disk is full")
    tulip = box.dies("dedup", box.accepted(session, 1), "ValueError: no 100% here")
    iris = box.dies("storage", box.accepted(other, 0), x_dead_at="2026-03-01T00:00:00+00:00")
    everything = {rose, tulip, iris}
    assert found(engine) == everything
    assert found(engine, service="storage") == {rose, iris}
    assert found(engine, session=session.id) == {rose, tulip}
    assert found(engine, tenant=str(box.tenant)) == everything
    assert found(engine, tenant=str(uuid4())) == set()
    assert found(engine, file="ROSE") == {rose}
    assert found(engine, file="100%_") == {tulip}
    assert found(engine, cause="DISK IS") == {rose}
    assert found(engine, text="delivery.py") == everything
    assert found(engine, text="no 100%") == {tulip}
    assert found(engine, since=datetime(2026, 2, 1, tzinfo=UTC)) == {iris}
    assert found(engine, until=datetime(2026, 2, 1, tzinfo=UTC)) == {rose, tulip}
    assert found(engine, status=("dead",), service="dedup") == {tulip}
    assert found(engine, status=("resolved", "discarded")) == set()
    assert found(engine, fingerprint=box.letter(rose)["fingerprint"][:8]) == {rose}
    assert found(engine, ids=(rose, uuid4())) == {rose}


def test_letters_of_one_cause_are_one_group(engine: Engine, box: Letterbox) -> None:
    session = box.submitted("rose.png", "tulip.png", "iris.png")
    for index, name in enumerate(("rose.png", "tulip.png")):
        cause = f"OSError: {name}: block {index}77 of {uuid4()} at /mnt/nas/{index}/x (after 6 attempts)"
        box.dies("storage", box.accepted(session, index), cause, x_version=f"0.{index}")
    box.dies("storage", box.accepted(session, 2), "OSError: no space")
    with transaction(engine) as connection:
        groups = finding.groups(connection, Filter(), 10)
    assert sorted(group["letters"] for group in groups) == [1, 2]
    (two,) = (group for group in groups if group["letters"] == 2)
    assert (two["waiting"], two["sessions"], two["versions"]) == (2, 1, ["0.0", "0.1"])
    assert two["first_at"] < two["last_at"]


def test_a_group_is_all_that_its_fingerprint_finds_whichever_services_it_hit(engine: Engine, box: Letterbox) -> None:
    session = box.submitted("rose.png", "tulip.png")
    box.dies("storage", box.accepted(session, 0), x_stack="")
    box.dies("dedup", box.accepted(session, 1), x_stack="")
    with transaction(engine) as connection:
        (group,) = finding.groups(connection, Filter(), 10)
        (storage,) = finding.groups(connection, Filter(service="storage"), 10)
    assert (group["services"], group["letters"]) == (["dedup", "storage"], 2)
    assert (storage["services"], storage["letters"]) == (["storage"], 1)
    assert len(found(engine, fingerprint=group["fingerprint"])) == 2


def test_nothing_is_lost_by_discarding_and_everything_is_on_record(engine: Engine, box: Letterbox) -> None:
    session = box.submitted("rose.png")
    letter_id = box.dies("storage", box.accepted(session, 0))
    wanted = Filter(service="storage")
    assert shelving.discard(engine, wanted, Run("ana", "discard"), "too old") == 1
    assert box.letter(letter_id)["status"] == "discarded"
    assert box.replays.replay(letter_id, Run("bob", "replay")).result == "refused"
    assert shelving.restore(engine, wanted, Run("bob", "restore")) == 1
    assert box.letter(letter_id)["status"] == "dead"
    with transaction(engine) as connection:
        runs = auditing.runs(connection, 10)
        letter = finding.whole(connection, letter_id)
    assert [(run["who"], run["action"], run["counts"]) for run in runs] == [
        ("bob", "restore", {"matched": 1, "restore": 1}),
        ("ana", "discard", {"matched": 1, "discard": 1}),
    ]
    assert runs[1]["filter"] == {"service": "storage"}
    assert letter is not None
    assert [(entry["who"], entry["result"]) for entry in letter["history"]] == [
        ("ana", "discard"), ("bob", "refused"), ("bob", "restore"),
    ]  # fmt: skip


def test_an_export_has_every_letter_once_with_its_bytes(engine: Engine, box: Letterbox) -> None:
    session = box.submitted("rose.png")
    file = StoreFile(tenant_id=box.tenant, shop="s", path="a.png", content=BLOB)
    ids = {box.dies("storage", box.accepted(session, 0)), box.dies("storage", file), box.dies("dedup", b"\xff")}
    lines = [json.loads(line) for line in exported(engine, Filter())]
    assert {UUID(line["id"]) for line in lines} == ids
    assert [line["raw"] for line in lines if line["service"] == "dedup"] == ["/w=="]
