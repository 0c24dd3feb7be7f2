"""Dead letters as figures for Prometheus, read from the rows when they are asked for: equal on every replica."""

from collections.abc import Iterator
from typing import get_args

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from sqlalchemy import Engine, func, select

from services.ingest.dead_letter_tables import OPEN, audit, dead_letters
from services.ingest.tables import CLOCK
from shared.contracts import Stage
from shared.database import transaction

WAITING = "Dead letters that wait for somebody"
OLDEST = "Age of the oldest dead letter that waits for somebody; 0 where none does"
REPLAYS = "Dead letters replayed, by what came of each at once"
RESULTS = ("reopened", "redelivered", "resolved", "refused", "edited")


def measured(engine: Engine) -> Iterator[Metric]:
    """The figures now.

    Raises:
        Unavailable: the database is away.
    """
    letter = dead_letters.c
    age = func.extract("epoch", func.max(CLOCK - letter.dead_at))
    waiting = select(letter.service, func.count(), age).where(letter.status.in_(OPEN)).group_by(letter.service)
    replayed = select(audit.c.result, func.count()).where(audit.c.letter_id.is_not(None))
    replayed = replayed.where(audit.c.action.in_(("replay", "edit"))).group_by(audit.c.result)
    with transaction(engine) as connection:
        depths = {row[0]: (row[1], float(row[2])) for row in connection.execute(waiting).all()}
        results = {row[0]: row[1] for row in connection.execute(replayed).all()}
    depth = GaugeMetricFamily("presswork_dead_letters_waiting", WAITING, labels=["service"])
    oldest = GaugeMetricFamily("presswork_dead_letters_oldest_age_seconds", OLDEST, labels=["service"])
    for service in get_args(Stage):
        count, seconds = depths.get(service, (0, 0.0))
        depth.add_metric([service], count)
        oldest.add_metric([service], max(seconds, 0.0))
    replays = CounterMetricFamily("presswork_dead_letter_replays", REPLAYS, labels=["result"])
    for result in RESULTS:
        replays.add_metric([result], results.get(result, 0))
    yield from (depth, oldest, replays)
