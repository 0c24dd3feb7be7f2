"""How often something may be tried. Counted in the database, so that every replica counts the same."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import Connection, delete, func, insert, select, text

from services.ingest.tables import attempts

SECONDS = {"second": 1, "minute": 60, "hour": 3600, "day": 86400}
KEPT = timedelta(days=1)


class Rate(NamedTuple):
    """So many times in so many seconds."""

    times: int
    seconds: int


def rate(words: object) -> object:
    """'5/hour' as a Rate; 'off' and '' as None. A Rate or None stays what it is."""
    if not isinstance(words, str):
        return words
    if words.strip().lower() in ("off", ""):
        return None
    found = re.fullmatch(r"\s*([1-9][0-9]{0,5})\s*/\s*(second|minute|hour|day)s?\s*", words.lower())
    if not found:
        raise ValueError(f"write it as 5/hour (second, minute, hour or day), or off; not {words!r}")
    return Rate(int(found[1]), SECONDS[found[2]])


@dataclass(frozen=True)
class Attempts:
    """What was tried within the last day at most."""

    connection: Connection

    def take(self, kind: str, subject: str, limit: Rate, now: datetime) -> bool:
        """Count one more attempt, unless there were enough already: then False.

        Counting comes before the attempt, under a lock, so that guesses sent all at once don't slip through.
        """
        lock = text("SELECT pg_advisory_xact_lock(hashtextextended(:subject, 0))")  # docs/reliability.md, "Locks"
        self.connection.execute(lock, {"subject": f"{kind} {subject}"})
        self.connection.execute(delete(attempts).where(attempts.c.at < now - KEPT))
        recent = (
            select(func.count())
            .select_from(attempts)
            .where(attempts.c.kind == kind, attempts.c.subject == subject)
            .where(attempts.c.at > now - timedelta(seconds=limit.seconds))
        )
        if self.connection.execute(recent).scalar_one() >= limit.times:
            return False
        self.connection.execute(insert(attempts).values(kind=kind, subject=subject, at=now))
        return True

    def forgive(self, kind: str, subject: str) -> None:
        """Forget a subject's attempts: it has proved itself."""
        self.connection.execute(delete(attempts).where(attempts.c.kind == kind, attempts.c.subject == subject))
