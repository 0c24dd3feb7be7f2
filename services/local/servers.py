"""The servers that we started ourselves, broker and database: each is started again, in its place, when it dies."""

import subprocess
from collections.abc import Callable

from services.local.process import NotStarted
from services.local.restarts import Restarts


class Server:
    """One of them. `begin` starts it, always with the same files and ports, so that whoever needs it finds it again."""

    def __init__(self, name: str, begin: Callable[[], subprocess.Popen[bytes]]) -> None:
        self.name = name
        self.begin = begin
        self.process = begin()
        self._restarts = Restarts()

    def watch(self, say: Callable[[str], None]) -> None:
        """Start it again if it has died, a little later each time that it does not live for a minute.

        Call from the main thread, as `begin` is (process.start says why).
        """
        if self.process.poll() is None:
            return
        if (pause := self._restarts.pause_s()) is not None:
            status = self.process.returncode
            say(f"{self.name} ended with status {status} and is started again in {pause:.0f} s; work waits for it")
        elif self._restarts.is_due:
            self._restarts.began()
            try:
                self.process = self.begin()
            except (NotStarted, OSError) as error:  # a full disk, say: whatever else runs goes on meanwhile
                say(f"{self.name} can't be started: {error}")
