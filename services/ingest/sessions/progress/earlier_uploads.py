"""What earlier uploads of a lane tell of the next one, from the rows of sessions."""

from collections.abc import Callable, Sequence
from datetime import datetime
from statistics import median
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, select

from services.ingest.sessions.progress.workload import Costs, Range
from services.ingest.sessions.tables import sessions

LOOKED_AT = 60
"""The last ones: enough that some are ALIKE, and a change of machine or NAS is learnt within as many uploads."""
ALIKE = 4.0
"""Uploads of up to so many times as much or as little work are alike."""
ENOUGH = 5
"""So many tell a range: of fewer, one odd upload would be an edge of it."""
INSTANT_S = 0.05

Upload = Row[Any]
Span = tuple[datetime, datetime]


def costs(connection: Connection, user_id: UUID, lane: str, work: float) -> Costs:
    """What an upload of so much work costs in this lane. Only uploads that nothing disturbed count."""
    done = sessions.c
    wanted = select(sessions).where(done.lane == lane, done.state == "finished", done.work > 0)
    wanted = wanted.where(done.reopened_at.is_(None), done.cancelled_at.is_(None), done.hashed_at.is_not(None))
    wanted = wanted.where(done.failed == 0, done.listing_failed == 0)
    found = connection.execute(wanted.order_by(done.finished_at.desc()).limit(LOOKED_AT)).all()
    return learnt(found, user_id, work)


def learnt(past: Sequence[Upload], user_id: UUID, work: float) -> Costs:
    """What an upload of so much work costs: as those like it did, if there are enough of them; else as all did."""
    past = [row for row in past if _in_order(row)]
    alike = [row for row in past if row.work / ALIKE <= work <= row.work * ALIKE]
    uploads = alike if len(alike) >= ENOUGH else past
    asked = [row for row in past if row.requested]
    listed = [row for row in uploads if row.requested] or asked
    # One that left nothing to list, all duplicates say, can't tell whether they list.
    theirs = [row for row in past if row.user_id == user_id and (row.stored or row.requested)]
    guess = Costs()
    lists = not theirs or any(row.requested for row in theirs)
    shares = [_listing_s(row) / (_listing_s(row) + _files_s(row)) for row in listed]
    return Costs(
        hashed=_share([_seconds(row.submitted_at, row.hashed_at) / _files_s(row) for row in uploads], guess.hashed),
        rendered=_share([_rendered(row) for row in listed if row.rendered_at], guess.rendered),
        listing=_share(shares if lists else [0.0], guess.listing),
        file_s=_range([_alone_s(row, past, _files) / row.work for row in uploads], guess.file_s),
        listing_s=_range([_alone_s(row, asked, _listings) / row.requested for row in listed], guess.listing_s),
        listed=lists,
        uploads=len(uploads),
        listing_uploads=len(listed),
    )


def _in_order(row: Upload) -> bool:
    """Whether no clock was set back in the middle of it: from such an upload no time can be told."""
    asked, ended = row.asked_at or row.settled_at, row.finished_at
    return bool(row.submitted_at <= row.settled_at <= ended and asked <= ended)


def _alone_s(row: Upload, past: Sequence[Upload], span: Callable[[Upload], Span]) -> float:
    """Seconds that it would have taken by itself: while it was one of three, say, a third of the time was its own.

    The next upload's time is told from this and from the others that are there then. With the slowdown by earlier
    others in it, it would be slowed down twice.
    """
    begin, end = span(row)
    changes = [(end, 0)]
    for since, until in (span(other) for other in past if other is not row):
        if since < end and until > begin:
            changes += [(max(since, begin), 1), (min(until, end), -1)]
    alone_s, now, turns = 0.0, begin, 1
    for at, change in sorted(changes, key=lambda each: (each[0], -each[1])):
        alone_s += (at - now).total_seconds() / turns
        now, turns = at, turns + change
    return max(alone_s, INSTANT_S)


def _files(row: Upload) -> Span:
    return row.submitted_at, row.settled_at


def _listings(row: Upload) -> Span:
    return max(row.asked_at, row.settled_at), row.finished_at


def _files_s(row: Upload) -> float:
    return _seconds(*_files(row))


def _listing_s(row: Upload) -> float:
    return _seconds(*_listings(row))


def _rendered(row: Upload) -> float:
    """When an upload had all pictures, as a share of the time in which its listings were made."""
    return min(_seconds(_listings(row)[0], row.rendered_at) / _listing_s(row), 1.0)


def _seconds(since: datetime, until: datetime) -> float:
    return max((until - since).total_seconds(), INSTANT_S)


def _share(found: Sequence[float], guess: float) -> float:
    """In the middle, and never all or nothing: the next upload may be another kind."""
    return min(max(median(found), 0.1), 0.9) if found else guess


def _range(found: Sequence[float], guess: Range) -> Range:
    """Four of five of them lie within; of few, the next one may well lie outside."""
    if not found:
        return guess
    ordered, middle = sorted(found), median(found)
    edge = len(ordered) // 10
    least = 1.5 if len(ordered) >= ENOUGH else 3.0
    return (min(ordered[edge], middle / least), middle, max(ordered[-1 - edge], middle * least))
