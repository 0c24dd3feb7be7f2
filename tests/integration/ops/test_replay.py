"""A service gives up, somebody mends the cause and replays: the files go on to where they were to go."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tests.integration.ingest import artworks
from tests.integration.ingest.artworks import print_names
from tests.integration.ingest.embedded import eventually
from tests.integration.ingest.frontend import Shop
from tests.integration.ops.pipeline import System


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
    assert shop.list_designs([design["id"] for design in designs]).json()["success"]
    before = ended(shop, session, stored=3, failed=1, listed=3)
    assert before["state"] == "finished"
    assert "storage gave up" in before["items"][1]["reason"]
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
        assert shop.list_designs(ids).json()["success"]
        before = ended(shop, session, failed=1, listed=2)
    last = before["state"], shop.get(session)["last_seq"]
    assert last[0] == "finished"
    frames = shop.stream(f"/designs/progress/{session}", params={"token": shop.token})
    assert shop.client.post(f"/api/v1/sessions/{session}/retry").json()["state"] == "working"
    path = f"/api/v1/sessions/{session}/events/stream?after={last[1]}"
    stream = shop.stream(path, headers={"Authorization": f"Bearer {shop.token}"}).result(60)
    told = [event["type"] for event in stream.data]
    assert told == ["retried", "hashed", "accepted", "stored", "finished"]
    assert [event["seq"] for event in stream.data] == list(range(last[1] + 1, last[1] + 6))
    assert [event["totals"]["failed"] for event in stream.data] == [0] * 5
    assert stream.data[0]["percent"] < 100 == stream.data[-1]["percent"]
    shown = [frame for frame in frames.result(60).data if "step" in frame]
    assert shown[-1]["step"] == 4
    assert shown[-1]["message"].startswith("Upload completed successfully: 3 stored")
    assert {frame["step"] for frame in shown} > {4}, "it went back to work and did not only end"
    assert sound(shop, session)["state"] == "finished"


def test_a_listing_that_was_given_up_is_replayed_to_a_listing(system: System, shop: Shop) -> None:
    session = shop.start()
    designs = shop.uploaded(artworks.fresh(3), session)["designs"]
    second = designs[1]["id"]
    with system.failing("publisher.listings", f"NEW.item_id = '{second}'"):
        answer = shop.list_designs([design["id"] for design in designs]).json()
        assert "publisher gave up" in answer["result"]["message"]
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
    by_command = sum(output.count("is being worked on again") for output in told)
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
    before = shop.get(session)["last_seq"], system.server.place.designs(shop.folder)
    said = system.command("dead", "replay", letter["id"], "--yes", code=1).output
    assert "refused: it is resolved since" in said
    shop.client.post(f"/api/v1/sessions/{session}/retry").raise_for_status()
    assert (shop.get(session)["last_seq"], system.server.place.designs(shop.folder)) == before


def test_a_letter_about_no_file_goes_back_to_its_inbox_and_does_its_work(system: System, shop: Shop) -> None:
    folder = system.server.place.nas / shop.folder / "Mockups" / "BaseMockups"
    eventually(folder.is_dir)
    copies = folder / "UVDTF 16oz"
    eventually(lambda: copies.is_dir() and len(list(copies.iterdir())) == 1)
    moved = copies.rename(folder / "elsewhere")
    copies.write_bytes(b"in the way")
    photograph = artworks.saved(artworks.artwork(7).convert("RGB"))
    picture = [("files", ("bg.png", photograph)), ("watermark_file", ("wm.png", artworks.saved(artworks.artwork(8))))]
    answer = shop.client.post("/mockups/upload", data={"mockup_id": shop.mockup}, files=picture)
    assert answer.status_code == 201, answer.text
    query = "SELECT * FROM ingest.dead_letters WHERE tenant_id = :id AND message_type = 'StoreFile'"
    (letter,) = eventually(lambda: system.rows(query, id=shop.user["id"]))
    assert (letter["service"], letter["item_id"], letter["session_id"]) == ("storage", None, None)
    assert "in the way" in letter["cause"]
    copies.unlink()
    said = system.command("dead", "replay", "--tenant", shop.user["email"], "--yes").output
    assert "redelivered: sent to storage again" in said
    eventually(lambda: copies.is_dir() and len(list(copies.iterdir())) == 1)
    assert moved.is_dir()
    (letter,) = system.rows(query, id=shop.user["id"])
    assert letter["status"] == "replaying"
