"""Trying again in the original lane: the same as over the broker, without one."""

import json
import shutil
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import text
from structlog.testing import capture_logs

from services.ingest.dead_letters.auditing import Run
from services.ingest.dead_letters.replaying import Replays
from tests.images import saved
from tests.integration.ingest import artworks
from tests.integration.ingest.artworks import print_names
from tests.integration.ingest.embedded import PRODUCT, Threaded
from tests.integration.ingest.frontend import Shop
from tests.waiting import eventually


def in_the_way(server: Threaded, shop: Shop) -> Path:
    """A file where the product's folder is to be."""
    folder = server.place.nas / shop.folder
    folder.mkdir(exist_ok=True)
    (folder / PRODUCT).write_bytes(b"in the way")
    return folder / PRODUCT


def retried(shop: Shop, session: str) -> dict[str, Any]:
    answer = shop.client.post(f"/api/v1/sessions/{session}/retry")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_what_the_nas_refused_is_stored_and_listed_once_it_is_mended(server: Threaded, shop: Shop) -> None:
    session = shop.start()
    blocking = in_the_way(server, shop)
    answer = shop.uploaded(artworks.fresh(3), session)
    assert answer["designs"] == []
    why = f"a file or folder is in the way ('{shop.folder}/{PRODUCT}' is no folder); rename or remove it"
    assert answer["skipped"][0]["reason"].endswith(why)
    assert shop.get(session)["state"] == "finished"
    blocking.unlink()
    told = retried(shop, session)
    assert (told["message"], told["state"]) == ("3 files are being worked on again.", "working")
    eventually(lambda: shop.get(session)["totals"]["stored"] == 3)
    assert server.place.designs(shop.folder) == print_names(100, 101, 102)
    designs = [item["item_id"] for item in shop.items(session)]
    shop.have_listed(designs)
    found = shop.get(session)
    assert (found["lane"], found["state"], found["totals"]["listed"]) == ("original", "finished", 3)
    events = shop.get(session, "/events")["events"]
    assert [event["seq"] for event in events] == list(range(1, found["last_seq"] + 1))


def test_a_file_whose_bytes_are_gone_says_so(server: Threaded, shop: Shop) -> None:
    session = shop.start()
    blocking = in_the_way(server, shop)
    files = artworks.fresh(2)
    shop.uploaded(files, session)
    blocking.unlink()
    item = shop.items(session)[0]
    blobs = server.place.data / "blobs"
    (blobs / item["sha256"][:2] / item["sha256"]).unlink()
    shutil.rmtree(blobs / "derived")
    with capture_logs() as lines:
        retried(shop, session)
        eventually(lambda: shop.get(session)["totals"]["in_progress"] == 0)
    (told,) = [line for line in lines if line["event"] == "a file has failed"]
    assert (told["filename"], told["session_id"]) == (item["filename"], shop.get(session)["session_id"])
    assert "the server has lost this file" in told["reason"]
    first, second = shop.items(session)
    assert (first["state"], second["state"]) == ("failed", "stored")
    assert "upload it again, or try it again once your operator has restored them" in first["reason"]
    restored = blobs / item["sha256"][:2] / item["sha256"]
    restored.write_bytes(files[0][1])
    retried(shop, session)
    eventually(lambda: shop.get(session)["totals"]["stored"] == 2)


def test_a_print_that_the_disk_has_damaged_is_made_anew_when_it_is_tried_again(server: Threaded, shop: Shop) -> None:
    session, files = shop.start(), artworks.fresh(1)
    blocking = in_the_way(server, shop)
    shop.uploaded(files, session)
    blocking.unlink()
    blobs = server.place.data / "blobs"
    for result in (blobs / "derived").rglob("*.json"):
        sha256 = json.loads(result.read_text())["print_file"]["sha256"]
        made = blobs / sha256[:2] / sha256
        made.write_bytes(b"!" * made.stat().st_size)
    retried(shop, session)
    eventually(lambda: shop.get(session)["totals"]["stored"] == 1)


def test_a_letter_about_no_file_is_redelivered_in_this_process(server: Threaded, shop: Shop) -> None:
    folder = server.place.nas / shop.folder / "Mockups" / "BaseMockups"
    eventually((folder / PRODUCT).is_dir)
    shutil.rmtree(folder / PRODUCT)
    (folder / PRODUCT).write_bytes(b"in the way")
    photograph, watermark = (saved(artworks.artwork(seed)) for seed in (7, 8))
    files = [("files", ("bg.png", photograph)), ("watermark_file", ("wm.png", watermark))]
    shop.client.post("/mockups/upload", data={"mockup_id": shop.mockup}, files=files).raise_for_status()
    engine = server.desk.sessions.engine

    def letters() -> list[tuple[UUID, str]]:
        query = text("SELECT id, lane FROM ingest.dead_letters WHERE tenant_id = :id")
        with engine.connect() as connection:
            return [(row.id, row.lane) for row in connection.execute(query, {"id": shop.user["id"]})]

    ((letter_id, lane),) = eventually(letters)
    assert lane == "original"
    (folder / PRODUCT).unlink()
    assert Replays(engine, 2).replay(letter_id, Run("ana", "replay")).result == "redelivered"
    eventually(lambda: (folder / PRODUCT).is_dir() and any((folder / PRODUCT).iterdir()))
