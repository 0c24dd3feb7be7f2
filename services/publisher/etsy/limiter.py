"""One rate for each key, shared by all processes through the database and steered by Etsy's answers."""

import hashlib
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from sqlalchemy import ColumnElement, Engine, Row, case, false, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from services.publisher.etsy.tables import keys
from services.publisher.shop import QuotaSpent
from shared.database import transaction

FIRST_PER_SECOND = 4.0  # until an answer has named Etsy's limit; the lowest that keys are known to have is 5
SHARE = 0.95  # of Etsy's limit: its seconds and ours don't begin together
LONGEST_PAUSE_S = 5.0  # longer than this nobody waits in a handler
PROBE_S = 600.0  # with the day's calls used up, one is spent so often to see whether there are some again

REMAINING = ("x-remaining-this-second", "x-remaining-this-secon")  # the second is how Etsy spells it


@dataclass(frozen=True)
class Quota:
    """What is known of a key's limits; None: no answer has said. `stopped`: how long there are no calls, in words."""

    per_second: float | None
    per_day: int | None
    remaining_today: int | None
    stopped: str | None = None


class Limiter:
    """Turns at one key. A turn is a moment that no other process has."""

    def __init__(self, engine: Engine, keystring: str, *, per_second: float, reserve: int) -> None:
        self.engine = engine
        self.key = hashlib.sha256(keystring.encode()).hexdigest()[:16]
        self.per_second = per_second
        self.reserve = reserve
        self._known = False
        self.told: datetime | None = None
        """The time at Etsy, by its last answer."""
        self.ahead = timedelta(0)
        """How far the database's clock was ahead of that then: machines' clocks may be hours wrong."""

    def wait(self, *, urgent: bool = False) -> None:
        """Return when it is our turn. `urgent` is a person's: it may use the day's reserve.

        Raises:
            QuotaSpent: not within seconds: the day's calls are used up, or Etsy asks to wait for longer.
        """
        while True:
            pause_s, granted = self._turn(urgent)
            if pause_s > LONGEST_PAUSE_S:
                raise QuotaSpent(f"Etsy takes no calls for another {_words(pause_s)}: what is to do waits, and goes on")
            time.sleep(max(pause_s, 0))
            if granted:
                return

    def heard(self, headers: Mapping[str, str]) -> None:
        """Note what an answer says of the limits, and of the time at Etsy."""
        values = {
            column: _number(headers.get(name))
            for column, name in (
                ("per_second", "x-limit-per-second"),
                ("per_day", "x-limit-per-day"),
                ("remaining_today", "x-remaining-today"),
            )
        }
        news: dict[str, object] = {column: value for column, value in values.items() if value is not None}
        if any(headers.get(name) == "0" for name in REMAINING):
            news["next_at"] = func.greatest(keys.c.next_at, func.clock_timestamp() + _seconds(1))
        if news:
            now = self._set(seen_at=func.clock_timestamp(), stopped_until=_not_ahead(), **news).seen_at
            if there := _moment(headers.get("date")):
                self.told, self.ahead = there, now - there

    def stop(self, after_s: float) -> None:
        """Etsy asked all of us to wait (429)."""
        self._set(stopped_until=func.greatest(keys.c.stopped_until, func.clock_timestamp() + _seconds(after_s)))

    def quota(self) -> Quota:
        """What is known."""
        left = func.extract("epoch", keys.c.stopped_until - func.clock_timestamp()).label("left")
        with transaction(self.engine) as connection:
            row = connection.execute(select(keys, left).where(keys.c.key == self.key)).one_or_none()
        if row is None:
            return Quota(None, None, None)
        stopped = _words(float(row.left)) if row.left > LONGEST_PAUSE_S else None
        return Quota(row.per_second, row.per_day, row.remaining_today, stopped)

    def _turn(self, urgent: bool) -> tuple[float, bool]:
        """Seconds to wait, and whether the turn after them is ours or must be asked for again.

        It is ours if Etsy has not stopped us, the day has calls left (or it is time for a probe), and the wait is one
        that somebody would wait for: else it is the next one's. A moment in the row that is ahead of the clock, further
        than any of us can have noted, is of a clock that was set back since, and counts no more.
        """
        now = func.clock_timestamp()
        rate = func.least(self.per_second, func.coalesce(keys.c.per_second * SHARE, FIRST_PER_SECOND))
        reserve = 0 if urgent else self.reserve
        spent = func.coalesce(keys.c.remaining_today <= reserve, false())
        ahead_of_clock = keys.c.seen_at > now + _seconds(1)
        has_calls = or_(~spent, keys.c.seen_at <= now - _seconds(PROBE_S), ahead_of_clock)
        turn_ahead_of_clock = keys.c.next_at > now + _seconds(PROBE_S)
        within_patience = or_(keys.c.next_at <= now + _seconds(LONGEST_PAUSE_S), turn_ahead_of_clock)
        not_stopped = or_(keys.c.stopped_until <= now, ahead_of_clock)
        mine = update(keys).where(keys.c.key == self.key, not_stopped, has_calls, within_patience)
        mine = mine.values(
            next_at=case((turn_ahead_of_clock, now), else_=func.greatest(keys.c.next_at, now)) + _seconds(1 / rate),
            remaining_today=keys.c.remaining_today - 1,
            seen_at=case((or_(spent, ahead_of_clock), now), else_=keys.c.seen_at),
            stopped_until=func.least(keys.c.stopped_until, now),
        )
        with transaction(self.engine) as connection:
            if not self._known:
                connection.execute(insert(keys).values(key=self.key).on_conflict_do_nothing())
            turn = func.extract("epoch", keys.c.next_at - now) - 1 / rate
            granted = connection.execute(mine.returning(turn)).scalar_one_or_none()
            if granted is None:
                probe = case((spent, keys.c.seen_at + _seconds(PROBE_S)))  # else nothing, which is never the greatest
                until = func.greatest(keys.c.stopped_until, keys.c.next_at, probe)
                pause = select(func.extract("epoch", until - now)).where(keys.c.key == self.key)
                pause_s = connection.execute(pause).scalar_one()
        self._known = True
        return float(pause_s if granted is None else granted), granted is not None

    def _set(self, **values: object) -> Row[Any]:
        with transaction(self.engine) as connection:
            connection.execute(insert(keys).values(key=self.key).on_conflict_do_nothing())
            change = update(keys).where(keys.c.key == self.key).values(**values)
            return connection.execute(change.returning(keys)).one()


def _not_ahead() -> ColumnElement[Any]:
    """Until when there are no calls, as far as the clock was not set back since the last answer: that is noted anew."""
    now = func.clock_timestamp()
    until = keys.c.stopped_until
    return case((keys.c.seen_at > now + _seconds(1), func.least(until, now)), else_=until)


def _seconds(value: object) -> ColumnElement[object]:
    return func.make_interval(0, 0, 0, 0, 0, 0, value)


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isdecimal() else None


def _moment(text: str | None) -> datetime | None:
    """Of a header as HTTP writes it; None if it is none, which proxies may see to."""
    try:
        found = parsedate_to_datetime(text or "")
    except ValueError:
        return None
    return found if found.tzinfo else None


def _words(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"
