"""`presswork up`: the whole system on this machine, as processes that start, are watched and stop together."""

import asyncio
import contextlib
import os
import secrets
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
from services.local.broker import broker
from services.local.database import database
from services.local.process import NotStarted, claim
from shared.bus.rabbit import consumers
from shared.errors import Unavailable

READY_LIMIT_S = 90.0
STOP_GRACE_S = 30.0
LONGEST_PAUSE_S = 30.0
HEALTHY_S = 60.0
DEFAULT_SCALE = {"ingest": 1, "dedup": 1, "storage": 1, "mockup": 2, "publisher": 1}


@dataclass(frozen=True)
class Plan:
    """What to run, and where its files are."""

    data_dir: Path
    port: int = 3003
    embedded: bool = False
    scale: Mapping[str, int] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    """Settings over those of the caller's environment."""


@dataclass(frozen=True)
class Running:
    """A system that is ready."""

    base_url: str
    nas: str
    listings_dir: Path
    environment: Mapping[str, str]
    processes: "Processes"


@contextlib.contextmanager
def system(plan: Plan, say: Callable[[str], None]) -> Iterator[Running]:
    """Start broker, database and services; yield when all of them are ready; stop every one of them at the end.

    Call from the main thread.

    Raises:
        NotStarted: with what is missing, in words.
    """
    data_dir = plan.data_dir.resolve()
    for folder in ("blobs", "logs", "listings"):
        (data_dir / folder).mkdir(parents=True, exist_ok=True)
    given = {**os.environ, **plan.environment}
    with contextlib.ExitStack() as stack:
        stack.enter_context(claim(data_dir, wait_s=0))
        # Services inherit this one: those of a killed `up` finish what they have begun before ours begin.
        lock = stack.enter_context(claim(data_dir / "logs", wait_s=STOP_GRACE_S + 5))
        _refuse_taken(given.get("HOST") or "0.0.0.0", plan.port)  # noqa: S104 - where ingest will listen
        store = stack.enter_context(database(data_dir, given.get("DATABASE_URL"), say=say))
        say(f"database  {store.description}")
        queue = None if plan.embedded else stack.enter_context(broker(data_dir, given.get("AMQP_URL"), say=say))
        say(f"broker    {queue.description if queue else 'none: everything in one process (embedded)'}")
        environment = _environment(given, data_dir, plan, store.url, queue.url if queue else None)
        say(f"NAS       {environment['NAS_URL']}")
        say(f"shop      {_shop(environment)}")
        # only a folder of our own is new without anybody saying so, and only as long as it isn't there
        new_nas = not given.get("NAS_URL") and not (data_dir / "nas").exists()
        _prepare(environment, broker=queue is not None, new_nas=new_nas)
        running = Running(
            f"http://127.0.0.1:{plan.port}",
            environment["NAS_URL"],
            Path(environment["LISTINGS_DIR"]),
            environment,
            Processes(environment, data_dir / "logs", say, inherit=[lock]),
        )
        stack.callback(running.processes.stop)
        for name, count in _scale(plan, environment).items():
            for number in range(1, count + 1):
                running.processes.start(name, number)
        _wait_until_ready(running)
        yield running


class Processes:
    """The services' processes: started again when they die, stopped together."""

    def __init__(
        self, environment: Mapping[str, str], logs: Path, say: Callable[[str], None], inherit: Sequence[int] = ()
    ) -> None:
        self.environment = environment
        self.logs = logs
        self.say = say
        self.inherit = inherit
        self.children: dict[tuple[str, int], subprocess.Popen[bytes]] = {}
        self._started: dict[tuple[str, int], float] = {}
        self._restarts: dict[tuple[str, int], tuple[int, float]] = {}

    def start(self, name: str, number: int) -> None:
        """Start one process of a service; its output goes to a log of its own, beside that of the one before it."""
        log = self.logs / f"{name}-{number}.log"
        if log.exists():
            log.replace(f"{log}.1")
        command = [sys.executable, "-m", "services.cli", "run", name]
        self.children[name, number] = process.start(
            command, when_orphaned="TERM", log=log, env=self.environment, inherit=self.inherit
        )
        self._started[name, number] = time.monotonic()

    def watch(self) -> None:
        """Start again what has died, a little later each time that it does not live for a minute."""
        for (name, number), child in list(self.children.items()):
            if child.poll() is None:
                continue
            deaths, due = self._restarts.get((name, number), (0, 0.0))
            if due == 0.0:
                if time.monotonic() - self._started[name, number] > HEALTHY_S:
                    deaths = 0
                pause = min(2.0**deaths, LONGEST_PAUSE_S)
                self._restarts[name, number] = (deaths + 1, time.monotonic() + pause)
                self.say(f"{name} {number} ended with status {child.returncode}; it is started again in {pause:.0f} s")
            elif time.monotonic() >= due:
                self._restarts[name, number] = (deaths, 0.0)
                self.start(name, number)

    def stop(self) -> None:
        """Ask every process to finish what it has begun; kill those that don't."""
        for child in self.children.values():
            if child.poll() is None:
                child.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + STOP_GRACE_S
        for (name, number), child in self.children.items():
            try:
                child.wait(max(deadline - time.monotonic(), 0.1))
            except subprocess.TimeoutExpired:
                self.say(
                    f"{name} {number} did not stop within {STOP_GRACE_S:.0f} s and is killed; its work comes again"
                )
                os.killpg(child.pid, signal.SIGKILL)
                child.wait()


def run_until_stopped(plan: Plan, say: Callable[[str], None]) -> None:
    """Run the system until Ctrl-C or SIGTERM, which end it while it starts as well."""
    stopped, started = threading.Event(), False

    def stop(*_: object) -> None:
        if not started and not stopped.is_set():
            stopped.set()
            raise KeyboardInterrupt
        stopped.set()

    previous = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        with contextlib.suppress(KeyboardInterrupt), system(plan, say) as running:
            started = True
            say(f"ready     {running.base_url} (documentation at /docs); Ctrl-C stops it")
            while not stopped.wait(0.5):
                running.processes.watch()
            say("stopping: what is in work is finished first")
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
    say("stopped")


def _environment(
    given: Mapping[str, str], data_dir: Path, plan: Plan, database_url: str, amqp_url: str | None
) -> dict[str, str]:
    """The settings that every service process gets: the caller's, completed with what was found or made here."""
    defaults = {
        "BLOB_DIR": str(data_dir / "blobs"),
        "NAS_URL": str(data_dir / "nas"),
        "LISTINGS_DIR": str(data_dir / "listings"),
        "COMPREHENSIVE_WORKFLOW_MAX_THREADS": "8",
        "PUBLISHER_TARGET": "dry-run",
    }
    if not given.get("JWT_SECRET_KEY"):
        defaults["JWT_SECRET_KEY"] = _secret(data_dir / "jwt-secret")
    fixed = {"DATABASE_URL": database_url, "PORT": str(plan.port), "EMBEDDED": "1" if amqp_url is None else "0"}
    if amqp_url is not None:
        fixed["AMQP_URL"] = amqp_url
    # One thread each: eight hashers with a pool of threads each would fight for the same cores.
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    # an empty variable is none
    chosen = {name: given.get(name) or default for name, default in defaults.items()}
    return {**threads, **given, **chosen, **fixed}


def _refuse_taken(host: str, port: int) -> None:
    """Or else whoever listens there would answer in place of ours."""
    family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    with socket.socket(family, kind) as candidate:
        candidate.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            candidate.bind(address)
        except OSError as error:
            raise NotStarted(
                f"port {port} can't be used ({error.strerror}): stop what uses it, or choose another with --port"
            ) from error


def _prepare(environment: Mapping[str, str], *, broker: bool, new_nas: bool) -> None:
    """Schema, queues and the NAS, by the command that operators use for it too."""
    options = [*([] if broker else ["--no-broker"]), *(["--new-nas"] if new_nas else [])]
    command = [sys.executable, "-m", "services.cli", "init", *options]
    done = subprocess.run(command, env=dict(environment), capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        raise NotStarted(f"presswork init failed:\n{done.stderr.strip() or done.stdout.strip()}")


def _scale(plan: Plan, environment: Mapping[str, str]) -> dict[str, int]:
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
                    log = running.processes.logs / f"{name}-{number}.log"
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


def _shop(environment: Mapping[str, str]) -> str:
    if environment["PUBLISHER_TARGET"] == "dry-run":
        return f"dry run: listing drafts as folders in {environment['LISTINGS_DIR']}"
    return environment["PUBLISHER_TARGET"]


def _secret(file: Path) -> str:
    """The key that signs logins on this machine, made on the first start and kept with the data."""
    with contextlib.suppress(FileExistsError):
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as new:
            new.write(secrets.token_urlsafe(48))
    return file.read_text()
