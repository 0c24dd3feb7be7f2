"""A RabbitMQ of our own that answers, and whose queues are dead."""

import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor

from services.local.servers import Server
from shared.errors import Unavailable

ASK_EVERY_S = 15.0
LOST_S = 60.0
"""Nobody consumes for so long, though every service runs: each asks again every ten seconds at the latest."""


class LostQueues:
    """Ends such a node, so that it is started again.

    RabbitMQ 3.10 comes to this when its disk is full to the last byte: the processes of its queues end with its
    write-ahead log, and are not begun anew when there is room again. It takes connections and says that the queues are
    there, but gives nobody their messages and takes none for them. What was confirmed is on disk all the same.
    """

    def __init__(self, server: Server, ask: Callable[[], Mapping[str, int]], serving: Callable[[], bool]) -> None:
        self.server = server
        self.ask = ask
        """How many consume each queue; Unavailable: the broker is away, or takes nothing just now."""
        self.serving = serving
        """Whether every service runs."""
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="lost-queues")  # who watches waits for no broker
        self._answer: Future[Mapping[str, int]] | None = None
        self._next_at = 0.0
        self._since: float | None = None

    def watch(self, say: Callable[[str], None]) -> None:
        """Call again and again; it asks now and then."""
        now = time.monotonic()
        if self._answer is None:
            if now >= self._next_at:
                self._answer = self._thread.submit(self.ask)
        elif self._answer.done():
            answer, self._answer = self._answer, None
            self._next_at = now + ASK_EVERY_S
            self._judge(answer, now, say)

    def _judge(self, answer: Future[Mapping[str, int]], now: float, say: Callable[[str], None]) -> None:
        if not self._nobody_consumes(answer):
            self._since = None
        elif self._since is None:
            self._since = now
        elif now - self._since >= LOST_S:
            self._since = None
            say(f"{self.server.name} gives no service its messages, as after its disk was full: it is ended")
            self.server.process.kill()  # a node in this state need not come to an end of its own

    def _nobody_consumes(self, answer: Future[Mapping[str, int]]) -> bool:
        try:
            found = answer.result()
        except Unavailable:
            return False
        return self.serving() and not any(found.values())
