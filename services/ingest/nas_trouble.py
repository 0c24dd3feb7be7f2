"""Why the NAS can't be used just now, for all the people who wait for it."""

import threading
import time

from shared.errors import Retryable
from shared.nas.protocol import Nas

EVERY_S = 5.0


class NasTrouble:
    """Asks the NAS in one thread at a time, and not too often: a NAS that is away takes its time to say so.

    Whoever comes meanwhile hears what was said last. A hundred open pages would take every thread otherwise.
    """

    def __init__(self, nas: Nas, every_s: float = EVERY_S) -> None:
        self.nas = nas
        self.every_s = every_s
        self._asking = threading.Lock()
        self._next_at = 0.0
        self._words: str | None = None

    def __call__(self) -> str | None:
        """What is wrong, in words; None if nothing is."""
        if self._asking.acquire(blocking=False):
            try:
                if time.monotonic() >= self._next_at:
                    self._words = self._asked()
                    self._next_at = time.monotonic() + self.every_s
            finally:
                self._asking.release()
        return self._words

    def _asked(self) -> str | None:
        try:
            self.nas.check()
        except Retryable as error:
            return str(error)
        return None
