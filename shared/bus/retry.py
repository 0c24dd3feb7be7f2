"""The retry policy: data in, a decision out. No clock, no broker."""

from dataclasses import dataclass

from shared.errors import Permanent


@dataclass(frozen=True)
class Retry:
    """Try again after this long, in one of the broker's retry queues."""

    delay_s: float


@dataclass(frozen=True)
class Bury:
    """Give up: the message goes to the service's dead-letter queue with this cause."""

    cause: str


@dataclass(frozen=True)
class RetryPolicy:
    """How long to wait before each further attempt. After the last one the message is buried."""

    delays_s: tuple[float, ...] = (5, 30, 300, 300, 300)

    def after(self, error: BaseException, attempt: int) -> Retry | Bury:
        """Decide what becomes of a message whose `attempt` (from 1) ended in `error`."""
        cause = f"{type(error).__name__}: {error}"
        if isinstance(error, Permanent):
            return Bury(cause)
        if attempt > len(self.delays_s):
            return Bury(f"{cause} (after {attempt} attempts)")
        return Retry(self.delays_s[attempt - 1])
