"""Which broker to use, in order: the one that is named, one that runs here, a private one; installed if need be."""

import contextlib
import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from services.local import apt, docker
from services.local.amqp import NoBroker, answering_management, greet, place, ready
from services.local.files import password
from services.local.node import installed, started_node
from services.local.process import NotStarted, free_ports, wait_for
from services.local.servers import Server

LOG = logging.getLogger(__name__)
RUNNING = "amqp://guest:guest@localhost:5672/"
PULL_LIMIT_S = 300  # a first `docker run` fetches the image


@dataclass(frozen=True)
class Broker:
    """Where the broker is; `description` says which one was chosen and why, for people."""

    url: str
    management_url: str | None
    description: str


@dataclass(frozen=True)
class StartedBroker:
    """A broker that has its address already; `wait` returns once it answers there, or raises NotStarted."""

    url: str
    management_url: str | None
    wait: Callable[[], Broker]
    servers: Sequence[Server] = ()
    """Those of our own, for whoever watches over them."""


@contextlib.contextmanager
def broker(
    data_dir: Path,
    amqp_url: str | None = None,
    *,
    use_running: bool = True,
    throwaway: bool = False,
    management: bool = True,
    say: Callable[[str], None] = LOG.info,
) -> Iterator[StartedBroker | None]:
    """A broker for the length of the block, perhaps still starting; None: there is none, so run on the in-process bus.

    A private one keeps its files in `data_dir` and has its queues again next time; `throwaway` kills it at the end,
    and without `management` it has no management API and starts and stops sooner. `say` hears of slow steps and of
    ways that failed. Call from the main thread (process.start says why).
    """
    with ExitStack() as stack:
        private = partial(_private, stack, data_dir, throwaway=throwaway, management=management)
        yield (
            _named(amqp_url)
            or (_running() if use_running else None)
            or private("rabbitmq-server found on this machine")
            or _in_docker(stack, data_dir, say)
            or (private("rabbitmq-server, installed now with apt") if _installed_now(say) else None)
        )


def _named(url: str | None) -> StartedBroker | None:
    if not url:
        return None
    try:
        product = greet(url)
    except NoBroker as error:
        description = f"the broker at {place(url)} (AMQP_URL), which does not answer yet: {error}"
        return _answering(Broker(url, None, description))
    return _answering(Broker(url, answering_management(url), f"{product} at {place(url)} (AMQP_URL)"))


def _running() -> StartedBroker | None:
    try:
        product = greet(RUNNING)
    except NoBroker:
        return None
    return _answering(
        Broker(RUNNING, answering_management(RUNNING), f"{product} at localhost:5672 (it was running already)")
    )


def _answering(found: Broker) -> StartedBroker:
    return StartedBroker(found.url, found.management_url, lambda: found)


def _private(
    stack: ExitStack, data_dir: Path, origin: str, *, throwaway: bool, management: bool
) -> StartedBroker | None:
    program = installed()
    if program is None:
        return None
    started = stack.enter_context(
        started_node(data_dir / "rabbitmq", program, throwaway=throwaway, management=management)
    )

    def wait() -> Broker:
        node = started.wait()
        return Broker(node.url, node.management_url, f"{node.product}, private node on {place(node.url)} ({origin})")

    return StartedBroker(started.url, started.management_url, wait, (started.epmd, started.server))


def _in_docker(stack: ExitStack, data_dir: Path, say: Callable[[str], None]) -> StartedBroker | None:
    if not docker.answers():
        return None
    say(f"starting {docker.RABBITMQ.name} with Docker (the first time it is downloaded)")
    folder = data_dir / "rabbitmq-docker"
    folder.mkdir(parents=True, exist_ok=True)
    secret, (port, management_port) = password(folder / "password"), free_ports(2)
    settings = {"RABBITMQ_DEFAULT_USER": "presswork", "RABBITMQ_DEFAULT_PASS": secret}
    ports = {5672: port, 15672: management_port}
    process = stack.enter_context(docker.container(docker.RABBITMQ, folder, ports=ports, settings=settings))
    url = f"amqp://presswork:{secret}@127.0.0.1:{port}/"
    management_url = f"http://presswork:{secret}@127.0.0.1:{management_port}"

    def wait() -> Broker:
        product = wait_for(
            lambda: ready(url, management_url),
            process,
            what="RabbitMQ",
            log=folder / "docker.log",
            limit_s=PULL_LIMIT_S,
        )
        return Broker(url, management_url, f"{product} in Docker on {place(url)} ({docker.RABBITMQ.name})")

    return StartedBroker(url, management_url, wait)


def _installed_now(say: Callable[[str], None]) -> bool:
    if not apt.usable():
        say("no RabbitMQ here: install rabbitmq-server, start Docker, or set AMQP_URL")
        return False
    try:
        apt.install("rabbitmq-server", say)
    except NotStarted as error:
        say(f"no RabbitMQ here, and it could not be installed: {error}")
        return False
    return True
