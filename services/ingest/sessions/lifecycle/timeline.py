"""A session's counts and its gap-free sequence of events, changed together in the transaction of what happened.

The row lock on the session serialises one session only; a rollback leaves no hole in the sequence. It comes after those
of items, listings and letters: docs/reliability.md has the order of all locks.
"""

from collections.abc import Mapping, Sequence
from typing import Any, get_args
from uuid import UUID

from sqlalchemy import Connection, Float, Row, Select, bindparam, func, insert, select, update

from services.ingest.sessions.lifecycle.records import UPLOAD_CANCELLED
from services.ingest.sessions.lifecycle.rows import totals_of, workload_of
from services.ingest.sessions.lifecycle.session_transitions import (
    COUNTS,
    After,
    Happening,
    after_each,
    at_rest,
    percents,
)
from services.ingest.sessions.progress.delays import wait_no_more
from services.ingest.sessions.progress.totals import Totals, concerns
from services.ingest.sessions.tables import NOW, items, listings, session_events, sessions
from services.ingest.tables import CLOCK, mockups
from shared.contracts import Stage

CLOCK_S = func.extract("epoch", CLOCK).cast(Float)
"""CLOCK in seconds, as the paces of a workload have it."""
MOMENTS = ("reopened_at", "hashed_at", "settled_at", "asked_at", "rendered_at")
WORKLOAD = ("work", "work_done", "pace")

END = "finished"

# Made once: they run for every event, and making one takes longer than its answer.
_READ = ("id", "state", "cancelled_at", "percent", "last_seq", "costs", *WORKLOAD, *MOMENTS, *COUNTS)
READ: Select[Any] = select(*(sessions.c[name] for name in _READ), CLOCK_S.label("clock_s"), NOW.label("now"))
# FOR NO KEY UPDATE, which goes with FOR KEY SHARE: who adds a listing has its session so, as the listing refers to it.
# With FOR UPDATE two who add some to one session would wait for each other.
READ = READ.where(sessions.c.id == bindparam("this")).with_for_update(key_share=True)
WRITE = update(sessions).where(sessions.c.id == bindparam("this"))
TELL = insert(session_events)


def append(
    connection: Connection,
    session_id: UUID,
    kind: str,
    changes: Mapping[str, int],
    *,
    item_id: UUID | None = None,
    facts: Mapping[str, Any] | None = None,
    weighs: int = 0,
) -> None:
    """Change the session's counts, write the event that tells it, and end the session if that was the last thing."""
    append_all(connection, session_id, [Happening(kind, changes, item_id, facts or {}, weighs)])


def append_all(connection: Connection, session_id: UUID, happenings: Sequence[Happening]) -> None:
    """As `append` for several things that happened at once, in this order; nothing, if nothing did."""
    if not happenings:
        return
    row = connection.execute(READ, {"this": session_id}).one()
    ended, cancelled = row.state == "finished", row.cancelled_at is not None
    after = after_each(totals_of(row), workload_of(row), happenings, row.clock_s, ended=ended, cancelled=cancelled)
    shown, now, seq = percents(row.percent, after, ended=ended), after[-1], row.last_seq + len(after)
    connection.execute(TELL, _events(row, after, shown))
    _those_done(connection, session_id, totals_of(row), now.totals)
    values: dict[str, Any] = now.totals.as_dict() | now.workload.as_row() | {"percent": shown[-1], "last_seq": seq}
    values |= _moments(row, now.totals)
    if ended and not now.still_ended:
        values |= {"state": "working", "finished_at": None, "cancelled_at": None, "reopened_at": row.now}
    elif row.state == "announced" and now.totals.received:
        values["state"] = "working"
    if now.done and not now.still_ended:
        values |= _finish(connection, row, seq + 1, now.totals)
    connection.execute(WRITE, {"this": session_id, **values})


def _those_done(connection: Connection, session_id: UUID, before: Totals, now: Totals) -> None:
    """Services that have just done the last there was for them have nothing to try again later."""
    done = [name for name in get_args(Stage) if concerns(name, before) and not concerns(name, now)]
    if done:
        wait_no_more(connection, session_id, done)


def _moments(row: Row[Any], totals: Totals) -> dict[str, Any]:
    """When the stages of a session were over, as far as they are; later uploads learn from them how long it takes."""
    hashed = totals.received and totals.received == totals.hashed + totals.accepted + totals.settled
    rendered = totals.requested and totals.requested == totals.rendered + totals.listings_settled
    again = bool(row.settled_at and totals.in_progress)
    return {
        "reopened_at": row.now if again else row.reopened_at,
        "hashed_at": (row.hashed_at or row.now) if hashed else None,
        "settled_at": (row.settled_at or row.now) if totals.received and not totals.in_progress else None,
        "asked_at": row.asked_at or (row.now if totals.requested else None),
        "rendered_at": (row.rendered_at or row.now) if rendered else None,
    }


def finish(connection: Connection, session_id: UUID) -> None:
    """End a session whose files are settled and for which nobody asked for listings."""
    row = connection.execute(READ, {"this": session_id}).one()
    totals = totals_of(row)
    if row.state == "finished" or not at_rest(totals):
        return
    connection.execute(WRITE, {"this": session_id, **_finish(connection, row, row.last_seq + 1, totals)})


def _finish(connection: Connection, row: Row[Any], seq: int, totals: Totals) -> dict[str, Any]:
    connection.execute(TELL, [_event(row, seq, Happening(END), totals, 100.0, finished=True)])
    if totals.requested and not totals.listing_failed and not totals.failed:
        _advance_starting_numbers(connection, row.id)
    return {"state": "finished", "finished_at": row.now, "percent": 100.0, "last_seq": seq}


def _advance_starting_numbers(connection: Connection, session_id: UUID) -> None:
    """Let the mockups that were used show the next number, which the frontend sends back with the next upload.

    Not after a failure: a number that was given and then freed is below it, and must be offered again.
    """
    after = (
        select(listings.c.mockup_id, (func.max(items.c.number) + 1).label("number"))
        .join(items, items.c.id == listings.c.item_id)
        .where(listings.c.session_id == session_id, items.c.is_digital.is_(False))
        .group_by(listings.c.mockup_id)
        .subquery()
    )
    used = select(mockups.c.id).where(mockups.c.id.in_(select(after.c.mockup_id))).order_by(mockups.c.id)
    connection.execute(used.with_for_update(key_share=True))  # in one order: others that used them may end just now
    behind = update(mockups).where(mockups.c.id == after.c.mockup_id, mockups.c.starting_name < after.c.number)
    connection.execute(behind.values(starting_name=after.c.number))


def _events(row: Row[Any], after: Sequence[After], shown: Sequence[float]) -> list[dict[str, Any]]:
    numbered = enumerate(zip(after, shown, strict=True), row.last_seq + 1)
    return [_event(row, seq, each.what, each.totals, at, finished=each.still_ended) for seq, (each, at) in numbered]


def _event(row: Row[Any], seq: int, what: Happening, totals: Totals, shown: float, *, finished: bool) -> dict[str, Any]:
    payload = {**what.facts, "totals": totals.as_dict(), "percent": shown, "finished": finished}
    anew = what.kind == END and row.state == "finished"  # taken up again, and over at once: that end was not cancelled
    if finished and row.cancelled_at is not None and not anew:
        payload[UPLOAD_CANCELLED] = True
    return {"session_id": row.id, "seq": seq, "type": what.kind, "item_id": what.item_id, "payload": payload}
