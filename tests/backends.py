"""The broker and the database that tests run against: named ones, this machine's, Docker's, or installed for them."""

import contextlib
import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NoReturn

import httpx
import pytest
from sqlalchemy import Engine, create_engine, make_url, text
from tenacity import Retrying, retry_if_result, stop_after_delay, wait_fixed

from services.local import apt, docker, node
from services.local.amqp import ready
from services.local.broker import Broker, broker
from services.local.database import Database, database
from services.local.process import NotStarted, claim
from services.migrations import migrate

AMQP_URL = os.environ.get("TEST_AMQP_URL") or os.environ.get("AMQP_URL")
DATABASE_URL = os.environ.get("TEST_DATABASE_URL") or os.environ.get("DATABASE_URL")
# no backend, no verdict: where nobody reads the list of skipped tests, that is a failure
REQUIRED = os.environ.get("CI", "").lower() in {"1", "true"} or os.environ.get("REQUIRE_BACKENDS") == "1"
MEMORY = Path("/dev/shm")  # noqa: S108 - only the folders that are made in it are used
MEMORY_BYTES = 4 << 30
NO_RABBIT = "no RabbitMQ: install rabbitmq-server (root's runs do it by themselves), start Docker, or set TEST_AMQP_URL"


def install_missing() -> None:
    """Install RabbitMQ when nothing else can give us one; before the first test, so that no test's time limit runs.

    Test workers run this side by side: one installs, and the others find it installed.
    """
    if AMQP_URL or not apt.usable():
        return
    folder = Path(tempfile.gettempdir()) / f"presswork-test-install-{os.geteuid()}"
    with contextlib.suppress(NotStarted), claim(folder, wait_s=apt.LIMIT_S):  # said again, and judged, by `rabbit`
        if node.installed() is None and not docker.answers():
            apt.install("rabbitmq-server", print)


@contextlib.contextmanager
def servers_folder() -> Iterator[Path]:
    """Where servers that all tests share keep their files: in memory if there is room, else on disk.

    A test's own database is a copy of a thousand small files: 0.03 s in memory, and 0.2 s on disk.
    """
    is_roomy = MEMORY.is_dir() and os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free >= MEMORY_BYTES
    with tempfile.TemporaryDirectory(prefix="presswork-tests-", dir=MEMORY if is_roomy else None) as folder:
        Path(folder).chmod(0o711)  # as root we start PostgreSQL as another user, who has to come through
        yield Path(folder)


@contextlib.contextmanager
def private_node(
    data_dir: Path, program: Path, *, throwaway: bool = False, management: bool = True
) -> Iterator[node.Node]:
    """A broker of one's own, once it answers; for tests that kill or cripple it. See `started_node`."""
    with node.started_node(data_dir, program, throwaway=throwaway, management=management) as started:
        yield started.wait()


@contextlib.contextmanager
def rabbit(folder: Path) -> Iterator[Broker]:
    """A broker with a management API, for the length of the block."""
    with contextlib.ExitStack() as stack:
        try:
            if not AMQP_URL and node.installed() is None and docker.answers():
                found: Broker | None = stack.enter_context(_rabbit_container())
            else:
                started = stack.enter_context(broker(folder, AMQP_URL, use_running=False, throwaway=True, say=print))
                found = started.wait() if started else None
        except NotStarted as error:
            missing(str(error))
        if found is None:
            missing(NO_RABBIT)
        elif found.management_url is None:
            missing(f"{found.description}: its management API is needed for a virtual host per test")
        yield found


@contextlib.contextmanager
def virtual_host(running: Broker) -> Iterator[str]:
    """The URL of a new, empty virtual host, deleted at the end with all that is in it."""
    name = f"test-{uuid.uuid4().hex[:12]}"
    with httpx.Client(trust_env=False, timeout=10) as client:
        client.put(f"{running.management_url}/api/vhosts/{name}").raise_for_status()
        yield f"{running.url.rpartition('/')[0]}/{name}"
        client.delete(f"{running.management_url}/api/vhosts/{name}").raise_for_status()


@contextlib.contextmanager
def postgres(folder: Path) -> Iterator[Database]:
    """A PostgreSQL server for the length of the block; its user may create databases."""
    with contextlib.ExitStack() as stack:
        try:
            found = stack.enter_context(database(folder, DATABASE_URL, fsync=False, throwaway=True, say=print))
        except NotStarted as error:
            missing(str(error))
        yield found


@contextlib.contextmanager
def migrated_template(server_url: str) -> Iterator[str]:
    """The name of a database at the newest version, to copy: a copy takes a tenth of a migration."""
    with new_database(server_url) as url:
        migrate(url)
        yield str(make_url(url).database)


@contextlib.contextmanager
def new_database(server_url: str, template: str = "template1") -> Iterator[str]:
    """The URL of a copy of `template`, dropped at the end, whoever is still connected."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    with _admin(server_url).connect() as connection:
        # files as they are: with few buffers that takes half the time of copying block by block
        connection.execute(text(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY"))
        try:
            yield make_url(server_url).set(database=name).render_as_string(hide_password=False)
        finally:
            connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))


@cache
def _admin(server_url: str) -> Engine:
    """Whoever makes databases there; connections are kept: a new one each time took two fifths of the work."""
    return create_engine(server_url, pool_pre_ping=True, isolation_level="AUTOCOMMIT")


@contextlib.contextmanager
def _rabbit_container() -> Iterator[Broker]:
    from testcontainers.core.container import DockerContainer  # noqa: PLC0415 - slow, and only with an engine

    image = os.environ.get("TEST_RABBITMQ_IMAGE", docker.RABBITMQ.name)
    with DockerContainer(image).with_exposed_ports(5672, 15672) as container:
        host = container.get_container_host_ip()
        url = f"amqp://guest:guest@{host}:{container.get_exposed_port(5672)}/"
        management_url = f"http://guest:guest@{host}:{container.get_exposed_port(15672)}"

        patiently = Retrying(
            retry=retry_if_result(lambda product: product is None), wait=wait_fixed(0.5), stop=stop_after_delay(120)
        )
        yield Broker(url, management_url, f"{patiently(ready, url, management_url)} in Docker ({image})")


def missing(reason: str) -> NoReturn:
    """Skip the test, or fail it where backends are required."""
    if REQUIRED:
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)
