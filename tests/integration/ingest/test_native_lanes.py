"""Which lane an upload takes: chosen when it is submitted, recorded, and right whether there is a broker or not."""

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import httpx
import pytest

from services.embedded import workers
from services.ingest.broker_standing import NO_BROKER, BrokerStanding
from services.ingest.catalog.users import Users
from services.ingest.lanes import Lanes
from services.ingest.service import build
from services.ingest.sessions.outgoing.fairness import Windows
from services.ingest.sessions.recovery.unfinished import Unfinished
from services.local.process import free_ports
from services.ops.broker import declare
from services.ops.queues import topology
from shared.bus.rabbit import RabbitBus
from shared.bus.service import Service
from shared.contracts import DesignStored
from shared.database import engine_of
from tests.integration.flow.pipeline import until
from tests.integration.ingest import artworks, embedded, frontend
from tests.integration.ingest.embedded import Server, Threaded
from tests.integration.ingest.frontend import Shop
from tests.integration.ops.letterbox import BLOB, Letterbox
from tests.waiting import eventually


@pytest.fixture
def folder(tmp_path: Path, postgres_url: str, _template: str) -> tuple[Path, str, str]:
    return tmp_path, postgres_url, _template


def lane(shop: Shop, files: int, first: int) -> str:
    """Upload so many files and see them stored; the lane that they took."""
    session = shop.start()
    assert shop.uploaded(artworks.designs(files, first=first), session)["total"] == files
    return str(shop.get(session)["lane"])


def test_without_a_broker_every_upload_takes_the_original_lane(shop: Shop) -> None:
    assert [lane(shop, 1, first=1), lane(shop, 3, first=2)] == ["original", "original"]


def test_what_was_begun_over_a_broker_says_that_it_waits_where_there_is_none(shop: Shop, server: Threaded) -> None:
    """Embedded, on the data of a system with a broker: nothing moves it, and nothing else would say so."""
    letterbox = Letterbox(server.desk.sessions.engine, UUID(shop.user["id"]))
    session = str(letterbox.submitted("rose.png").id)
    assert shop.get(session)["waits_for"] == NO_BROKER
    assert NO_BROKER in shop.get(session)["message"]
    assert shop.get(str(letterbox.submitted("rose.png", lane="original").id))["waits_for"] is None


def test_operators_are_told_what_waits_for_a_broker_where_there_is_none(shop: Shop, server: Threaded) -> None:
    box = Letterbox(server.desk.sessions.engine, UUID(shop.user["id"]))
    first, second = box.submitted("rose.png"), box.submitted("tulip.png")
    with box.engine.begin() as connection:
        Users(connection).set_role(shop.user["email"], "viewer")

    def begun() -> int:
        state, _, words = shop.client.get("/api/v1/ops/waits").json()["broker"].partition(": ")
        found = re.fullmatch(r"(\d+) uploads? began over one: start without --embedded|", words)
        assert state == "none"
        assert found, words
        return int(found[1] or 0)

    assert (before := begun()) >= 2, "other tests may have begun some, too"
    assert shop.client.get("/ready").json()["broker"] == "none"
    box.sessions.cancel(box.tenant, first.id, None)
    assert begun() == before - 1
    box.project(DesignStored(**box.about(second, 0), number=1, name="UV 1", path="s/1", print_file=BLOB))
    assert shop.get(str(second.id))["state"] == "working"
    assert begun() == before - 2, "nothing of it is to go over a broker, though its listings may be asked for yet"


@pytest.fixture
def broker(amqp_url: str, database_url: str) -> str:
    """A broker with our queues on it."""
    engine = engine_of(database_url)
    asyncio.run(declare(amqp_url, topology([build(engine), *workers(hashers=1)])))
    engine.dispose()
    return amqp_url


class Noted(RabbitBus):
    """Writes down that its process should end, instead of ending this one."""

    def give_up(self, why: str) -> None:
        self.fault = self.fault or why


def test_ingest_that_can_not_hear_what_becomes_of_files_does_not_go_on_as_if_it_did(
    broker: str, database_url: str
) -> None:
    engine, bus = engine_of(database_url), Noted(broker, "ingest")

    async def broken(service: Service) -> None:
        raise LookupError(f"a fault of ours, about {service.name}")

    others, windows = [Service("hasher")], Windows(4, 4, 100)
    standing = BrokerStanding(bus)
    lanes = Lanes(engine, build(engine), Unfinished(engine, 1), standing, windows, others, inspect=broken)

    async def scenario() -> None:
        await lanes.start()
        await until(lambda: bus.fault)
        await lanes.stop(5)

    asyncio.run(scenario())
    engine.dispose()
    assert "a fault of ours, about ingest" in bus.fault


@pytest.fixture
def connected(broker: str, folder: tuple[Path, str, str], request: pytest.FixtureRequest) -> Iterator[Threaded]:
    """Ingest with a broker, and none of the other services' processes."""
    changes = {"EMBEDDED": "0", "AMQP_URL": broker, **getattr(request, "param", {})}
    with embedded.place(*folder, **changes) as here, embedded.serving(here) as running:
        with running.client() as client:
            eventually(lambda: client.get("/ready").json()["broker"] == "ok")
        yield running


def test_a_single_file_takes_the_original_lane_and_needs_no_other_process(connected: Threaded) -> None:
    with frontend.shop(connected) as shop:
        assert lane(shop, 1, first=1) == "original"


def test_several_files_take_the_comprehensive_lane_and_wait_for_hashers(connected: Threaded, broker: str) -> None:
    with frontend.shop(connected) as shop:
        session = shop.start()
        connected.send(frontend.wire(shop.request(artworks.designs(3), session)), lambda: shop.items(session))
        found = shop.get(session)
        assert (found["lane"], found["totals"]["in_progress"]) == ("comprehensive", 3)
        assert eventually(lambda: waiting(shop) == 0), "the outbox is empty: the broker has the batches"
        assert {item["state"] for item in shop.items(session)} == {"received"}


def waiting(shop: Shop) -> int:
    """Messages that ingest still owes the pipeline."""
    assert isinstance(shop.server, Threaded)
    with shop.server.desk.sessions.engine.connect() as connection:
        owed = "SELECT count(*) FROM ingest.outbox WHERE sent_at IS NULL AND session_id IS NOT NULL"
        return int(connection.exec_driver_sql(owed).scalar_one())


@pytest.mark.parametrize("connected", [{"USE_COMPREHENSIVE_WORKFLOW": "false"}], indirect=True)
def test_the_comprehensive_lane_can_be_switched_off(connected: Threaded) -> None:
    with frontend.shop(connected) as shop:
        assert lane(shop, 3, first=1) == "original"


@pytest.mark.parametrize("connected", [{"COMPREHENSIVE_WORKFLOW_MIN_FILES": "4"}], indirect=True)
def test_how_many_files_make_a_batch_is_a_setting(connected: Threaded) -> None:
    with frontend.shop(connected) as shop:
        assert lane(shop, 3, first=1) == "original"


def test_while_the_broker_is_away_uploads_are_worked_on_in_this_process(folder: tuple[Path, str, str]) -> None:
    (nobody,) = free_ports(1)
    changes = {"EMBEDDED": "0", "AMQP_URL": f"amqp://guest:guest@127.0.0.1:{nobody}/"}
    with embedded.place(*folder, **changes) as here, embedded.serving(here) as running:
        assert broker_state(running) in ("connecting", "away")
        with frontend.shop(running) as shop:
            assert lane(shop, 3, first=1) == "original"
        eventually(lambda: broker_state(running) == "away")


def broker_state(server: Server) -> str:
    answer = httpx.get(f"{server.url}/ready", trust_env=False)
    assert answer.status_code == 200, "ready without a broker"
    return str(answer.json()["broker"])
