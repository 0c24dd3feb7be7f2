"""A service gives up, somebody mends the cause and replays: the files go on to where they were to go."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import text

from shared.bus.rabbit import RabbitBus
from shared.bus.settlement import Sealed
from shared.bus.topology import REDELIVER, Route
from tests.images import saved
from tests.integration.ingest import artworks, frontend
from tests.integration.ingest.artworks import print_names
from tests.integration.ingest.frontend import Shop
from tests.integration.ops.pipeline import System
from tests.waiting import eventually


def sound(shop: Shop, session: str) -> dict[str, Any]:
    """The receipt of a session, whose events have no gap and whose counts add up."""
    receipt = shop.get(session, "/receipt")
    parts = ("stored", "duplicate", "rejected", "failed", "in_progress")
    assert receipt["received"] == sum(receipt[part] for part in parts)
    events = shop.get(session, "/events?limit=5000")["events"]
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    return receipt


def ended(shop: Shop, session: str, **wanted: int) -> dict[str, Any]:
    """The receipt, once it says so."""

    def look() -> dict[str, Any] | None:
        receipt = sound(shop, session)
        return receipt if all(receipt[name] == count for name, count in wanted.items()) else None

    found: dict[str, Any] = eventually(look)
    return found


def placed(*names: str) -> str:
    """When storage is to fail: as soon as one of these files lies on the NAS."""
    return f"NEW.state = 'placed' AND NEW.filename IN ({', '.join(repr(name) for name in names)})"


def test_what_storage_gave_up_is_replayed_to_its_end_once_the_cause_is_mended(system: System, shop: Shop) -> None:
    files = artworks.fresh(4)
    broken = files[1][0]
    session = shop.start()
    with system.failing("storage.designs", placed(broken)):
        designs = shop.uploaded(files, session)["designs"]
        assert len(designs) == 3
        (letter,) = system.letters(session)
    shop.have_listed([design["id"] for design in designs])
    before = ended(shop, session, stored=3, failed=1, listed=3)
    assert before["state"] == "finished"
    advice = f"try it again later, or tell your operator the number {str(letter['id'])[:8]}"
    assert before["items"][1]["reason"] == f"{broken} could not be stored: the database refused it; {advice}"
    said = system.command("dead", "replay", "--session", session, "--yes", "--wait").output
    assert f"{broken} is being worked on again" in said
    after = ended(shop, session, stored=4, failed=0)
    assert after["items"][1]["number"] == 103, "a replayed failure takes the next free number"
    assert system.server.place.designs(shop.folder) == print_names(100, 101, 102, 103)
    assert [row["status"] for row in system.letters(session)] == ["resolved"]
    assert letter["id"] == system.letters(session)[0]["id"]


def test_whoever_watches_sees_that_a_finished_upload_goes_on_and_ends_again(system: System, shop: Shop) -> None:
    files = artworks.fresh(3)
    session = shop.start()
    with system.failing("storage.designs", placed(files[2][0])):
        ids = [design["id"] for design in shop.uploaded(files, session)["designs"]]
        shop.have_listed(ids)
        before = ended(shop, session, failed=1, listed=2)
    last = before["state"], shop.get(session)["last_seq"]
    assert last[0] == "finished"
    path, me = f"/api/v1/sessions/{session}/events/stream?after={last[1]}", {"Authorization": f"Bearer {shop.token}"}
    frames, token = f"/designs/progress/{session}", {"token": shop.token}
    with system.engine.begin() as connection:
        # Storage waits for this row, so that there is a moment in which the upload is at work.
        hold = text("SELECT item_id FROM storage.designs WHERE session_id = :id FOR UPDATE")
        connection.execute(hold, {"id": session})
        assert shop.client.post(f"/api/v1/sessions/{session}/retry").json()["state"] == "working"
        events = shop.stream(path, headers=me)
        at_work = shop.stream(frames, params=token, until=lambda block: '"step":2' in block.replace(" ", "")).result(60)
        assert at_work.data[-1]["progress_percent"] < 100
    told = events.result(60).data
    types = [event["type"] for event in told]
    assert (types[0], types[-2:]) == ("retried", ["stored", "finished"])
    assert set(types[1:-2]) <= {"hashed", "accepted"}, "nothing else, and not what was overtaken"
    assert [event["seq"] for event in told] == list(range(last[1] + 1, last[1] + 1 + len(told)))
    assert {event["totals"]["failed"] for event in told} == {0}
    assert told[0]["percent"] < 100 == told[-1]["percent"]
    shown = [frame for frame in shop.stream(frames, params=token).result(60).data if "step" in frame]
    assert shown[-1]["step"] == 4
    assert shown[-1]["message"].startswith("Upload completed successfully: 3 stored")
    assert sound(shop, session)["state"] == "finished"


def test_a_listing_that_was_given_up_is_replayed_to_a_listing(system: System, shop: Shop) -> None:
    session = shop.start()
    designs = shop.uploaded(artworks.fresh(3), session)["designs"]
    second = designs[1]["id"]
    with system.failing("publisher.listings", f"NEW.item_id = '{second}'"):
        answer = shop.list_designs([design["id"] for design in designs]).json()
        assert "could not be listed: the database refused it" in answer["result"]["message"]
    (letter,) = system.letters(session)
    assert (letter["service"], letter["message_type"], str(letter["item_id"])) == (
        "publisher", "MockupsRendered", second,
    )  # fmt: skip
    system.command("dead", "replay", letter["id"], "--yes", "--wait")
    assert ended(shop, session, listed=3, listing_failed=0)["state"] == "finished"
    assert len(system.server.place.listed(shop.folder)) == 3


def test_a_file_whose_twin_was_stored_meanwhile_ends_as_its_duplicate(system: System, shop: Shop) -> None:
    (name, data), *others = artworks.fresh(2)
    session = shop.start()
    with system.failing("storage.designs", placed(name)):
        shop.uploaded([(name, data), *others], session)
        system.letters(session)
    again = shop.start()
    (twin, _) = shop.uploaded([("twin.png", data), *artworks.fresh(1)], again)["designs"]
    assert system.server.place.designs(shop.folder) == print_names(100, 101, 102)
    shop.client.post(f"/api/v1/sessions/{session}/retry").raise_for_status()
    item = ended(shop, session, failed=0, duplicate=1)["items"][0]
    assert item["match"]["item_id"] == twin["id"]
    assert system.server.place.designs(shop.folder) == print_names(100, 101, 102)
    (letter,) = eventually(lambda: [row for row in system.letters(session) if row["status"] == "resolved"])
    assert letter["outcome"].startswith("what it was about is duplicate")


def test_a_file_whose_twin_in_the_same_upload_took_its_place_ends_as_its_duplicate(system: System, shop: Shop) -> None:
    (name, data), other = artworks.fresh(2)
    session = shop.start()
    # Whichever of the twins is looked at first is the original, and fails; the other is then decided anew.
    with system.failing("storage.designs", f"NEW.generation = 0 AND {placed(name, 'copy.png')}"):
        shop.uploaded([(name, data), other, ("copy.png", data)], session)
        twins = ended(shop, session, stored=2, failed=1)["items"][::2]
    assert {item["state"] for item in twins} == {"failed", "stored"}
    system.command("dead", "replay", "--session", session, "--yes", "--wait")
    twins = ended(shop, session, stored=2, failed=0, duplicate=1)["items"][::2]
    by_state = {item["state"]: item for item in twins}
    assert by_state["duplicate"]["match"]["item_id"] == by_state["stored"]["item_id"]
    assert system.server.place.designs(shop.folder) == print_names(100, 101)


def test_what_dies_again_is_one_lineage_with_one_letter_to_replay(system: System, shop: Shop) -> None:
    files = artworks.fresh(2)
    session = shop.start()
    with system.failing("storage.designs", placed(files[0][0])):
        shop.uploaded(files, session)
        (first,) = system.letters(session)
        said = system.command("dead", "replay", first["id"], "--yes", "--wait", code=1).output
        assert "failed again" in said
        _, second = eventually(lambda: found if len(found := system.letters(session)) == 2 else None)
    assert (second["status"], second["replay_of"], second["generation"]) == ("dead_again", first["id"], 1)
    assert second["fingerprint"] == first["fingerprint"]
    (superseded, _) = system.letters(session)
    assert superseded["status"] == "superseded"
    assert str(second["id"]) in superseded["outcome"]
    shown = system.command("dead", "show", second["id"]).output
    assert f"{first['id']} -> {second['id']}" in shown
    system.command("dead", "replay", "--session", session, "--yes", "--wait")
    assert [row["status"] for row in system.letters(session)] == ["superseded", "resolved"]
    assert ended(shop, session, stored=2)["items"][0]["generation"] == 2


def test_a_canary_that_fails_again_leaves_the_rest_alone(system: System, shop: Shop) -> None:
    files = artworks.fresh(8)
    session = shop.start()
    with system.failing("storage.designs", placed(*(name for name, _ in files[1:]))):
        shop.uploaded(files, session)
        assert len(eventually(lambda: found if len(found := system.letters(session)) == 7 else None)) == 7
        said = system.command("dead", "replay", "--session", session, "--yes", "--canary", code=1).output
        assert "stopped: 1 of 1 failed again: mend the cause first. 6 were left alone." in said
        ended(shop, session, failed=7)
    assert len(system.letters(session)) == 8
    said = system.command("dead", "replay", "--session", session, "--yes", "--canary", "--wait").output
    assert said.count("waiting for the end of") == 3
    ended(shop, session, stored=8, failed=0)
    assert system.server.place.designs(shop.folder) == print_names(*range(100, 108))


def test_a_replay_does_not_wait_for_the_word_of_other_failures_that_is_tried_again_later(
    system: System, shop: Shop
) -> None:
    """The last of several is replayed alone; storage has heard of none of them, and would for minutes not."""
    files = artworks.fresh(3)
    session = shop.start()
    refused = ", ".join(repr(name) for name, _ in files)
    with system.failing("storage.designs", f"NEW.filename IN ({refused})"):
        shop.uploaded(files, session)
        ended(shop, session, failed=3)
        # that each has failed could not be told to storage either: letters of their own, for want of a longer retry
        letters = eventually(lambda: found if len(found := system.letters(session)) == 6 else None)
    last = next(row["id"] for row in letters if row["item_id"] and row["files"][0]["filename"] == files[2][0])
    system.command("dead", "replay", last, "--yes", "--wait", "--patience", "20")
    assert ended(shop, session, stored=1, failed=2)["items"][2]["state"] == "stored"


def test_two_who_replay_at_once_send_it_once(system: System, shop: Shop) -> None:
    files = artworks.fresh(6)
    session = shop.start()
    with system.failing("storage.designs", placed(*(name for name, _ in files))):
        shop.uploaded(files, session)
        ended(shop, session, failed=6)
        eventually(lambda: len(system.letters(session)) == 6)
    retry = f"/api/v1/sessions/{session}/retry"
    with ThreadPoolExecutor(4) as pool:
        replays = [pool.submit(system.command, "dead", "replay", "--session", session, "--yes", code=None)]
        retries = [pool.submit(shop.client.post, retry) for _ in range(3)]
        told = [future.result(60).output for future in replays]
        answers = [future.result(60).json() for future in retries]
    # What it only foresees is indented.
    lines = [line for output in told for line in output.splitlines() if not line.startswith(" ")]
    by_command = sum("is being worked on again" in line for line in lines)
    assert by_command + sum(len(answer["retried"]) for answer in answers) == 6
    receipt = ended(shop, session, stored=6)
    assert {item["generation"] for item in receipt["items"]} == {1}
    retried = [event for event in shop.get(session, "/events")["events"] if event["type"] == "retried"]
    assert len(retried) == 6
    assert system.server.place.designs(shop.folder) == print_names(*range(100, 106))


def test_replaying_what_is_stored_changes_nothing(system: System, shop: Shop) -> None:
    files = artworks.fresh(2)
    session = shop.start()
    with system.failing("storage.designs", placed(files[0][0])):
        shop.uploaded(files, session)
        (letter,) = system.letters(session)
    system.command("dead", "replay", letter["id"], "--yes", "--wait")
    eventually(lambda: shop.get(session)["state"] == "finished")  # by itself, as nobody asks for listings: an event too
    before = shop.get(session)["last_seq"], system.server.place.designs(shop.folder)
    said = system.command("dead", "replay", letter["id"], "--yes", code=1).output
    assert "refused: it is resolved since" in said
    shop.client.post(f"/api/v1/sessions/{session}/retry").raise_for_status()
    assert (shop.get(session)["last_seq"], system.server.place.designs(shop.folder)) == before


def test_a_letter_about_no_file_goes_back_to_its_inbox_and_does_its_work(system: System, shop: Shop) -> None:
    folder = system.server.place.nas / shop.folder / "Mockups" / "BaseMockups"
    eventually(folder.is_dir)
    # A new template's folder: in the one of the shop's first template storage may still be at work.
    first, copies = folder / "UVDTF 16oz", folder / "UVDTF mug"
    copies.write_bytes(b"in the way")
    mockup = frontend.another_group(shop, copies.name)
    photograph = saved(artworks.artwork(7).convert("RGB"))
    picture = [("files", ("bg.png", photograph)), ("watermark_file", ("wm.png", saved(artworks.artwork(8))))]
    answer = shop.client.post("/mockups/upload", data={"mockup_id": mockup}, files=picture)
    assert answer.status_code == 201, answer.text
    query = "SELECT * FROM ingest.dead_letters WHERE tenant_id = :id AND message_type = 'StoreFile' ORDER BY kept_at"
    (letter,) = eventually(lambda: system.rows(query, id=shop.user["id"]))
    assert (letter["service"], letter["item_id"], letter["session_id"]) == ("storage", None, None)
    assert "in the way" in letter["cause"]
    said = system.command("dead", "replay", "--tenant", shop.user["email"], "--yes").output
    assert "redelivered: sent to storage again" in said
    _, again = eventually(lambda: found if len(found := system.rows(query, id=shop.user["id"])) == 2 else None)
    assert (again["status"], again["replay_of"], again["generation"]) == ("dead_again", letter["id"], 1)
    copies.unlink()
    system.command("dead", "replay", "--tenant", shop.user["email"], "--yes")
    eventually(lambda: [[file.suffix for file in each.glob("*")] for each in (first, copies)] == [[".png"], [".png"]])
    assert [row["status"] for row in system.rows(query, id=shop.user["id"])] == ["superseded", "replaying"]


def test_bytes_that_are_no_message_come_back_as_they_were(system: System) -> None:
    garbage = f"\x00 no message of ours: {uuid4()} ".encode() + b"\xff\xfe"
    asyncio.run(hand_in(system.amqp_url, "hasher", garbage))
    query = "SELECT * FROM ingest.dead_letters WHERE raw = :raw ORDER BY kept_at"
    (letter,) = eventually(lambda: system.rows(query, raw=garbage))
    assert "not a CloudEvents envelope" in letter["cause"]
    for lives in (2, 3):
        system.command("dead", "replay", "--status", "dead", "--status", "dead_again", "--service", "hasher", "--yes")
        eventually(lambda lives=lives: len(system.rows(query, raw=garbage)) == lives)
    assert [row["status"] for row in system.rows(query, raw=garbage)] == ["superseded", "superseded", "dead_again"]
    assert [row["generation"] for row in system.rows(query, raw=garbage)] == [0, 1, 2]
    last = system.rows(query, raw=garbage)[-1]["id"]
    shown = system.command("dead", "show", last).output
    assert shown.count(" -> ") == 2
    system.command("dead", "discard", last)


async def hand_in(amqp_url: str, service: str, body: bytes) -> None:
    """Put bytes into a service's inbox."""
    bus = RabbitBus(amqp_url, "test")
    await bus.connect()
    await bus.send(Route(REDELIVER, f"test.{service}"), Sealed(str(uuid4()), body))
    await bus.stop(1)


@pytest.mark.parametrize(
    ("table", "refused", "service"),
    [
        ("dedup.verdicts", "NEW.hashed->>'filename' = '{}'", "dedup"),
        ("dedup.hashes", "NEW.filename = '{}' AND NEW.state = 'claimed'", "dedup"),
        ("storage.designs", "NEW.filename = '{}' AND NEW.state = 'accepted'", "storage"),
        ("storage.designs", "NEW.filename = '{}' AND NEW.state = 'stored'", "storage"),
        ("ingest.items", "NEW.filename = '{}' AND NEW.state = 'stored'", "ingest"),
    ],
)
def test_wherever_on_its_way_a_file_was_given_up_it_goes_on(
    system: System, shop: Shop, table: str, refused: str, service: str
) -> None:
    files = artworks.fresh(3)
    session = shop.start()
    with ThreadPoolExecutor(1) as pool:
        with system.failing(table, refused.format(files[1][0])):
            # Not waited for: where one message answers for its neighbours, they wait with it until it is replayed.
            upload = pool.submit(shop.uploaded, files, session)
            assert {letter["service"] for letter in system.letters(session)} == {service}
            # A failed file; or one that has its number waits, because the failure of its neighbour could not be told.
            eventually(lambda: sound(shop, session)["failed"] or len(system.letters(session)) == 2)

        def replayed() -> bool:
            system.command("dead", "replay", "--session", session, "--yes", code=None)
            return bool(sound(shop, session)["stored"] == 3)

        eventually(replayed)
        upload.result(60)
    receipt = ended(shop, session, stored=3, failed=0)
    assert {item["reason"] for item in receipt["items"]} == {None}
    assert len(system.server.place.designs(shop.folder)) == 3
    ids = [each["item_id"] for each in shop.items(session)]
    shop.have_listed(ids)
    assert ended(shop, session, listed=3)["state"] == "finished"
