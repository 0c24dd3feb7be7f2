"""`presswork up`: the whole system on this machine, as processes that start, are watched and stop together."""

import asyncio
import contextlib
import errno
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from services.local import process
from services.local.broker import StartedBroker, broker
from services.local.children import STOP_GRACE_S, Processes
from services.local.database import database
from services.local.environment import keeping_nas, keeping_shop, left_in, settings_for, shop, written_down
from services.local.listening import ONLY_HERE, Listening
from services.local.lost_queues import LostQueues
from services.local.process import NotStarted, claim
from services.local.servers import Server
from services.ops.broker import consumers
from shared.errors import Unavailable

READY_LIMIT_S = 90.0
MOST_HASHERS = 64
"""The setting takes no more."""
DEFAULT_SCALE = {"ingest": 1, "dedup": 1, "storage": 1, "mockup": 2, "publisher": 1}


@dataclass(frozen=True)
class Plan:
    """What to run, and where its files are."""

    data_dir: Path
    port: int = 3003
    host: str | None = None
    """Where to listen, over what HOST says; neither: where only this machine reaches it."""
    embedded: bool = False
    scale: Mapping[str, int] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    """Settings over those of the caller's environment."""
    new_nas: bool = False
    """Take the NAS into use, wherever the designs until now lie."""
    adopt: bool = False
    """Though it holds files already."""
    any_nas: bool = False
    """Though the database has designs that lie on another one."""


@dataclass(frozen=True)
class Running:
    """A system that is ready."""

    listening: Listening
    nas: str
    listings_dir: Path
    environment: Mapping[str, str]
    processes: Processes
    servers: Sequence[Server] = ()
    """Broker and database, where they are our own."""
    lost_queues: LostQueues | None = None
    """Watches over a broker of our own."""

    @property
    def base_url(self) -> str:
        return self.listening.url

    def watch(self, say: Callable[[str], None]) -> None:
        """Start again what has died. Call again and again, from the main thread."""
        for server in self.servers:
            server.watch(say)
        if self.lost_queues:
            self.lost_queues.watch(say)
        self.processes.watch()


@contextlib.contextmanager
def system(plan: Plan, say: Callable[[str], None]) -> Iterator[Running]:
    """Start broker, database and services; yield when all of them are ready; stop every one of them at the end.

    Call from the main thread.

    Raises:
        NotStarted: with what is missing, in words.
    """
    data_dir = plan.data_dir.resolve()
    _make_folders(data_dir)
    given = {**os.environ, **plan.environment, **as_scaled(plan.scale)}
    listening = Listening(plan.host or given.get("HOST") or ONLY_HERE, plan.port)
    given = keeping_shop(keeping_nas(given, data_dir), data_dir)
    with contextlib.ExitStack() as stack:
        stack.enter_context(claim(data_dir, wait_s=0))
        # Services inherit this one: those of a killed `up` finish what they have begun before ours begin.
        lock = stack.enter_context(claim(data_dir / "logs", wait_s=STOP_GRACE_S + 5))
        _try_to_listen(listening)
        rabbit = None
        if not plan.embedded:  # first: it takes seconds, and nothing needs it before its queues are declared
            rabbit = stack.enter_context(broker(data_dir, given.get("AMQP_URL"), management=False, say=say))
        postgres = stack.enter_context(database(data_dir, given.get("DATABASE_URL"), say=say))
        say(f"database  {postgres.description}")
        settings = settings_for(given, data_dir, listening, postgres.url, rabbit)
        nas_options = _nas_options(plan, given, data_dir)
        with written_down(settings, data_dir):
            said = _init(settings, data_dir, "--no-broker", *nas_options)
        processes = Processes(settings, data_dir / "logs", say, inherit=[lock], data_dir=data_dir)
        running = Running(
            listening,
            settings["NAS_URL"],
            Path(settings["LISTINGS_DIR"]),
            settings,
            processes,
            (*postgres.servers, *(rabbit.servers if rabbit else ())),
            _lost_queues(rabbit, processes),
        )
        stack.callback(running.processes.stop)
        ours = "" if given.get("NAS_URL") else f"NAS {running.nas}: "  # that we made our own folder is no news
        _start(running, plan, rabbit, [line for line in said if not (ours and line.startswith(ours))])
        _wait_until_ready(running)
        yield running


def as_scaled(scale: Mapping[str, int]) -> dict[str, str]:
    """The setting by which uploads are split, for as many hashers as were asked for."""
    hashers = scale.get("hasher", 0)
    return {"COMPREHENSIVE_WORKFLOW_MAX_THREADS": str(min(hashers, MOST_HASHERS))} if hashers else {}


def _start(running: Running, plan: Plan, rabbit: StartedBroker | None, of_nas: Sequence[str]) -> None:
    """Start the services. The workers wait for their queues, so their programs load while the broker starts."""
    settings, say = running.environment, running.processes.say
    wanted = [(name, number) for name, count in _counts(plan, settings).items() for number in range(1, count + 1)]
    for name, number in wanted:
        if name != "ingest":
            running.processes.start(name, number)
    say(f"broker    {rabbit.wait().description if rabbit else 'none: everything in one process (embedded)'}")
    say("\n".join([f"NAS       {settings['NAS_URL']}", *of_nas]))
    say(f"shop      {shop(settings, {**os.environ, **plan.environment}.get('PUBLISHER_TARGET'))}")
    if rabbit:
        _init(settings, plan.data_dir.resolve(), "--no-database", "--no-nas")
    say(f"services  {len(wanted)} {'processes are' if len(wanted) > 1 else 'process is'} starting")
    for name, number in wanted:
        if name == "ingest":
            running.processes.start(name, number)


class _Stopped(BaseException):
    """A signal came while the system was being started. Not a KeyboardInterrupt: once one has passed through code that
    was made from text, as that of dataclasses is, Python ends the process by SIGINT at its exit, though it was caught.
    """


def run_until_stopped(plan: Plan, say: Callable[[str], None]) -> None:
    """Run the system until Ctrl-C, SIGTERM or its terminal's end, which end it while it starts as well.

    Where SIGHUP is ignored, as under `nohup`, the terminal's end does not end it.
    """
    stopped, started = threading.Event(), False

    def stop(*_: object) -> None:
        if not started and not stopped.is_set():
            stopped.set()
            raise _Stopped
        stopped.set()

    def tell(line: str) -> None:
        try:
            say(line)
        except OSError:  # whoever closed the terminal reads nothing there, and all must be stopped all the same
            if not stopped.is_set():
                raise

    ends = [signal.SIGINT, signal.SIGTERM]
    ends += [signal.SIGHUP] if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN else []
    previous = {number: signal.signal(number, stop) for number in ends}
    try:
        with contextlib.suppress(_Stopped), system(plan, tell) as running:
            started = True
            logs = running.processes.logs
            if not stopped.is_set():  # Python drops an interrupt that hits a finalizer
                tell(f"ready     {running.listening} (documentation at /docs, logs in {logs}); Ctrl-C stops it")
            while not stopped.wait(0.5):
                running.watch(tell)
            tell("stopping: what is in work is finished first")
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
    tell("stopped")


def _lost_queues(rabbit: StartedBroker | None, processes: Processes) -> LostQueues | None:
    if rabbit is None or not rabbit.servers:
        return None
    url, node = rabbit.url, rabbit.servers[-1]
    return LostQueues(
        node,
        lambda: asyncio.run(consumers(url, {name for name, _ in processes.children})),
        lambda: all(child.poll() is None for child in list(processes.children.values())),
    )


def _make_folders(data_dir: Path) -> None:
    try:
        for folder in ("blobs", "logs", "listings"):
            (data_dir / folder).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise NotStarted(f"{data_dir} can't be written ({error.strerror}): name another folder with --data") from error


def _try_to_listen(listening: Listening) -> None:
    """Or else whoever listens there already would answer in place of ours.

    Raises:
        NotStarted: there is no such address here, or its port is taken.
    """
    host, port = listening.host, listening.port
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except OSError as error:
        raise NotStarted(f"{host!r} is no address to listen on ({error.strerror}): correct HOST or --host") from error
    with socket.socket(family, kind) as candidate:
        candidate.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            candidate.bind(address)
        except OSError as error:
            words = f"port {port} can't be used ({error.strerror}): stop what uses it, or choose another with --port"
            if error.errno == errno.EADDRNOTAVAIL:
                words = f"this machine has no address {host}: correct HOST or --host"
            raise NotStarted(words) from error


def _nas_options(plan: Plan, given: Mapping[str, str], data_dir: Path) -> list[str]:
    """How to look at the NAS. Only a folder of our own is new without anybody saying so, while it isn't there."""
    url = given.get("NAS_URL") or str(data_dir / "nas")
    new = not given.get("NAS_URL") and not (data_dir / "nas").exists()
    other = (new or url != left_in(data_dir).get("NAS_URL")) and not (plan.new_nas or plan.any_nas)
    wanted = {"--new-nas": new or plan.new_nas, "--adopt": plan.adopt, "--with-designs": other}
    return ["--taken-by", "presswork up --new-nas", *(option for option, is_wanted in wanted.items() if is_wanted)]


def _init(settings: Mapping[str, str], data_dir: Path, *options: str) -> list[str]:
    """Schema, queues and the NAS, by the command that operators use for it too. Returns what is to be told of a NAS."""
    command = [sys.executable, "-m", "services.cli", "init", "--data", str(data_dir), *options]
    done = subprocess.run(command, env=dict(settings), capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        raise NotStarted(f"presswork init failed:\n{done.stderr.strip() or done.stdout.strip()}")
    return [line for line in done.stderr.splitlines() if line.startswith("NAS")]


def _counts(plan: Plan, environment: Mapping[str, str]) -> dict[str, int]:
    if environment["EMBEDDED"] == "1":
        return {"ingest": 1}
    hashers = int(environment["COMPREHENSIVE_WORKFLOW_MAX_THREADS"])
    return {**DEFAULT_SCALE, "hasher": hashers, **plan.scale}


def _wait_until_ready(running: Running) -> None:
    """Until ingest answers and every process consumes."""
    deadline = time.monotonic() + READY_LIMIT_S
    missing = "ingest does not answer yet"
    with httpx.Client(trust_env=False, timeout=5) as client:
        while time.monotonic() < deadline:
            for (name, number), child in running.processes.children.items():
                if child.poll() is not None:
                    log = running.processes.log(name, number)
                    raise NotStarted(f"{name} ended while starting. {process.tail(log)}")
            missing = _missing(running, client)
            if not missing:
                return
            time.sleep(0.1)
    raise NotStarted(f"not ready within {READY_LIMIT_S:.0f} s: {missing}")


def _missing(running: Running, client: httpx.Client) -> str:
    """What is not ready yet, in words; empty if nothing."""
    try:
        answer = client.get(f"{running.base_url}/ready")
    except httpx.TransportError as error:
        return f"ingest does not answer ({error})"
    if answer.status_code != httpx.codes.OK:
        return f"ingest says {answer.text}"
    if running.environment["EMBEDDED"] == "1":
        return ""
    wanted = Counter(name for name, _ in running.processes.children)
    try:
        found = asyncio.run(consumers(running.environment["AMQP_URL"], wanted))
    except Unavailable as error:
        return str(error)
    waiting = [f"{name} ({found[name]} of {wanted[name]})" for name in wanted if found[name] < wanted[name]]
    return f"no consumer yet: {', '.join(waiting)}" if waiting else ""
