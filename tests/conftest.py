"""Fixtures: `amqp_url` is a virtual host and `database_url` a migrated database that no other test sees."""

import gc
from collections.abc import Iterator
from functools import cache
from typing import Any

import httpx
import pytest
import structlog
import typer
from hypothesis import HealthCheck, settings
from sqlalchemy import Engine
from xdist.scheduler import LoadScopeScheduling
from xdist.workermanage import WorkerController

from services.local.broker import Broker
from services.local.database import Database
from shared.database import engine_of
from tests import backends, nas_servers

NEEDS = {"rabbit": {"rabbit", "rabbit_url", "amqp_url"}, "postgres": {"postgres", "postgres_url", "database_url"}}

# How long drawing an example, or trying one, takes says nothing on a busy machine.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")

# structlog's own way to show an error colours the sources around each of its calls: a fifth of a second for each.
*_before, _ = structlog.get_config()["processors"]
_shown_plainly = structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)
structlog.configure(processors=[*_before, _shown_plainly])

TOGETHER = ("tests/chaos", "tests/e2e")


class Schedule(LoadScopeScheduling):
    """A file at a time to each worker; the files that break whole systems all to one, so that each is started once."""

    def _split_scope(self, nodeid: str) -> str:
        folder = next((name for name in TOGETHER if nodeid.startswith(f"{name}/")), None)
        return folder or super()._split_scope(nodeid)

    def remove_node(self, node: WorkerController) -> str | None:
        """The test in which a worker died, if it had any left to run; the rest of these go to others.

        Ours in place of xdist's (3.8), which gives out the dead worker's finished files, too: who gets one is told to
        run nothing, hears of no end of it, and so asks for no more. The whole run then waits for ever.
        """
        lost = self.assigned_work.pop(node)
        unrun = [(scope, name) for scope, tests in lost.items() for name, is_over in tests.items() if not is_over]
        if not unrun:
            return None
        (_, died), *rest = unrun
        for scope, name in rest:
            self.workqueue.setdefault(scope, {})[name] = False
        for other in self.assigned_work:
            self._reschedule(other)
        return died


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling | None:
    """Ours in place of `--dist loadscope`."""
    return Schedule(config, log) if config.getvalue("dist") == "loadscope" else None


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """What is loaded stays to the end: 370,000 objects, whose search took half the time that went into garbage."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.collect()
        gc.freeze()
        gc.enable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what needs a backend, so that `-m "not rabbit"` is right without anybody keeping it so."""
    for item in items:
        for marker, fixtures in NEEDS.items():
            if fixtures & set(getattr(item, "fixturenames", ())):
                item.add_marker(marker)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Have servers installed before the first test's clock runs."""
    installers = {"rabbit": backends.install_missing, "nas": nas_servers.install_missing}
    for marker, install_missing in installers.items():
        if not session.config.option.collectonly and any(item.get_closest_marker(marker) for item in session.items):
            install_missing()


@pytest.fixture(scope="session", autouse=True)
def _made_once() -> Iterator[None]:
    """What takes longer than what is tested with it, and would be made anew each time.

    httpx reads every authority's certificate for each client, which is longer than asking this machine. Typer reads
    the signatures of all hundred functions for each command that is run.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("httpx._transports.default.create_ssl_context", cache(httpx.create_ssl_context))
        patch.setattr("typer.testing._get_command", cache(typer.main.get_command))
        yield


@pytest.fixture(scope="session")
def rabbit() -> Iterator[Broker]:
    """The broker of this run, with its management API."""
    with backends.servers_folder() as folder, backends.rabbit(folder) as running:
        yield running


@pytest.fixture(scope="session")
def rabbit_url(rabbit: Broker) -> str:
    """The broker's default virtual host, which all tests share; `amqp_url` is what a test wants."""
    return rabbit.url


@pytest.fixture
def amqp_url(rabbit: Broker) -> Iterator[str]:
    """A virtual host of the test's own."""
    with backends.virtual_host(rabbit) as url:
        yield url


@pytest.fixture(scope="session")
def postgres() -> Iterator[Database]:
    """The database server of this run."""
    with backends.servers_folder() as folder, backends.postgres(folder) as running:
        yield running


@pytest.fixture(scope="session")
def postgres_url(postgres: Database) -> str:
    """The server's own database, which all tests share; `database_url` is what a test wants."""
    return postgres.url


@pytest.fixture(scope="session")
def _template(postgres_url: str) -> Iterator[str]:
    with backends.migrated_template(postgres_url) as name:
        yield name


@pytest.fixture
def database_url(postgres_url: str, _template: str) -> Iterator[str]:
    """A database of the test's own, at the newest version of the schema."""
    with backends.new_database(postgres_url, _template) as url:
        yield url


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """An engine on the test's own database, for as many as twenty threads."""
    found = engine_of(database_url, pool_size=20)
    yield found
    found.dispose()
