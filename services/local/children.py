"""The services' processes on this machine: started again when they die, stopped together."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from services.decoding.isolation import ONE_THREAD
from services.local import process
from services.local.restarts import Restarts

STOP_GRACE_S = 30.0


class Processes:
    """One process for each service and number."""

    def __init__(
        self,
        environment: Mapping[str, str],
        logs: Path,
        say: Callable[[str], None],
        inherit: Sequence[int] = (),
        data_dir: Path | None = None,
    ) -> None:
        self.environment = dict(environment)
        self.logs = logs
        self.say = say
        self.inherit = inherit
        self.where = ["--data", str(data_dir)] if data_dir else []  # or `run` would take what it lacks from ./var
        self.children: dict[tuple[str, int], subprocess.Popen[bytes]] = {}
        self._restarts: dict[tuple[str, int], Restarts] = {}

    def log(self, name: str, number: int) -> Path:
        """What it prints; what those before it printed lies beside it, the latest under .1."""
        return self.logs / f"{name}-{number}.log"

    def start(self, name: str, number: int) -> None:
        """Start one process of a service."""
        self._restarts.setdefault((name, number), Restarts()).began()
        log = self.log(name, number)
        process.put_by(log)
        # as in production, with all that it checks
        command = [sys.executable, "-m", "services.cli", "run", *self.where, name]
        self.children[name, number] = process.start(
            command, when_orphaned="TERM", log=log, env=ONE_THREAD | self.environment, inherit=self.inherit
        )

    def watch(self) -> None:
        """Start again what has died, a little later each time that it does not live for a minute."""
        for (name, number), child in list(self.children.items()):
            if child.poll() is None:
                continue
            restarts = self._restarts[name, number]
            if (pause := restarts.pause_s()) is not None:
                self.say(
                    f"{name} {number} ended with status {child.returncode} and is started again in {pause:.0f} s; "
                    f"its log is {process.put_by(self.log(name, number))}"
                )
            elif restarts.is_due:
                try:
                    self.start(name, number)
                except OSError as error:  # no memory, say: whatever else runs goes on meanwhile
                    self.say(f"{name} {number} can't be started: {error}")

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
