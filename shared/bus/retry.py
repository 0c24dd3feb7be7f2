"""The retry policy. Pure: the header `x-attempt` counts (`envelope.attempt_of`), and `settlement` raises it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class RetryPolicy:
    """How long to wait before each further attempt. After the last one the message is buried."""

    delays_s: tuple[float, ...] = (5, 30, 300, 300, 300)

    def after(self, attempt: int) -> float | None:
        """How long a message whose `attempt` (from 1) failed waits for its next; None: that was the last."""
        return self.delays_s[attempt - 1] if attempt <= len(self.delays_s) else None
