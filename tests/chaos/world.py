"""A whole system of separate processes whose every part can be taken away: services, broker, database, network, NAS."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import Engine, create_engine, text

from services.local.process import free_ports, tail
from services.local.system import Plan, Running, system
from tests.chaos.etsy import Stand, stand_in
from tests.chaos.failpoints import Failpoints
from tests.seller import Seller
from tests.servers import Server, own_servers
from tests.waiting import until

SMALL = {"hasher": 2, "mockup": 1}
# a queue tells its depth at each tick, and the management API keeps what it has read for five times as long as that
# took: the ledger should not read what was five seconds ago
TICKS = """\
[{rabbit, [{quorum_tick_interval, 500}, {collect_statistics_interval, 500}]},
 {rabbitmq_management, [{management_db_cache_multiplier, 0}]}].
"""


@dataclass
class World:
    """A running system, and the handles to break it."""

    broker: Any  # a Server, or the cluster that stands for one
    database: Server
    running: Running
    points: Failpoints
    engine: Engine
    works: list[Any] = field(default_factory=list)
    """Everything that sellers ever did here, for the audit at the end."""
    etsy: Stand | None = None
    """Once listings went to the stand-in for Etsy."""
    life: ExitStack = field(default_factory=ExitStack)
    """Ends with it."""
    sellers: list[Seller] = field(default_factory=list)

    @property
    def base_url(self) -> str:
        return self.running.base_url

    @property
    def nas(self) -> Path:
        return Path(self.running.nas)

    def rows(self, query: str, **values: Any) -> list[Any]:
        with self.engine.connect() as connection:
            return list(connection.execute(text(query), values))

    def pids(self, service: str) -> list[int]:
        return [child.pid for (name, _), child in self.running.processes.children.items() if name == service]

    def kill(self, *services: str, which: int | None = None) -> None:
        """SIGKILL the processes of these services, or one of each."""
        for (name, number), child in self.running.processes.children.items():
            if name in services and which in (None, number):
                child.send_signal(signal.SIGKILL)
                child.wait()

    def revive(self) -> bool:
        """Start again what is dead; True if nothing was. At once, unlike the supervisor: rounds are many."""
        processes = self.running.processes
        dead = [key for key, child in processes.children.items() if child.poll() is not None]
        for key in dead:
            processes.start(*key)
        return not dead

    def start(self, service: str, number: int, **environment: str) -> None:
        """One more process of a service, with settings of its own."""
        processes = self.running.processes
        usual = processes.environment
        processes.environment = {**usual, **environment}
        try:
            processes.start(service, number)
        finally:
            processes.environment = usual

    @contextmanager
    def set(self, service: str, **environment: str) -> Iterator[None]:
        """The first process of a service has settings of its own for the length of the block."""
        self.kill(service, which=1)
        self.start(service, 1, **environment)
        self.until_ready()
        try:
            yield
        finally:
            self.restart(service, 1)

    @contextmanager
    def listing_at_etsy(self) -> Iterator[Stand]:
        """Listings go to the stand-in for the length of the block, whoever is started again meanwhile."""
        processes = self.running.processes
        usual = processes.environment
        if self.etsy is None:
            self.etsy = self.life.enter_context(stand_in(self.points.folder, usual))
        processes.environment = {**usual, **self.etsy.settings}
        self.restart("publisher", 1)
        self.until_ready()
        try:
            yield self.etsy
        finally:
            self.etsy.disarm()
            processes.environment = usual
            self.restart("publisher", 1)

    def retire(self, service: str, number: int) -> None:
        """Stop one process cleanly, for good."""
        child = self.running.processes.children.pop((service, number))
        child.send_signal(signal.SIGTERM)
        child.wait(60)

    def restart(self, service: str, number: int) -> None:
        """Stop one process cleanly and start it again."""
        child = self.running.processes.children[service, number]
        child.send_signal(signal.SIGTERM)
        child.wait(60)
        self.running.processes.start(service, number)

    def state(self) -> dict[str, str]:
        """What /ready says; empty while nobody answers."""
        try:
            return dict(httpx.get(f"{self.base_url}/ready", trust_env=False, timeout=10).json())
        except httpx.TransportError:
            return {}

    def until_ready(self, within_s: float = 90) -> None:
        """Until ingest is ready again; whatever died meanwhile is started."""

        def ready() -> bool:
            self.revive()
            return self.state().get("status") == "ready"

        until(ready, within_s=within_s, what=f"the system is not ready: {self.state()}")

    def init(self) -> None:
        """Declare what is missing on the broker, as an operator does."""
        self.command("init", "--no-database", "--no-nas")

    def command(self, *words: str) -> str:
        """What `presswork ...` says."""
        command = [sys.executable, "-m", "services.cli", *words]
        environment = {**self.running.environment, "MANAGEMENT_URL": self.broker.management_url}
        return subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, text=True).stdout

    def tell_where(self) -> str:
        """Where every process stands: the end of its log, with the stacks of its threads."""
        for child in self.running.processes.children.values():
            if child.poll() is None:
                child.send_signal(signal.SIGUSR1)
        wait_s(1)
        logs = [self.running.processes.log(*key) for key in self.running.processes.children]
        return "\n".join(tail(log, 60) for log in logs)


@contextmanager
def small_world(folder: Path, broker: Any = None) -> Iterator[World]:
    """A broker (or the one that is given), a database and the services, few of each, for the length of the block."""
    (folder / "broker").mkdir(parents=True)
    (folder / "broker" / "advanced.config").write_text(TICKS)
    points = Failpoints(folder / "failpoints")
    with ExitStack() as stack:
        broker, database = stack.enter_context(own_servers(folder, broker))
        (port,) = free_ports(1)
        settings = {"AMQP_URL": broker.url, "DATABASE_URL": database.url, "REGISTRATION_RATE_LIMIT": "off"}
        settings |= {"NAS_SCAN_MINUTES": "0"}  # a shot is meant for an upload's message, and a scan's would take it
        settings |= {"COMPREHENSIVE_WORKFLOW_MAX_THREADS": "2", "USER_LOGIN_ACCESS_TOKEN_EXPIRE_MINUTES": "10000"}
        settings |= points.environment
        plan = Plan(folder, port, scale=SMALL, environment=settings)
        running = stack.enter_context(system(plan, say=print))
        world = World(broker, database, running, points, create_engine(database.url, pool_pre_ping=True))
        stack.enter_context(world.life)
        world.init()  # with the management API: our policies apply, as in production
        yield world


def wait_s(seconds: float) -> None:
    """Let time pass, where the passing of time is the fault itself."""
    time.sleep(seconds)
