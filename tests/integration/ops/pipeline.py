"""All services over a real RabbitMQ, in threads of the tests' process, with retries that take moments and not minutes.

What makes them fail is a real failing of the database, put in and taken away by `System.failing`.
"""

import asyncio
import contextlib
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

import pytest
import uvicorn
from sqlalchemy import Engine, text
from typer.testing import CliRunner, Result

from services.cli import app
from services.embedded import neighbours, workers
from services.ingest.api import resources
from services.ingest.serve import build
from services.ingest.service import build as build_ingest
from services.ingest.settings import Settings
from services.ops.broker import declare
from services.ops.obstacles import obstacles
from services.ops.queues import topology
from shared.bus.rabbit import RabbitBus
from shared.bus.retry import RetryPolicy
from shared.bus.service import Service
from shared.database import engine_of
from tests.integration.ingest import embedded
from tests.integration.ingest.catalog.world import QUICK
from tests.integration.ingest.embedded import Place, Threaded
from tests.waiting import eventually

FAST = RetryPolicy(delays_s=(0.1,))


@dataclass(frozen=True)
class System:
    """A running pipeline, its database, and the command line beside it."""

    server: Threaded
    engine: Engine
    amqp_url: str

    @property
    def environment(self) -> Mapping[str, str]:
        here = self.server.place
        places = {name: here.environment[name] for name in ("BLOB_DIR", "NAS_URL")}
        return {"DATABASE_URL": here.database_url, "AMQP_URL": self.amqp_url, **places}

    def command(self, *words: object, code: int | None = 0, answers: str = "") -> Result:
        """What `presswork ...` says, which must end so."""
        result = CliRunner().invoke(app, [str(word) for word in words], input=answers, env=dict(self.environment))
        if code is not None:
            assert result.exit_code == code, f"{result.exit_code}: {result.output}\n{result.exception!r}"
        return result

    def rows(self, query: str, **values: Any) -> list[dict[str, Any]]:
        with self.engine.connect() as connection:
            return [dict(row) for row in connection.execute(text(query), values).mappings()]

    def letters(self, session: UUID | str) -> list[dict[str, Any]]:
        """The dead letters of an upload, oldest first; its first look comes when there is one."""
        query = "SELECT * FROM ingest.dead_letters WHERE session_id = :id ORDER BY kept_at"
        found: list[dict[str, Any]] = eventually(lambda: self.rows(query, id=session))
        return found

    @contextlib.contextmanager
    def failing(self, table: str, condition: str, words: str = "the gremlins are in") -> Iterator[None]:
        """For the length of the block the database refuses rows of a table for which a condition is true."""
        name = f"sabotage_{abs(hash((table, condition))) % 10**9}"
        raising = f"BEGIN RAISE EXCEPTION '{words}'; END".replace("'", "''")
        with self.engine.begin() as connection:
            connection.execute(text(f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS '{raising}'"))
            connection.execute(
                text(
                    f"CREATE TRIGGER {name} BEFORE INSERT OR UPDATE ON {table} "
                    f"FOR EACH ROW WHEN ({condition}) EXECUTE FUNCTION {name}()"
                )
            )
        try:
            yield
        finally:
            with self.engine.begin() as connection:
                connection.execute(text(f"DROP TRIGGER {name} ON {table}"))
                connection.execute(text(f"DROP FUNCTION {name}"))


def _quick(*given: Any, **more: Any) -> Service:
    service = build_ingest(*given, **more)
    service.retry = FAST
    return service


@contextlib.contextmanager
def running(here: Place, amqp_url: str) -> Iterator[System]:
    """Ingest behind HTTP, and one of each worker, over the broker."""
    with pytest.MonkeyPatch.context() as patch:
        comprehensive = {"EMBEDDED": "0", "AMQP_URL": amqp_url, "COMPREHENSIVE_WORKFLOW_MIN_FILES": "1"}
        for name, value in {**here.environment, **comprehensive}.items():
            patch.setenv(name, value)
        patch.setattr(resources, "Passwords", lambda: QUICK)
        settings = Settings()
        services, known = workers(hashers=2), replace(neighbours(hashers=1), obstacles=obstacles(amqp_url))
        for service in (*services, *known.services):
            service.retry = FAST
        engine = engine_of(here.database_url)
        asyncio.run(declare(amqp_url, topology([build_ingest(engine), *services])))
        patch.setattr("services.ingest.service.build", _quick)
        application, desk = build(settings, known)
    config = uvicorn.Config(application, "127.0.0.1", 0, log_config=None, timeout_graceful_shutdown=5)
    with embedded.plain_log(), _consuming(amqp_url, services), embedded.listening(config, desk) as url:
        eventually(lambda: desk.broker.connected)
        yield System(Threaded(url, here, desk), engine, amqp_url)
    engine.dispose()


@contextlib.contextmanager
def _consuming(amqp_url: str, services: Sequence[Service]) -> Iterator[None]:
    """The workers, each on a bus of its own, in one loop in a thread."""
    loop, stop, begun = asyncio.new_event_loop(), asyncio.Event(), Future[None]()

    async def work() -> None:
        buses = [RabbitBus(amqp_url, service.name) for service in services]
        for bus, service in zip(buses, services, strict=True):
            await bus.connect()
            await bus.consume(service)
        begun.set_result(None)
        await stop.wait()
        await asyncio.gather(*(bus.stop(10) for bus in buses))

    thread = threading.Thread(target=_run(loop, work), daemon=True)
    thread.start()
    begun.result(30)
    try:
        yield
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(30)
        assert not thread.is_alive()
        loop.close()


def _run(loop: asyncio.AbstractEventLoop, work: Callable[[], Any]) -> Callable[[], None]:
    return lambda: loop.run_until_complete(work())
