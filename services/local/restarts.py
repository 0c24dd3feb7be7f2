"""When a process that has died is started again: the oftener it died young in a row, the later."""

import time

HEALTHY_S = 60.0
"""A process that has lived for so long did not die of its start."""
MOST_DOUBLINGS = 5


class Restarts:
    """Of one process, which counts as started when this is made."""

    def __init__(self) -> None:
        self._deaths = 0
        self.began()

    def began(self) -> None:
        """It was started, or that was tried, just now."""
        self._began_at, self._due_at = time.monotonic(), float("inf")

    def pause_s(self) -> float | None:
        """The pause before it is started again, for whoever looks first after its death; None: that was said before."""
        if self._due_at < float("inf"):
            return None
        now = time.monotonic()
        self._deaths = 0 if now - self._began_at > HEALTHY_S else self._deaths
        pause = float(2 ** min(self._deaths, MOST_DOUBLINGS))
        self._deaths, self._due_at = self._deaths + 1, now + pause
        return pause

    @property
    def is_due(self) -> bool:
        """Whether that pause is over."""
        return time.monotonic() >= self._due_at
