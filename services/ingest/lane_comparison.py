"""The two lanes side by side: how long an image takes in each, and what becomes of it. Read from rows and events.

Times are of files that were stored or are duplicates, at the first try: what failed, or was tried anew, says nothing of
how fast a lane is. A file's time begins when its upload was submitted, so it waits for those before it as well. What
ended after somebody had cancelled a file of its upload, tried one again or kept one, may have waited for that person.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Float,
    Integer,
    Select,
    Subquery,
    WithinGroup,
    cast,
    func,
    select,
    tuple_,
)

from services.ingest.lane_choice import COMPARED, ORIGINAL
from services.ingest.sessions.actions.cancel_result import WAS_CANCELLED
from services.ingest.sessions.states import CANCELLED, IN_WORK
from services.ingest.sessions.tables import items, session_events, sessions

UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
ENDS = ("stored", "duplicate")
BY_PEOPLE = ("retried", "kept")
"""Events that somebody caused; a cancelled file's is one by its `code`."""
GROUPS = func.grouping_sets(tuple_(sessions.c.lane), tuple_(sessions.c.lane, sessions.c.lane_reason))
WHICH = (sessions.c.lane, sessions.c.lane_reason, func.grouping(sessions.c.lane_reason).label("whole"))

Row = Mapping[str, Any]


def moment(text: str, now: datetime | None = None) -> datetime:
    """A time that was said like 7d, 12h, 2026-11-24 or 2026-11-24T18:30; UTC unless it says otherwise.

    Raises:
        ValueError: it is none, in words.
    """
    if back := re.fullmatch(r"(\d{1,4})([mhdw])", text.strip()):
        return (now or datetime.now(UTC)) - timedelta(**{UNITS[back[2]]: int(back[1])})
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise ValueError(f"{text!r} is no time: say it like 7d, 12h, 2026-11-24 or 2026-11-24T18:30 (UTC)") from error
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def compared(connection: Connection, since: datetime) -> list[dict[str, Any]]:
    """Each lane with the uploads that were submitted since then, and in it `reasons`: the same by why they took it."""
    found: dict[tuple[Any, ...], dict[str, Any]] = {}
    for query in (_uploads(since), _files(since), _times(since)):
        for row in connection.execute(query).mappings():
            key = (row["lane"], None if row["whole"] else (row["lane_reason"],))
            found.setdefault(key, {}).update(row)
    lanes = [_with_rates(row) for key, row in sorted(found.items(), key=lambda each: each[0][0]) if key[1] is None]
    for lane in lanes:
        rows = [row for key, row in found.items() if key[0] == lane["lane"] and key[1] is not None]
        lane["reasons"] = sorted((_with_rates(row) for row in rows), key=lambda row: -row["uploads"])
    return lanes


def unlike(lanes: Sequence[Row]) -> str | None:
    """Why their times can't be compared as they stand, if they can't."""
    if len(lanes) < 2:
        return "only one lane had uploads; ORIGINAL_LANE_SHARE sends some to the other on purpose"
    if all(row["lane_reason"] == COMPARED for lane in lanes if lane["lane"] == ORIGINAL for row in lane["reasons"]):
        return None
    sizes = ", ".join(f"{lane['lane']} {lane['files_an_upload']:g}" for lane in lanes)
    return (
        f"the lanes had different uploads (files in one, in the middle: {sizes}); those that took the original one "
        f'"{COMPARED}" (ORIGINAL_LANE_SHARE) are like the others'
    )


def _uploads(since: datetime) -> Select[Any]:
    """When an upload's files had ended says something only where nobody had a hand in it.

    Retries are counted by their events, not by generations: a file that made way for its original has a later one, too.
    """
    act = _first_acts(since)
    tries = func.count().filter(session_events.c.type.in_(BY_PEOPLE))
    tries_of = select(tries).where(session_events.c.session_id == sessions.c.id).scalar_subquery()
    done = sessions.c.settled_at.is_not(None) & act.c.seq.is_(None)
    each = _seconds(sessions.c.settled_at) / func.greatest(sessions.c.received, 1)
    return (
        select(
            *WHICH,
            func.count().label("uploads"),
            _middle(cast(sessions.c.received, Float)).label("files_an_upload"),
            _middle(each).filter(done).label("pace_s"),
            cast(func.sum(tries_of), Integer).label("retries"),
            func.sum(sessions.c.listed).label("listed"),
            func.sum(sessions.c.listing_failed - sessions.c.listing_cancelled).label("listings_failed"),
            func.sum(sessions.c.listing_cancelled).label("listings_cancelled"),
        )
        .join(act, act.c.session_id == sessions.c.id, isouter=True)
        .where(sessions.c.submitted_at >= since)
        .group_by(GROUPS)
    )


def _files(since: datetime) -> Select[Any]:
    counted = {name: items.c.state == name for name in ("stored", "duplicate", "rejected")}
    counted |= {"failed": (items.c.state == "failed") & ~WAS_CANCELLED, "cancelled": WAS_CANCELLED}
    counted["in_progress"] = items.c.state.in_(IN_WORK)
    return (
        select(
            *WHICH,
            func.count().label("files"),
            cast(func.sum(items.c.size), Float).label("bytes"),
            *(func.count().filter(which).label(name) for name, which in counted.items()),
        )
        .join(items, items.c.session_id == sessions.c.id)
        .where(sessions.c.submitted_at >= since)
        .group_by(GROUPS)
    )


def _times(since: datetime) -> Select[Any]:
    seconds = _seconds(session_events.c.created_at)
    settled, hashed = session_events.c.type.in_(ENDS), session_events.c.type == "hashed"
    act = _first_acts(since)
    return (
        select(
            *WHICH,
            _middle(seconds).filter(settled).label("image_s"),
            _most(seconds).filter(settled).label("image_s_p90"),
            _middle(seconds).filter(hashed).label("hash_s"),
            _most(seconds).filter(hashed).label("hash_s_p90"),
        )
        .join(session_events, session_events.c.session_id == sessions.c.id)
        .join(items, items.c.id == session_events.c.item_id)
        .join(act, act.c.session_id == sessions.c.id, isouter=True)
        .where(sessions.c.submitted_at >= since, items.c.generation == 0, items.c.state.in_(ENDS))
        .where(act.c.seq.is_(None) | (session_events.c.seq < act.c.seq))
        .group_by(GROUPS)
    )


def _first_acts(since: datetime) -> Subquery:
    """Of each upload the first event by which somebody cancelled one of its files, tried one again, or kept one."""
    event = session_events.c
    cancelled = (event.type == "failed") & (event.payload["code"].astext == CANCELLED)
    acts = select(event.session_id, func.min(event.seq).label("seq")).where(event.type.in_(BY_PEOPLE) | cancelled)
    acts = acts.join(sessions, sessions.c.id == event.session_id).where(sessions.c.submitted_at >= since)
    return acts.group_by(event.session_id).subquery()


def _seconds(until: ColumnElement[Any]) -> ColumnElement[float]:
    return cast(func.extract("epoch", until - sessions.c.submitted_at), Float)


def _middle(what: ColumnElement[float]) -> WithinGroup[float]:
    return func.percentile_cont(0.5).within_group(what)


def _most(what: ColumnElement[float]) -> WithinGroup[float]:
    return func.percentile_cont(0.9).within_group(what)


def _with_rates(row: Row) -> dict[str, Any]:
    """The row with its rates: shares of the files that have their end, None where no file has."""
    ended = row["files"] - row["in_progress"] - row["cancelled"]
    rates = {f"{name}_rate": row[name] / ended if ended else None for name in ("duplicate", "rejected", "failed")}
    times = {name: row.get(name) for name in ("image_s", "image_s_p90", "hash_s", "hash_s_p90")}
    plain = {name: value for name, value in row.items() if name not in ("whole", *times)}
    return {name: _rounded(value) for name, value in (plain | times | rates).items()}


def _rounded(value: object) -> object:
    return round(value, 4) if isinstance(value, float) else value
