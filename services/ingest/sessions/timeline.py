"""A session's counts and its gap-free sequence of events, changed together in the transaction of what happened.

The row lock on the session serialises one session only; a rollback leaves no hole in the sequence.
Lock order is always item, listing, session, mockup group.
"""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, func, insert, select, update

from services.ingest.sessions.progress import Totals, percent
from services.ingest.sessions.tables import NOW, items, listings, session_events, sessions
from services.ingest.tables import mockups

COUNTS = tuple(field.name for field in fields(Totals))


def totals_of(row: Row[Any]) -> Totals:
    """The counts in a row of `sessions`."""
    return Totals(**{name: getattr(row, name) for name in COUNTS})


def append(
    connection: Connection,
    session_id: UUID,
    kind: str,
    changes: Mapping[str, int],
    *,
    item_id: UUID | None = None,
    facts: Mapping[str, Any] | None = None,
) -> None:
    """Change the session's counts, write the event that tells it, and end the session if that was the last thing."""
    row = connection.execute(select(sessions).where(sessions.c.id == session_id).with_for_update()).one()
    totals = totals_of(row)
    counts = {name: getattr(totals, name) + changes.get(name, 0) for name in COUNTS}
    totals = Totals(**counts)
    done, ended = _complete(totals), row.state == "finished"
    seq = row.last_seq + 1
    if ended and done:  # a late correction, of a failure that was none: the end stays the end
        shown = 100.0
    elif ended:  # asked for anew: less is done than was shown
        shown = percent(totals, finished=False)
    else:  # within one run it never goes back
        shown = max(percent(totals, finished=False), row.percent)
    _insert(connection, session_id, seq, kind, item_id, facts or {}, totals, shown, finished=ended and done)
    values: dict[str, Any] = dict(counts) | {"percent": shown, "last_seq": seq}
    values["settled_at"] = (row.settled_at or NOW) if totals.received and not totals.in_progress else None
    if ended and not done:
        values |= {"state": "working", "finished_at": None}
    elif row.state == "announced" and totals.received:
        values["state"] = "working"
    if done and not ended:
        values |= _finish(connection, session_id, seq + 1, totals)
    connection.execute(update(sessions).where(sessions.c.id == session_id).values(**values))


def finish(connection: Connection, session_id: UUID) -> None:
    """End a session whose files are settled and for which nobody asked for listings."""
    row = connection.execute(select(sessions).where(sessions.c.id == session_id).with_for_update()).one()
    totals = totals_of(row)
    if row.state == "finished" or totals.in_progress or totals.requested > totals.listings_settled:
        return
    values = _finish(connection, session_id, row.last_seq + 1, totals)
    connection.execute(update(sessions).where(sessions.c.id == session_id).values(**values))


def _complete(totals: Totals) -> bool:
    """Nothing is left to do, and nothing more is expected of the user."""
    if not totals.received or totals.in_progress:
        return False
    if totals.requested:
        return totals.listings_settled == totals.requested
    return totals.stored == 0


def _finish(connection: Connection, session_id: UUID, seq: int, totals: Totals) -> dict[str, Any]:
    _insert(connection, session_id, seq, "finished", None, {}, totals, 100.0, finished=True)
    if totals.requested and not totals.listing_failed and not totals.failed:
        _advance_starting_numbers(connection, session_id)
    return {"state": "finished", "finished_at": NOW, "percent": 100.0, "last_seq": seq}


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
    behind = update(mockups).where(mockups.c.id == after.c.mockup_id, mockups.c.starting_name < after.c.number)
    connection.execute(behind.values(starting_name=after.c.number))


def _insert(
    connection: Connection,
    session_id: UUID,
    seq: int,
    kind: str,
    item_id: UUID | None,
    facts: Mapping[str, Any],
    totals: Totals,
    shown: float,
    *,
    finished: bool,
) -> None:
    payload = {**facts, "totals": totals.as_dict(), "percent": shown, "finished": finished}
    connection.execute(
        insert(session_events).values(session_id=session_id, seq=seq, type=kind, item_id=item_id, payload=payload)
    )
