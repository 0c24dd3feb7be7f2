"""Three RabbitMQ nodes on loopback that are one cluster, behind one address that moves to a living node."""

import os
import signal
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from services.local import node, process
from services.local.amqp import ready
from tests.chaos.world import TICKS
from tests.proxy import Proxy

SIZE = 3
SECRET = "chaos-only-on-loopback"
COOKIE = "CHAOSCLUSTER"
START_LIMIT_S = 120


@dataclass
class Member:
    """One node, with a name, folder and ports that it keeps."""

    name: str
    folder: Path
    port: int
    management_port: int
    environment: Mapping[str, str]
    server: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"amqp://presswork:{SECRET}@127.0.0.1:{self.port}/"

    @property
    def management_url(self) -> str:
        return f"http://presswork:{SECRET}@127.0.0.1:{self.management_port}"

    @property
    def alive(self) -> bool:
        return self.server is not None and self.server.poll() is None

    def start(self) -> None:
        program = node.installed()
        assert program is not None
        self.server = process.start(
            [program], when_orphaned="TERM", log=self.folder / "start.log", env=self.environment
        )

    def wait(self) -> None:
        assert self.server is not None
        process.wait_for(
            lambda: ready(self.url, self.management_url),
            self.server,
            what=self.name,
            log=self.folder / "start.log",
            limit_s=START_LIMIT_S,
        )

    def kill(self) -> None:
        assert self.server is not None
        os.kill(self.server.pid, signal.SIGKILL)
        self.server.wait()


@dataclass
class Trio:
    """The cluster, with what a single broker offers to the tests."""

    folder: Path
    proxy: Proxy = field(default_factory=Proxy)
    url: str = ""
    members: list[Member] = field(default_factory=list)

    @property
    def management_url(self) -> str:
        return next(member for member in self.members if member.alive).management_url

    def start(self) -> None:
        """The first node alone, then the others, which join it."""
        ports = process.free_ports(3 * SIZE + 1)
        epmd_port = ports.pop()
        names = [f"chaos{number}@localhost" for number in range(1, SIZE + 1)]
        for name in names:
            self.members.append(_member(self.folder / name, name, names, [ports.pop() for _ in range(3)], epmd_port))
        first = self.members[0]
        command = [node._epmd(), "-port", str(epmd_port), "-address", "127.0.0.1"]
        self._epmd = process.start(command, when_orphaned="KILL", log=self.folder / "epmd.log", env=first.environment)
        first.start()
        first.wait()
        for member in self.members[1:]:
            member.start()
        for member in self.members[1:]:
            member.wait()
        self._aim(first)

    def leader(self, queue: str) -> Member:
        """The node that leads a queue."""
        found = self._queue(queue)["leader"]
        return next(member for member in self.members if member.name == found)

    def all_online(self, queue: str) -> bool:
        """Whether every node has its copy of the queue at work."""
        return len(self._queue(queue).get("online", ())) == SIZE

    def lose(self, member: Member) -> None:
        """SIGKILL one node; the address moves to another one."""
        member.kill()
        self._aim(next(other for other in self.members if other.alive))

    def recover(self, member: Member) -> None:
        member.start()
        member.wait()

    def stop(self) -> None:
        for member in self.members:
            if member.server is not None:
                process.stop(member.server)
        process.stop(self._epmd, signal.SIGTERM)

    def _aim(self, member: Member) -> None:
        self.proxy.target = member.port
        self.url = f"amqp://presswork:{SECRET}@127.0.0.1:{self.proxy.port}/"

    def _queue(self, name: str) -> dict[str, Any]:
        answer = httpx.get(f"{self.management_url}/api/queues/%2F/{name}", trust_env=False, timeout=20)
        answer.raise_for_status()
        return dict(answer.json())


def _member(folder: Path, name: str, names: list[str], ports: list[int], epmd_port: int) -> Member:
    port, management_port, dist_port = ports
    (folder / "conf.d").mkdir(parents=True)
    node._configure(folder, port, management_port, SECRET)  # as `presswork up` runs its own node
    lines = ["cluster_formation.peer_discovery_backend = classic_config"]
    lines += [f"cluster_formation.classic_config.nodes.{number} = {peer}" for number, peer in enumerate(names, 1)]
    (folder / "conf.d" / "cluster.conf").write_text("\n".join(lines) + "\n")
    (folder / "advanced.config").write_text(TICKS)
    cookie = folder / ".erlang.cookie"
    cookie.write_text(COOKIE)
    cookie.chmod(0o400)
    environment = {**node._environment(folder, dist_port, epmd_port), "RABBITMQ_NODENAME": name}
    return Member(name, folder, port, management_port, environment)
