"""Sessions and events from the rows of their tables."""

from typing import Any

from sqlalchemy import Row

from services.ingest.sessions.lifecycle.records import Event, Session
from services.ingest.sessions.lifecycle.session_transitions import COUNTS
from services.ingest.sessions.progress.totals import Totals
from services.ingest.sessions.progress.workload import Costs, Pace, Workload


def totals_of(row: Row[Any]) -> Totals:
    """The counts in a row of `sessions`."""
    return Totals(**{name: getattr(row, name) for name in COUNTS})


def workload_of(row: Row[Any]) -> Workload:
    """The work in a row of `sessions`."""
    paces = {name: Pace(**pace) for name, pace in row.pace.items()}
    return Workload(row.work, row.work_done, Costs.of(row.costs), **paces)


def session_of(row: Row[Any]) -> Session:
    """A session from a row of the table `sessions`."""
    return Session(
        id=row.id,
        user_id=row.user_id,
        client_key=row.client_key,
        state=row.state,
        lane=row.lane,
        totals=totals_of(row),
        last_seq=row.last_seq,
        percent=row.percent,
        announced_at=row.announced_at,
        submitted_at=row.submitted_at,
        settled_at=row.settled_at,
        finished_at=row.finished_at,
        cancelled_at=row.cancelled_at,
        lane_reason=row.lane_reason,
        duplicates=row.duplicates,
        reopened_at=row.reopened_at,
        workload=workload_of(row),
    )


def event_of(row: Row[Any]) -> Event:
    """An event from a row of the table `session_events`."""
    return Event(row.seq, row.type, row.item_id, row.payload, row.created_at)
