"""The retry policy, as a table."""

import pytest

from shared.bus.envelope import Undecodable
from shared.bus.retry import Bury, Retry, RetryPolicy
from shared.errors import Permanent, Retryable

POLICY = RetryPolicy(delays_s=(1, 10))


@pytest.mark.parametrize(
    ("error", "attempt", "decision"),
    [
        (Retryable("x"), 1, Retry(1)),
        (Retryable("x"), 2, Retry(10)),
        (Retryable("x"), 3, Bury("Retryable: x (after 3 attempts)")),
        (ValueError("x"), 1, Retry(1)),
        (ValueError("x"), 99, Bury("ValueError: x (after 99 attempts)")),
        (Permanent("x"), 1, Bury("Permanent: x")),
        (Undecodable("x"), 1, Bury("Undecodable: x")),
    ],
)
def test_what_becomes_of_a_failed_attempt(error: Exception, attempt: int, decision: Retry | Bury) -> None:
    assert POLICY.after(error, attempt) == decision
