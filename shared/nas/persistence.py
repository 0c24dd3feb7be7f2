"""Try again what may pass within seconds; then say in words what is wrong, and with how much of the NAS."""

import threading
from collections.abc import Callable
from typing import TypeVar

from tenacity import (
    Retrying,
    retry_if_exception,
    stop_after_attempt,
    stop_all,
    stop_before_delay,
    wait_exponential,
    wait_random,
)

from shared.errors import Permanent
from shared.nas.errors import ABSENT, NasFull, NasRefused, NasUnavailable, nas_error, passes

T = TypeVar("T")
TRIES, TRYING_SECONDS = 5, 20


class Persistence:
    """For the calls of one NAS, by all threads.

    While it is known not to answer, one thread at a time asks it whether it does again, and the others are told at
    once that it does not: the pages of a gallery would take every thread otherwise.
    """

    def __init__(self, name: str, check: Callable[[], object], first_wait_s: float) -> None:
        self.name = name
        self.check = check
        self._retrying = Retrying(
            retry=retry_if_exception(passes),
            wait=wait_exponential(first_wait_s, max=5) + wait_random(0, first_wait_s),
            stop=stop_after_attempt(TRIES) | stop_all(stop_after_attempt(2), stop_before_delay(TRYING_SECONDS)),
            reraise=True,
        )
        self._silence: OSError | None = None
        self._asking = threading.Lock()

    def do(self, what: str, action: Callable[[], T]) -> T:
        """What `action` returns. It has two tries at least, as the first may find a line that has long been dead, and
        one more if the NAS answers after the last: it may have come back only then, and refuse nothing.
        """
        what = f"{what} on the NAS {self.name}"
        self._require_answer(what)
        try:
            return self._retrying(action)
        except OSError as error:
            verdict = self._verdict(error, what)
            if error.errno not in ABSENT or not isinstance(verdict, NasRefused):
                raise verdict from error
        try:
            return action()
        except OSError as error:
            raise self._verdict(error, what) from error

    def _require_answer(self, what: str) -> None:
        if (silence := self._silence) is None:
            return
        if not self._asking.acquire(blocking=False):
            raise nas_error(silence, what)
        try:
            self.check()
        except OSError as error:
            if error.errno in ABSENT:
                raise nas_error(error, what) from error
        finally:
            self._asking.release()
        self._silence = None

    def _verdict(self, error: OSError, what: str) -> Exception:
        """What the error means, with a second look: is it the whole NAS, or only this path?"""
        verdict = nas_error(error, what)
        if isinstance(verdict, (NasFull, Permanent)):
            return verdict
        away = isinstance(verdict, NasUnavailable)
        try:
            self.check()
        except NasUnavailable as gone:
            return verdict if away else gone
        except OSError as again:
            self._silence = again if again.errno in ABSENT else None
            return verdict
        # one shop's locked folder or one damaged file must not hold up all the others
        return NasRefused(f"{verdict} (only there: the NAS itself can be written)") if away else verdict
