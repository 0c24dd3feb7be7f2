"""Brokers, databases and services die in the middle of the work: every file ends once, whatever died."""

import hashlib
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine, NullPool, create_engine, text

from services.ingest.sessions.serving.outcome_text import TRIED
from services.local.process import free_ports
from services.local.system import Plan, Running, system
from tests.drift import DRIFT
from tests.e2e.conftest import all_live, sent, stored_names
from tests.seller import File, Seller, artworks
from tests.servers import Server, own_servers
from tests.waiting import until

pytestmark = [pytest.mark.rabbit, pytest.mark.postgres]

FILES = 16
INCHES = (4.0, 3.0)  # large enough that a session is still at work when something dies


@dataclass(frozen=True)
class World:
    """A running system whose broker and database can be taken away."""

    broker: Server
    database: Server
    running: Running
    engine: Engine

    def rows(self, query: str, **values: Any) -> list[Any]:
        with self.engine.connect() as connection:
            return list(connection.execute(text(query), values))


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Two hashers and one of each other service, with a broker and a database of their own."""
    folder = tmp_path_factory.mktemp("outages")
    with own_servers(folder) as (broker, database):
        (port,) = free_ports(1)
        settings = {"AMQP_URL": broker.url, "DATABASE_URL": database.url, "REGISTRATION_RATE_LIMIT": "off"}
        settings |= {"COMPREHENSIVE_WORKFLOW_MAX_THREADS": "2"}
        with system(Plan(folder, port, environment=settings), say=print) as running:
            yield World(broker, database, running, create_engine(database.url, poolclass=NullPool))


@pytest.fixture
def seller(world: World) -> Iterator[Seller]:
    with Seller(world.running.base_url, inches=INCHES) as account:
        yield account


@dataclass
class Upload:
    """An upload that is under way."""

    seller: Seller
    session_id: str
    files: list[File]
    answer: Future[httpx.Response]

    def heard(self, kind: str) -> int:
        return Counter(event["type"] for event in self.seller.events(self.session_id))[kind]


@contextmanager
def begun(seller: Seller) -> Iterator[Upload]:
    """An upload of which some files are hashed, and not all are stored."""
    files = artworks(FILES)
    session_id = seller.announce(files)
    with ThreadPoolExecutor(1) as pool:
        upload = Upload(seller, session_id, files, pool.submit(seller.post, session_id, files))
        until(lambda: upload.heard("hashed") >= 3)
        assert upload.heard("stored") < FILES
        yield upload


@pytest.fixture
def upload(seller: Seller) -> Iterator[Upload]:
    with begun(seller) as found:
        yield found


def nothing_is_lost_or_doubled(world: World, upload: Upload) -> None:
    """List the upload's designs, and hold every ledger of the session against the others."""
    seller, session_id = upload.seller, upload.session_id
    designs = until(lambda: sent(seller, upload.session_id, upload.files)).json()["designs"]
    numbers = range(100, 100 + FILES)
    names = [f"UV {number} UVDTF_16oz_{number}.png" for number in numbers]
    assert [design["filename"] for design in designs] == names
    told = seller.list_designs([design["id"] for design in designs])["result"]["message"]
    counted, *soft, tried = told.split("\n")
    assert (counted, tried) == (f"{FILES} listings created.", TRIED)
    assert all("it will look soft" in line for line in soft)
    shop = shop_folder(designs)
    assert stored_names(Path(world.running.nas) / shop / "UVDTF 16oz") == names
    until(lambda: len(mockups_on_nas(world, designs)) == FILES)
    drafts = [path for path in (world.running.listings_dir / shop).iterdir() if path.is_dir()]
    assert len(drafts) == FILES
    receipt = seller.receipt(session_id)
    assert (receipt["received"], receipt["stored"], receipt["listed"]) == (FILES, FILES, FILES)
    assert {item["state"] for item in receipt["items"]} == {"stored"}
    events = seller.events(session_id)
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    assert Counter(event["type"] for event in events)["stored"] == FILES
    assert world.rows(DRIFT) == []
    until(lambda: world.rows("SELECT FROM ingest.outbox WHERE sent_at IS NULL") == [])
    assert world.rows("SELECT cause FROM ingest.dead_letters WHERE session_id = :id", id=session_id) == []


def state(world: World) -> dict[str, str]:
    """What /ready says; empty while nobody answers."""
    try:
        return dict(httpx.get(f"{world.running.base_url}/ready", trust_env=False).json())
    except httpx.TransportError:
        return {}


def kill(world: World, *services: str) -> None:
    for (name, _), child in world.running.processes.children.items():
        if name in services:
            child.send_signal(signal.SIGKILL)
            child.wait()


@contextmanager
def without(world: World, service: str) -> Iterator[None]:
    """No process of the service for the length of the block."""
    kill(world, service)
    try:
        yield
    finally:
        until(lambda: all_live(world.running))


@contextmanager
def no_broker(world: World) -> Iterator[None]:
    """Ingest knows that the broker is away, for the length of the block."""
    world.broker.proxy.refuse()
    try:
        until(lambda: all_live(world.running))
        until(lambda: state(world).get("broker") == "away")
        yield
    finally:
        world.broker.proxy.accept()
    until(lambda: state(world).get("broker") == "ok")


def test_a_killed_broker_that_comes_back_loses_and_doubles_nothing(world: World, upload: Upload) -> None:
    world.broker.kill()
    assert not upload.answer.done()
    world.broker.start()
    assert upload.answer.result(60).status_code == 201
    nothing_is_lost_or_doubled(world, upload)


def test_services_that_start_without_a_database_wait_for_it(world: World, upload: Upload) -> None:
    kill(world, "ingest", "dedup", "storage")
    world.database.proxy.refuse()
    until(lambda: all_live(world.running))
    until(lambda: state(world).get("database") == "away")
    assert httpx.get(f"{world.running.base_url}/health", trust_env=False).status_code == 200
    refused = httpx.get(f"{world.running.base_url}/ready", trust_env=False)
    assert (refused.status_code, refused.json()["status"]) == (503, "not ready")
    world.database.proxy.accept()
    until(lambda: state(world).get("status") == "ready")
    nothing_is_lost_or_doubled(world, upload)


def test_a_killed_database_loses_and_doubles_nothing_in_the_original_lane(world: World, seller: Seller) -> None:
    with no_broker(world), begun(seller) as upload:
        world.database.kill()
        assert not upload.answer.done()
        world.database.start()
        until(lambda: sent(seller, upload.session_id, upload.files))
    nothing_is_lost_or_doubled(world, upload)
    assert seller.receipt(upload.session_id)["lane"] == "original"


def test_ingest_serves_without_a_broker_and_uses_it_when_it_is_there(world: World, seller: Seller) -> None:
    kill(world, "ingest")
    with no_broker(world):
        assert finished(seller, 1) == "original"
    assert finished(seller, 2) == "comprehensive"


def finished(seller: Seller, seed: int) -> str:
    """Upload and list four designs; return the lane that they took."""
    session_id, designs = seller.upload(artworks(4, seed))
    seller.list_designs([design["id"] for design in designs])
    receipt = seller.receipt(session_id)
    assert (receipt["stored"], receipt["listed"]) == (4, 4)
    return str(receipt["lane"])


def test_consumers_come_back_when_their_queues_were_deleted(world: World, seller: Seller) -> None:
    management = world.broker.management_url
    for name in ("hasher", "dedup", "ingest", "ingest.dead"):
        httpx.delete(f"{management}/api/queues/%2F/presswork.{name}", trust_env=False).raise_for_status()
    command = [sys.executable, "-m", "services.cli", "init"]
    subprocess.run(command, env=dict(world.running.environment), check=True)
    assert finished(seller, 1) == "comprehensive"


def test_work_that_a_service_gives_up_fails_in_words_and_is_kept(world: World, seller: Seller) -> None:
    session_id, designs = seller.upload(artworks(3))
    with ThreadPoolExecutor(1) as pool:
        with without(world, "publisher"):
            answer = pool.submit(seller.list_designs, [design["id"] for design in designs])
            until(lambda: len(mockups_on_nas(world, designs)) == 3)
            sha256 = hashlib.sha256(mockups_on_nas(world, designs)[1].read_bytes()).hexdigest()
            blob = Path(world.running.environment["BLOB_DIR"]) / sha256[:2] / sha256
            blob.write_bytes(b"a disk error")
        assert answer.result(60)["success"]
    receipt = seller.receipt(session_id)
    assert receipt["state"] == "finished"
    assert [item["listing_state"] for item in receipt["items"]] == ["listed", "failed", "listed"]
    why = f"could not be listed: blob {sha256[:12]} in the blob store is damaged; try it again later"
    assert receipt["items"][1]["listing_reason"].startswith(f"{receipt['items'][1]['filename']} {why}")
    letters = world.rows("SELECT service, message_type FROM ingest.dead_letters WHERE session_id = :id", id=session_id)
    assert letters == [("publisher", "MockupsRendered")]
    assert world.rows(DRIFT) == []


def mockups_on_nas(world: World, designs: list[dict[str, Any]]) -> list[Path]:
    folder = Path(world.running.nas) / shop_folder(designs) / "Mockups" / "UVDTF 16oz"
    return sorted(path for path in folder.glob("*.jpg"))


def shop_folder(designs: list[dict[str, Any]]) -> str:
    return str(designs[0]["file_path"]).split("/")[3]
