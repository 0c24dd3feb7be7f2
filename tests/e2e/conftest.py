"""The whole system as separate processes, over a real RabbitMQ and a real PostgreSQL."""

import json
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from services.local.broker import Broker
from services.local.process import free_ports
from services.local.system import Plan, Running, system
from shared.nas import PathNas
from tests import backends
from tests.seller import File, Seller


@pytest.fixture(scope="package")
def running(
    rabbit: Broker, postgres_url: str, _template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Running]:
    """Ingest, eight hashers and one of each other service; shared by all tests, each with its own seller.

    The shop SouthCups has a NAS of its own.
    """
    data_dir = tmp_path_factory.mktemp("system")
    (port,) = free_ports(1)
    with backends.virtual_host(rabbit) as amqp_url, backends.new_database(postgres_url, _template) as database_url:
        settings = {"AMQP_URL": amqp_url, "DATABASE_URL": database_url, "REGISTRATION_RATE_LIMIT": "off"}
        PathNas(data_dir / "nas-of-south").initialise()
        settings["NAS_SHOPS"] = json.dumps({"SouthCups": str(data_dir / "nas-of-south")})
        with system(Plan(data_dir, port, environment=settings), say=print) as found:
            yield found


@pytest.fixture(scope="package")
def south(running: Running) -> Iterator[Seller]:
    """The seller whose NAS is its own: a folder's name is given once."""
    with Seller(running.base_url, shop_name="SouthCups") as found:
        yield found


@pytest.fixture
def nas_of_south(running: Running) -> Path:
    """The folder that is that one."""
    return Path(running.nas).with_name("nas-of-south")


@pytest.fixture
def nas(running: Running) -> Path:
    """The folder that is the NAS."""
    return Path(running.nas)


@contextmanager
def halted(running: Running, service: str) -> Iterator[list[int]]:
    """The processes of a service stand still for the length of the block."""
    children = [child for (name, _), child in running.processes.children.items() if name == service]
    for child in children:
        child.send_signal(signal.SIGSTOP)
    try:
        yield [child.pid for child in children]
    finally:
        for child in children:
            if child.poll() is None:
                child.send_signal(signal.SIGCONT)


def all_live(running: Running) -> bool:
    """Whether the supervisor has started again whatever died."""
    running.processes.watch()
    return all(child.poll() is None for child in running.processes.children.values())


def answers(base_url: str) -> bool:
    """Whether an ingest is ready there."""
    try:
        return httpx.get(f"{base_url}/ready", trust_env=False).is_success
    except httpx.TransportError:
        return False


def sent(seller: Seller, session_id: str, files: list[File]) -> httpx.Response | None:
    """The answer to an upload; None when the server hangs up, or says to come again later."""
    try:
        answer = seller.post(session_id, files)
    except httpx.TransportError:
        return None
    assert answer.status_code in (201, 503), answer.text
    return answer if answer.is_success else None


def stored_names(folder: Path) -> list[str]:
    """The files of a NAS folder, sorted. A copy that was killed half way leaves its hidden part: `init` sweeps it."""
    return sorted(path.name for path in folder.iterdir() if path.suffix != ".part")
