"""The real system loses its broker's queues, or a session is cancelled, in the middle of the work."""

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from services.local.broker import Broker
from services.local.process import free_ports
from services.local.system import Plan, Running, system
from tests import backends
from tests.e2e.conftest import halted, sent, stored_names
from tests.integration.flow.test_resume import delete_all_queues
from tests.seller import Seller, artworks
from tests.waiting import until

FILES = 24


@pytest.fixture(scope="module")
def world(
    rabbit: Broker, postgres_url: str, _template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Running]:
    """Two hashers and one of each other service, on a broker whose queues may be taken away."""
    data_dir = tmp_path_factory.mktemp("system")
    (port,) = free_ports(1)
    with backends.virtual_host(rabbit) as amqp_url, backends.new_database(postgres_url, _template) as database_url:
        settings = {"AMQP_URL": amqp_url, "DATABASE_URL": database_url, "REGISTRATION_RATE_LIMIT": "off"}
        settings |= {"COMPREHENSIVE_WORKFLOW_MAX_THREADS": "2"}
        with system(Plan(data_dir, port, environment=settings), say=print) as found:
            yield found


@pytest.fixture
def seller(world: Running) -> Iterator[Seller]:
    with Seller(world.base_url, inches=(4.0, 3.0)) as account:
        yield account


def presswork(world: Running, *words: str, code: int = 0) -> str:
    """A command, as an operator gives it."""
    command = [sys.executable, "-m", "services.cli", *words]
    environment = {**os.environ, **world.environment}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stderr
    return done.stdout


def heard(seller: Seller, session: str, kind: str) -> int:
    return Counter(event["type"] for event in seller.events(session))[kind]


def test_a_session_whose_queues_are_gone_is_resumed_and_everything_is_stored_once(
    world: Running, rabbit: Broker, seller: Seller
) -> None:
    files = artworks(FILES)
    session = seller.announce(files)
    with ThreadPoolExecutor(1) as pool:
        uploading = pool.submit(sent, seller, session, files)
        until(lambda: heard(seller, session, "hashed") >= 4)
        with halted(world, "hasher"):  # else all may be done by then
            until(lambda: seller.receipt(session)["received"] == FILES)
            delete_all_queues(rabbit, world.environment["AMQP_URL"])
        assert seller.receipt(session)["in_progress"] > 0
        presswork(world, "init", "--no-database", "--no-nas")
        assert "would be resumed; nothing was sent" in presswork(world, "resume", "--dry-run")
        assert "1 session and 2 messages that no session waits for" in presswork(world, "resume")
        until(lambda: heard(seller, session, "stored") >= 1, within_s=110)
        session_id = seller.receipt(session)["session_id"]
        presswork(world, "resume", "--session", session_id)  # while it is under way
        answer = uploading.result(110)
    assert answer is not None
    designs = answer.json()["designs"]
    assert len(designs) == FILES
    assert seller.list_designs([design["id"] for design in designs])["success"]
    receipt = seller.receipt(session)
    assert (receipt["stored"], receipt["listed"], receipt["failed"]) == (FILES, FILES, 0)
    assert len(stored_names(Path(world.nas) / seller.shop_name / seller.template_name)) == FILES
    assert sorted(item["number"] for item in receipt["items"]) == list(range(100, 100 + FILES))
    events = seller.events(session)
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    assert set(Counter(event["item_id"] for event in events if event["type"] == "stored").values()) == {1}
    told = presswork(world, "resume", "--dry-run").strip()  # no row says that the shop's files arrived
    assert told.startswith("2 messages that no session waits for")
    assert told.endswith("would be resumed; nothing was sent")


def test_a_cancelled_session_stops_and_its_files_can_be_uploaded_again(world: Running, seller: Seller) -> None:
    files = artworks(FILES, seed=7)
    session = seller.announce(files)
    with ThreadPoolExecutor(1) as pool:
        uploading = pool.submit(sent, seller, session, files)
        until(lambda: heard(seller, session, "hashed") >= 2)
        answer = seller.http.post(f"/api/v1/sessions/{session}/cancel")
        assert answer.json()["message"].startswith("Cancelled: "), answer.text
        session_id = seller.receipt(session)["session_id"]
        assert presswork(world, "cancel", session_id, code=3).startswith("Nothing is left to cancel")
        uploaded = uploading.result(60)
    assert uploaded is not None
    assert uploaded.json()["designs"] == []
    receipt = seller.receipt(session)
    assert receipt["state"] == "finished"
    assert receipt["failed"] + receipt["stored"] == FILES
    assert receipt["failed"] > 0
    # What is still in hand somewhere ends unseen; uploaded again, all of it is there once.
    _, designs = seller.upload(files)
    stored = seller.receipt(session)["stored"]
    assert len(designs) == FILES - stored
    assert len(stored_names(Path(world.nas) / seller.shop_name / seller.template_name)) == FILES
    events = seller.events(session)
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))


def test_ready_tells_that_uploads_are_taken(world: Running) -> None:
    assert httpx.get(f"{world.base_url}/ready", trust_env=False).json()["uploads"] == "accepted"
