"""A private RabbitMQ node of the `rabbitmq-server` that is installed on this machine."""

import contextlib
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from services.local.amqp import ready
from services.local.files import password
from services.local.process import NotStarted, claim, free_ports, start, stop, wait_for
from services.local.servers import Server

# Debian's wrapper in /usr/sbin changes user and folder and drops the environment, so its inner program comes first
PROGRAM = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
# every node has an epmd of its own, so all can have one name; a name per start would hide the folder's queues
NODE_NAME = "presswork@localhost"
START_LIMIT_S = 90


@dataclass(frozen=True)
class Node:
    """A running node. `pid` is the Erlang VM, which leads its own process group."""

    url: str
    management_url: str | None
    product: str
    pid: int


@dataclass(frozen=True)
class StartedNode:
    """A node that has its address already and will answer there in some seconds."""

    url: str
    management_url: str | None
    server: Server
    log: Path
    epmd: Server

    def wait(self) -> Node:
        """The node, once it lets us in.

        Raises:
            NotStarted: it did not come up; with the end of its log.
        """
        product = wait_for(
            lambda: ready(self.url, self.management_url),
            self.server.process,
            what="RabbitMQ",
            log=self.log,
            limit_s=START_LIMIT_S,
        )
        return Node(self.url, self.management_url, product, self.server.process.pid)


def installed() -> Path | None:
    """The program that starts a node, if RabbitMQ is installed here."""
    if PROGRAM.exists():
        return PROGRAM
    found = shutil.which("rabbitmq-server")
    return Path(found) if found else None


@contextlib.contextmanager
def started_node(
    data_dir: Path, program: Path, *, throwaway: bool = False, management: bool = True
) -> Iterator[StartedNode]:
    """Run a node on free loopback ports with all its files in `data_dir`; its queues are there again next time.

    A `throwaway` node is not asked to stop but killed: 3.10 takes 6 s to stop cleanly with its management plugin, and
    1 s without.

    Raises:
        NotStarted: another node uses `data_dir`.
    """
    data_dir = data_dir.resolve()
    port, management_port, dist_port, epmd_port = free_ports(4)
    env, log = _environment(data_dir, dist_port, epmd_port), data_dir / "start.log"

    def begin_epmd() -> subprocess.Popen[bytes]:
        command = [str(_epmd()), "-port", str(epmd_port), "-address", "127.0.0.1"]
        return start(command, when_orphaned="KILL", log=data_dir / "epmd.log", env=env)

    def begin() -> subprocess.Popen[bytes]:
        with claim(data_dir) as lock:
            _configure(data_dir, port, management_port if management else None, password(data_dir / "password"))
            return start([program], when_orphaned="TERM", log=log, env=env, inherit=[lock])

    data_dir.mkdir(parents=True, exist_ok=True)
    epmd = Server("RabbitMQ's epmd", begin_epmd)
    try:
        server = Server("RabbitMQ", begin)
    except BaseException:
        stop(epmd.process, signal.SIGTERM)
        raise
    secret = password(data_dir / "password")
    try:
        url = f"amqp://presswork:{secret}@127.0.0.1:{port}/"
        management_url = f"http://presswork:{secret}@127.0.0.1:{management_port}" if management else None
        yield StartedNode(url, management_url, server, log, epmd)
    finally:
        stop(server.process, *([] if throwaway else [signal.SIGTERM]), grace_s=30)
        stop(epmd.process, signal.SIGTERM)


def _configure(data_dir: Path, port: int, management_port: int | None, secret: str) -> None:
    plugins, lines = "[].\n", ""
    if management_port is not None:
        plugins = "[rabbitmq_management].\n"
        lines = f"management.tcp.ip = 127.0.0.1\nmanagement.tcp.port = {management_port}\n"
    (data_dir / "plugins").write_text(plugins)
    config = data_dir / "rabbitmq.conf"
    config.touch(mode=0o600)
    config.write_text(
        f"""\
listeners.tcp.1 = 127.0.0.1:{port}
{lines}default_user = presswork
default_pass = {secret}
disk_free_limit.absolute = 50MB
heartbeat = 10
log.console = false
log.file.level = info
raft.wal_max_size_bytes = 64000000
"""
    )  # the write-ahead log of quorum queues may grow to 512 MB otherwise


def _environment(data_dir: Path, dist_port: int, epmd_port: int) -> dict[str, str]:
    # what the caller's or the machine's own RabbitMQ settings say must not reach this node
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("RABBITMQ_", "ERL_"))}
    schedulers = max(1, (os.cpu_count() or 1) // 2)
    return inherited | {
        "HOME": str(data_dir),  # Erlang's cookie lies there
        "ERL_CRASH_DUMP": str(data_dir / "erl_crash.dump"),  # not in the folder that somebody happens to be in
        "ERL_EPMD_ADDRESS": "127.0.0.1",
        "ERL_EPMD_PORT": str(epmd_port),
        "RABBITMQ_NODENAME": NODE_NAME,
        "RABBITMQ_DIST_PORT": str(dist_port),
        "RABBITMQ_CONF_ENV_FILE": "/dev/null",
        "RABBITMQ_CONFIG_FILE": str(data_dir / "rabbitmq.conf"),
        "RABBITMQ_CONFIG_FILES": str(data_dir / "conf.d"),
        "RABBITMQ_ADVANCED_CONFIG_FILE": str(data_dir / "advanced.config"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(data_dir / "plugins"),
        "RABBITMQ_MNESIA_BASE": str(data_dir / "mnesia"),
        "RABBITMQ_LOG_BASE": str(data_dir / "log"),
        "RABBITMQ_PID_FILE": str(data_dir / "pid"),
        "RABBITMQ_GENERATED_CONFIG_DIR": str(data_dir / "generated"),
        # leaves cores to the services, never spins, and keeps Erlang's own port on loopback
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": (
            f"+S {schedulers}:{schedulers} +sbwt none -kernel inet_dist_use_interface {{127,0,0,1}}"
        ),
        # makes the start script become the Erlang VM instead of waiting beside it
        "RUNNING_UNDER_SYSTEMD": "true",
    }


def _epmd() -> Path:
    """Erlang's name server; started by us, because the one that Erlang starts is a daemon that stays for ever."""
    found = shutil.which("epmd") or next(iter(sorted(Path("/usr/lib/erlang").glob("erts-*/bin/epmd"))), None)
    if found is None:
        raise NotStarted("RabbitMQ is installed but Erlang's epmd is not on the PATH: install erlang-base")
    return Path(found)
