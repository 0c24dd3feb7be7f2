"""Servers of a test's own, to be killed and started again."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import make_url

from services.local import node, postgres
from services.local.node import Node
from services.local.postgres import Cluster
from tests import backends
from tests.proxy import Proxy


@dataclass
class Server:
    """A private server behind a proxy, so that its URL stays the same when it is killed and started again."""

    start_one: Callable[[], AbstractContextManager[Node | Cluster]]
    proxy: Proxy = field(default_factory=Proxy)
    url: str = ""
    management_url: str = ""
    pid: int = 0
    _life: ExitStack = field(default_factory=ExitStack)

    def start(self) -> None:
        found = self._life.enter_context(self.start_one())
        url = make_url(found.url)
        self.pid = found.pid
        self.proxy.target = url.port or 0
        self.management_url = getattr(found, "management_url", "")
        self.url = url.set(port=self.proxy.port).render_as_string(hide_password=False)

    def kill(self) -> None:
        os.kill(self.pid, signal.SIGKILL)
        self.stop()

    def stop(self) -> None:
        self._life.close()


@contextmanager
def own_servers(folder: Path, broker: Any = None) -> Iterator[tuple[Any, Server]]:
    """A broker (or the one that is given) and a database, at work for the length of the block."""
    program, binaries = node.installed(), postgres.installed()
    if program is None or not binaries:
        backends.missing("a broker and a database that can be killed are needed: install rabbitmq-server and the extra")
    broker = broker or Server(lambda: backends.private_node(folder / "broker", program, throwaway=True))
    database = Server(lambda: postgres.private_cluster(folder / "database", binaries[0], fsync=False, throwaway=True))
    with ExitStack() as stack:
        for server in (broker, database):
            stack.enter_context(server.proxy.running())
            stack.callback(server.stop)
            server.start()
        yield broker, database
