"""The retry policy as a table."""

import pytest

from shared.bus.retry import RetryPolicy


@pytest.mark.parametrize(("attempt", "delay_s"), [(1, 5), (2, 30), (3, None), (4, None)])
def test_each_attempt_has_its_delay_and_after_the_last_there_is_none(attempt: int, delay_s: float | None) -> None:
    assert RetryPolicy(delays_s=(5, 30)).after(attempt) == delay_s


def test_without_delays_the_first_failure_is_the_last() -> None:
    assert RetryPolicy(delays_s=()).after(1) is None
