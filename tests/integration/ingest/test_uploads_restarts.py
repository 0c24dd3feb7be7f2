"""A NAS that is away, a process that is killed, a process that is stopped: sessions go on, and nothing is doubled."""

import contextlib
import json
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import create_engine, text

from shared.nas.marker import MARKER
from tests.integration.ingest import artworks, embedded, frontend
from tests.integration.ingest.artworks import File, print_names
from tests.integration.ingest.embedded import PRODUCT, Place
from tests.integration.ingest.frontend import Shop
from tests.waiting import eventually

FILES: list[File] = [
    ("bad.png", b"no picture"),
    *artworks.designs(4),
    ("empty.png", b""),
    *artworks.designs(4, first=5),
]


@contextlib.contextmanager
def unmounted(here: Place) -> Iterator[None]:
    """The NAS is away: its folder is there and is not it."""
    marker, hidden = here.nas / MARKER, here.data / "the NAS's mark"
    marker.rename(hidden)
    try:
        yield
    finally:
        hidden.rename(marker)


def waiting(here: Place) -> bool:
    """Storage has designs in hand and can't place them."""
    engine = create_engine(here.database_url)
    with engine.connect() as connection:
        held = connection.execute(text("SELECT count(*) FROM storage.designs WHERE state = 'accepted'")).scalar_one()
    engine.dispose()
    return bool(held)


def totals(shop: Shop, session: str) -> dict[str, Any]:
    found: dict[str, Any] = shop.get(session)["totals"]
    return found


def finished(shop: Shop, session: str) -> bool:
    return bool(shop.get(session)["state"] == "finished")


@pytest.mark.usefixtures("impatient")
def test_a_session_waits_for_a_nas_that_is_away(here: Place) -> None:
    with embedded.serving(here) as server, frontend.shop(server) as shop, ThreadPoolExecutor(1) as pool:
        session = shop.start(FILES)
        with unmounted(here):
            uploading = pool.submit(shop.uploaded, FILES, session)
            eventually(lambda: waiting(here))
            eventually(lambda: totals(shop, session)["rejected"] == 2)
            found = totals(shop, session)
            assert (found["in_progress"], found["failed"], found["stored"]) == (8, 0, 0)
            assert not uploading.done()
            assert here.designs(shop.folder) == []
        assert uploading.result(60)["total"] == 8
        assert here.designs(shop.folder) == print_names(*range(100, 108))


def test_a_process_that_is_killed_goes_on_where_it_was(here: Place, tmp_path: Path) -> None:
    """Killed twice: while designs wait for the NAS, and while listings are made."""
    with embedded.spawned(here, tmp_path / "first") as server, unmounted(here), frontend.shop(server) as shop:
        session = shop.start(FILES)
        server.send(frontend.wire(shop.request(FILES, session)), until=lambda: waiting(here))
        eventually(lambda: totals(shop, session)["rejected"] == 2)
        before = [item["item_id"] for item in shop.items(session)]
        server.process.kill()
        server.process.wait()
    with embedded.spawned(here, tmp_path / "second") as server, shop.moved(server) as shop:
        eventually(lambda: totals(shop, session)["stored"] == 8)
        kept = here.nas / shop.folder / "Mockups" / "BaseMockups"
        eventually(lambda: [len(list(kept.glob(f"{of}/*.png"))) for of in (PRODUCT, "Watermarks")] == [1, 1])
        assert here.designs(shop.folder) == print_names(*range(100, 108))
        found = shop.uploaded(FILES, session)
        wanted = [design["id"] for design in found["designs"]]
        assert [item["item_id"] for item in shop.items(session)] == before
        assert [item["name"] for item in shop.items(session) if item["name"]] == print_names(*range(100, 108))
        begun = threading.Event()
        events = frontend.listen(
            server,
            f"/api/v1/sessions/{session}/events/stream",
            headers={"Authorization": f"Bearer {shop.token}"},
            until=lambda block: "event: listed" in block,
            begun=begun,
        )
        assert begun.wait(10)
        with ThreadPoolExecutor(1) as pool:
            asking = pool.submit(shop.list_designs, wanted)
            events.result(60)
            server.process.kill()
            with contextlib.suppress(httpx.TransportError):
                asking.result(60)
    with embedded.spawned(here, tmp_path / "third") as server, shop.moved(server) as shop:
        eventually(lambda: finished(shop, session))
        assert shop.list_designs(wanted).json()["result"]["message"].startswith("8 listed already, 2 files could")
        assert len(here.listed(shop.folder)) == 8
        assert shop.uploaded(FILES, session) == found
        assert here.designs(shop.folder) == print_names(*range(100, 108))
        receipt = shop.get(session, "/receipt")
        assert (receipt["received"], receipt["stored"], receipt["rejected"], receipt["listed"]) == (10, 8, 2, 8)
        sequence = [event["seq"] for event in shop.get(session, "/events")["events"]]
        assert sequence == list(range(1, len(sequence) + 1))
        server.process.send_signal(signal.SIGINT)
        assert server.process.wait(15) == 0
        assert "Traceback" not in (tmp_path / "third").read_text()


def test_a_process_that_is_stopped_ends_its_streams_and_answers_who_waits(here: Place, tmp_path: Path) -> None:
    with embedded.spawned(here, tmp_path / "log") as server, frontend.shop(server) as shop:
        with ThreadPoolExecutor(1) as pool, unmounted(here):
            session = shop.start(FILES)
            uploading = pool.submit(shop.upload, FILES, session)
            eventually(lambda: waiting(here) and totals(shop, session)["rejected"] == 2)
            ids = [item["item_id"] for item in shop.items(session) if item["state"] != "rejected"]
            begun = [threading.Event() for _ in range(50)]
            path = f"/designs/progress/{session}"
            streams = [frontend.listen(server, path, params={"token": shop.token}, begun=one) for one in begun]
            assert all(one.wait(10) for one in begun)
            server.process.send_signal(signal.SIGTERM)
            assert server.process.wait(15) == 0
            for stream in streams:
                assert stream.result(5).data, "each ended whole: a connection that is cut raises here"
            answer = uploading.result(5)
        assert answer.status_code == 201
        assert [design["id"] for design in answer.json()["designs"]] == ids, "their final ids, though still in progress"
        assert "Traceback" not in (tmp_path / "log").read_text()


def test_an_upload_that_can_not_be_kept_is_sent_again_later(here: Place) -> None:
    with embedded.serving(here) as server, frontend.shop(server) as shop:
        session = shop.start(FILES)
        blobs, hidden = here.data / "blobs", here.data / "the blobs"
        blobs.rename(hidden)
        blobs.write_text("no folder")
        answer = shop.upload(FILES, session)
        assert answer.status_code == 503
        assert answer.headers["access-control-allow-origin"] == embedded.ORIGIN
        assert str(here.data) not in answer.text
        assert shop.get(session)["totals"]["received"] == 0
        blobs.unlink()
        hidden.rename(blobs)
        assert shop.uploaded(FILES, session)["total"] == 8


def test_an_answer_that_takes_long_keeps_its_connection_alive_and_is_still_json(here: Place) -> None:
    """Blanks go ahead of it, which proxies and browsers see and JSON allows; at last it says how far things are."""
    impatient = replace(here, changes={"HTTP_WAIT_SECONDS": "5.5"})
    with (
        embedded.serving(impatient) as server,
        frontend.shop(server) as shop,
        unmounted(here),
    ):
        session = shop.start(FILES)
        answer = shop.client.send(shop.request(FILES, session), stream=True)
        assert (answer.status_code, answer.headers["content-type"]) == (201, "application/json")
        assert answer.headers["access-control-allow-origin"] == embedded.ORIGIN
        assert answer.headers["x-accel-buffering"] == "no"
        pieces = list(answer.iter_raw())
        assert pieces[0] == b" "
        body = json.loads(b"".join(pieces))
        told = [(found["id"], found["filename"]) for found in body["designs"]]
        eventually(lambda: len(accepted(shop, session)) == 8)
        # On a busy machine it was told of those as well that had not been refused by then.
        assert [each for each in told if each in accepted(shop, session)] == accepted(shop, session)


def accepted(shop: Shop, session: str) -> list[tuple[str, str]]:
    return [(item["item_id"], item["filename"]) for item in shop.items(session) if item["state"] == "accepted"]
