"""The servers that we started ourselves, broker and database: each is started again, in its place, when it dies."""

import subprocess
import time
from collections.abc import Callable

from services.local.process import HEALTHY_S, NotStarted, pause_s


class Server:
    """One of them. `begin` starts it, always with the same files and ports, so that whoever needs it finds it again."""

    def __init__(self, name: str, begin: Callable[[], subprocess.Popen[bytes]]) -> None:
        self.name = name
        self.begin = begin
        self.process = begin()
        self._began = time.monotonic()
        self._deaths = 0
        self._due: float | None = None

    def watch(self, say: Callable[[str], None]) -> None:
        """Start it again if it has died, a little later each time that it does not live for a minute.

        Call from the main thread, as `begin` is (process.start says why).
        """
        if self.process.poll() is None:
            return
        now = time.monotonic()
        if self._due is None:
            self._deaths = 0 if now - self._began > HEALTHY_S else self._deaths
            pause = pause_s(self._deaths)
            self._deaths, self._due = self._deaths + 1, now + pause
            status = self.process.returncode
            say(f"{self.name} ended with status {status} and is started again in {pause:.0f} s; work waits for it")
        elif now >= self._due:
            self._due, self._began = None, now
            try:
                self.process = self.begin()
            except (NotStarted, OSError) as error:  # a full disk, say: whatever else runs goes on meanwhile
                say(f"{self.name} can't be started: {error}")
