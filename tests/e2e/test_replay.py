"""A replay as an operator does it, on the system as processes: ingest dies between its commit and its publish."""

import hashlib
import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import NullPool, create_engine, text

from services.local.system import Running
from tests.e2e.conftest import all_live, answers, halted
from tests.seller import Seller, artworks
from tests.waiting import until

PASSED_ON = ("DATABASE_URL", "AMQP_URL")


def presswork(running: Running, *words: str) -> str:
    """A command in a terminal beside the running system, which has left its addresses in its folder."""
    environment = {name: value for name, value in os.environ.items() if name not in PASSED_ON}
    command = [sys.executable, "-m", "services.cli", *words, "--data", str(data_dir(running))]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def data_dir(running: Running) -> Path:
    return Path(running.environment["BLOB_DIR"]).parent


@pytest.mark.rabbit
@pytest.mark.postgres
def test_a_replay_survives_the_death_of_ingest_and_is_sent_once(running: Running) -> None:
    engine = create_engine(running.environment["DATABASE_URL"], poolclass=NullPool)

    def rows(query: str, **values: str) -> list[tuple[str, ...]]:
        with engine.connect() as connection:
            return [tuple(row) for row in connection.execute(text(query), values)]

    with Seller(running.base_url) as seller:
        session_id, designs = seller.upload(artworks(3, seed=77))
        ids = [design["id"] for design in designs]
        folder = Path(running.nas) / str(designs[0]["file_path"]).split("/")[3] / "Mockups" / seller.template_name
        with ThreadPoolExecutor(1) as pool:
            with halted(running, "publisher"):
                answer = pool.submit(seller.list_designs, ids)
                pictures = until(lambda: found if len(found := sorted(folder.glob("*.jpg"))) == 3 else None)
                sha256 = hashlib.sha256(pictures[1].read_bytes()).hexdigest()
                blob = Path(running.environment["BLOB_DIR"]) / sha256[:2] / sha256
                content = blob.read_bytes()
                blob.write_bytes(b"a disk error")
            assert answer.result(60)["success"]
        assert [item["listing_state"] for item in seller.receipt(session_id)["items"]] == ["listed", "failed", "listed"]
        assert "publisher: Permanent: blob" in presswork(running, "dead", "groups", "--session", session_id)

        blob.write_bytes(content)
        with halted(running, "ingest") as pids:
            said = presswork(running, "dead", "replay", "--session", session_id, "--yes")
            assert "1 reopened" in said
            owed = "SELECT type FROM ingest.outbox WHERE session_id = :id AND sent_at IS NULL"
            assert rows(owed, id=session_id) == [("MockupsRequested",)]
            for pid in pids:
                os.kill(pid, signal.SIGKILL)
        until(lambda: all_live(running) and answers(running.base_url))
        until(lambda: seller.receipt(session_id)["listed"] == 3)
        until(lambda: rows(owed, id=session_id) == [])
        events = seller.events(session_id)
        assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
        assert [event["type"] for event in events].count("listing_retried") == 1
        listed = (
            "SELECT count(*) FROM publisher.listings WHERE item_id = ANY(CAST(string_to_array(:ids, ',') AS uuid[]))"
        )
        assert rows(listed, ids=",".join(ids)) == [(3,)]
        status = "SELECT status FROM ingest.dead_letters WHERE session_id = :id"
        until(lambda: rows(status, id=session_id) == [("resolved",)])
    engine.dispose()
