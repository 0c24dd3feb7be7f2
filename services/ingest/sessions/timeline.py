"""A session's counts and its gap-free sequence of events, changed together in the transaction of what happened.

The row lock on the session serialises one session only; a rollback leaves no hole in the sequence.
Lock order is always item, listing, session, then mockup group or delays.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from itertools import accumulate
from typing import Any, NamedTuple, get_args
from uuid import UUID

from sqlalchemy import Connection, Float, Row, Select, bindparam, func, insert, select, update

from services.ingest.sessions.course import Costs, Course, Pace
from services.ingest.sessions.delays import wait_no_more
from services.ingest.sessions.progress import Totals, concerns, percent
from services.ingest.sessions.tables import NOW, items, listings, session_events, sessions
from services.ingest.tables import mockups
from shared.contracts import Stage

CLOCK = func.extract("epoch", func.clock_timestamp()).cast(Float)
COUNTS = tuple(field.name for field in fields(Totals))
MOMENTS = ("reopened_at", "hashed_at", "settled_at", "asked_at", "rendered_at")
COURSE = ("work", "work_done", "pace")

END = "finished"
UPLOAD_CANCELLED = "upload_cancelled"
"""Is told with the end of an upload that was cancelled as a whole: its counts are no other if each file was."""

# Made once: they run for every event, and making one takes longer than its answer.
_READ = ("id", "state", "cancelled_at", "percent", "last_seq", "costs", *COURSE, *MOMENTS, *COUNTS)
READ: Select[Any] = select(*(sessions.c[name] for name in _READ), CLOCK.label("clock"), NOW.label("now"))
READ = READ.where(sessions.c.id == bindparam("this")).with_for_update()
WRITE = update(sessions).where(sessions.c.id == bindparam("this"))
TELL = insert(session_events)


def totals_of(row: Row[Any]) -> Totals:
    """The counts in a row of `sessions`."""
    return Totals(**{name: getattr(row, name) for name in COUNTS})


def course_of(row: Row[Any]) -> Course:
    """The work in a row of `sessions`."""
    paces = {name: Pace(**pace) for name, pace in row.pace.items()}
    return Course(row.work, row.work_done, Costs.of(row.costs), **paces)


@dataclass(frozen=True)
class Happening:
    """Something that happened in a session: what it is called, which counts it changes, what is told of it.

    `weighs` is the weight of the file that it happened to, or of all files that were submitted.
    """

    kind: str
    changes: Mapping[str, int] = field(default_factory=dict)
    item_id: UUID | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)
    weighs: int = 0


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


class Step(NamedTuple):
    """A session after one thing that happened."""

    what: Happening
    totals: Totals
    course: Course
    done: bool
    """Nothing is left to do, and nothing more is expected of the user."""
    ended: bool
    """It had ended before, and this leaves its end as it is."""


def append_all(connection: Connection, session_id: UUID, happenings: Sequence[Happening]) -> None:
    """The same for much that happened at once, in this order; nothing, if nothing did."""
    if not happenings:
        return
    row = connection.execute(READ, {"this": session_id}).one()
    steps = _steps(row, happenings)
    shown, now, seq = _shown(row, steps), steps[-1], row.last_seq + len(steps)
    told = enumerate(zip(steps, shown, strict=True), row.last_seq + 1)
    events = [_event(row, at, step.what, step.totals, part, finished=step.ended) for at, (step, part) in told]
    connection.execute(TELL, events)
    _those_done(connection, session_id, totals_of(row), now.totals)
    values: dict[str, Any] = now.totals.as_dict() | now.course.as_row() | {"percent": shown[-1], "last_seq": seq}
    values |= _moments(row, now.totals)
    if row.state == "finished" and not now.ended:
        values |= {"state": "working", "finished_at": None, "cancelled_at": None, "reopened_at": row.now}
    elif row.state == "announced" and now.totals.received:
        values["state"] = "working"
    if now.done and not now.ended:
        values |= _finish(connection, row, seq + 1, now.totals)
    connection.execute(WRITE, {"this": session_id, **values})


def _steps(row: Row[Any], happenings: Sequence[Happening]) -> list[Step]:
    """The session after each of them. What is asked for anew takes its end back, and that it was cancelled."""
    totals, course = totals_of(row), course_of(row)
    ended, cancelled = row.state == "finished", row.cancelled_at is not None
    steps = []
    for what in happenings:
        before = totals
        totals = Totals(**{name: getattr(totals, name) + what.changes.get(name, 0) for name in COUNTS})
        course = moved(course, before, totals, what, row.clock)
        if ended and not _at_rest(totals):
            ended = cancelled = False
        steps.append(Step(what, totals, course, _complete(totals, cancelled), ended))
    return steps


def _shown(row: Row[Any], steps: Sequence[Step]) -> list[float]:
    """The percent to show after each step: within one run it never goes back."""
    now = [percent(step.totals, step.course, finished=step.ended) for step in steps]
    if row.state != "finished":
        return list(accumulate(now, max, initial=row.percent))[1:]
    # Ten files that are taken up again are ten steps back: the run that they begin shows all of them at its first.
    anew = sum(step.ended for step in steps)
    return now[:anew] + list(accumulate(reversed(now[anew:]), min))[::-1]


def moved(course: Course, before: Totals, after: Totals, what: Happening, at: float) -> Course:
    """The work after this. Where there was nothing to do until now, a new pace begins: pauses are none."""
    files = bool(after.in_progress and not before.in_progress)
    listings = before.requested == before.listings_settled and after.requested > after.listings_settled
    return course.changed(what.weighs, what.changes, at).begun(at, files=files, listings=listings)


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
    if row.state == "finished" or not _at_rest(totals):
        return
    connection.execute(WRITE, {"this": session_id, **_finish(connection, row, row.last_seq + 1, totals)})


def _at_rest(totals: Totals) -> bool:
    """Nothing is left to do."""
    return not totals.in_progress and totals.listings_settled == totals.requested


def _complete(totals: Totals, cancelled: bool) -> bool:
    """Nothing is left to do, and nothing more is expected of the user."""
    if not totals.received or not _at_rest(totals):
        return False
    return bool(totals.requested) or cancelled or totals.stored == 0


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
    behind = update(mockups).where(mockups.c.id == after.c.mockup_id, mockups.c.starting_name < after.c.number)
    connection.execute(behind.values(starting_name=after.c.number))


def _event(row: Row[Any], seq: int, what: Happening, totals: Totals, shown: float, *, finished: bool) -> dict[str, Any]:
    payload = {**what.facts, "totals": totals.as_dict(), "percent": shown, "finished": finished}
    anew = what.kind == END and row.state == "finished"  # it was taken up again, and ends at once
    if finished and row.cancelled_at is not None and not anew:
        payload[UPLOAD_CANCELLED] = True
    return {"session_id": row.id, "seq": seq, "type": what.kind, "item_id": what.item_id, "payload": payload}
