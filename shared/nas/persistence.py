"""Try again what may pass within seconds; then say in words what is wrong, and with how much of the NAS."""

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
from shared.nas.errors import NasFull, NasRefused, NasUnavailable, in_words, passes

T = TypeVar("T")
TRIES, TRYING_SECONDS = 5, 20


def persistently(action: Callable[[], T], check: Callable[[], object], what: str, first_wait_s: float) -> T:
    """What `action` returns. `check` is asked afterwards whether it is the whole NAS that fails.

    Two tries it has in any case: the first one may find a line that has been dead for long.
    """
    retrying = Retrying(
        retry=retry_if_exception(passes),
        wait=wait_exponential(first_wait_s, max=5) + wait_random(0, first_wait_s),
        stop=stop_after_attempt(TRIES) | stop_all(stop_after_attempt(2), stop_before_delay(TRYING_SECONDS)),
        reraise=True,
    )
    try:
        return retrying(action)
    except OSError as error:
        raise _verdict(error, what, check) from error


def _verdict(error: OSError, what: str, check: Callable[[], object]) -> Exception:
    """What the error means, with a second look: is it the whole NAS, or only this path?"""
    verdict = in_words(error, what)
    if isinstance(verdict, (NasFull, Permanent)):
        return verdict
    away = isinstance(verdict, NasUnavailable)
    try:
        check()
    except NasUnavailable as gone:
        return verdict if away else gone
    except OSError:
        return verdict
    # one shop's locked folder or one damaged file must not hold up all the others
    return NasRefused(f"{verdict} (only there: the NAS itself can be written)") if away else verdict
