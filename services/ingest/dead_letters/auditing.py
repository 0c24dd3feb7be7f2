"""Who did what with which dead letters, when, and what came of it: written in the transaction that did it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, Connection, Text, case, cast, func, insert, literal, select, text, update

from services.ingest.dead_letter_tables import audit, dead_letters
from services.ingest.tables import CLOCK

SILENT = text("interval '60 seconds'")
"""A replay that has given no sign for so long has lost its process."""


@dataclass(frozen=True)
class Run:
    """One command of one person."""

    who: str
    action: str
    id: UUID = field(default_factory=uuid4)

    def begin(self, connection: Connection, wanted: Mapping[str, Any], matched: int) -> None:
        """Before anything is done."""
        row = {"id": self.id, "run_id": self.id, "who": self.who, "action": self.action, "seen_at": CLOCK}
        connection.execute(insert(audit).values(**row, filter=dict(wanted), counts={"matched": matched}))

    def note(self, connection: Connection, letter_id: UUID, result: str, words: str) -> None:
        """What came of one letter."""
        row = {"id": uuid4(), "run_id": self.id, "letter_id": letter_id, "who": self.who, "action": self.action}
        connection.execute(insert(audit).values(**row, result=result, words=words))

    def going_on(self, connection: Connection) -> str | None:
        """Give a sign of life; hear who wants it to stop, if anybody does."""
        mine = update(audit).where(audit.c.id == self.id).values(seen_at=CLOCK).returning(audit.c.cancelled_by)
        who: str | None = connection.execute(mine).scalar_one()
        return who

    def end(self, connection: Connection, counts: Mapping[str, int], words: str = "", result: str = "ended") -> None:
        """When it is through; a run without this was killed, and its letters' own rows say how far it came."""
        mine = update(audit).where(audit.c.id == self.id)
        added = audit.c.counts.op("||")(literal(dict(counts), audit.c.counts.type))
        connection.execute(mine.values(counts=added, result=result, words=words))


def cancel(connection: Connection, run_id: UUID, who: str) -> dict[str, Any] | None:
    """Ask a replay to stop before its next letter; how it stands then. None: there is no such run."""
    at_work = (audit.c.id == run_id, audit.c.result.is_(None), audit.c.cancelled_by.is_(None))
    connection.execute(update(audit).where(*at_work).values(cancelled_by=who))
    return run(connection, run_id)


def run(connection: Connection, run_id: UUID) -> dict[str, Any] | None:
    """One command: how it stands, and how many letters came to which result until now."""
    row = connection.execute(_RUNS.where(audit.c.id == run_id)).mappings().one_or_none()
    return None if row is None else dict(row) | {"counts": {**(row["counts"] or {}), **counts(connection, run_id)}}


def counts(connection: Connection, run_id: UUID) -> dict[str, int]:
    """How many letters of a run came to which result, by their own rows."""
    of_run = select(audit.c.result, func.count()).where(audit.c.run_id == run_id, audit.c.letter_id.is_not(None))
    rows = connection.execute(of_run.group_by(audit.c.result)).all()
    return {row[0]: row[1] for row in rows}


def runs(connection: Connection, limit: int) -> list[dict[str, Any]]:
    """The commands, newest first."""
    newest = _RUNS.where(audit.c.letter_id.is_(None)).order_by(audit.c.at.desc()).limit(limit)
    return [dict(row) for row in connection.execute(newest).mappings()]


def named(connection: Connection, name: str) -> list[UUID]:
    """The commands whose id is this, or begins so."""
    begins = cast(audit.c.id, Text).startswith(name.lower(), autoescape=True)
    return list(connection.execute(select(audit.c.id).where(begins, audit.c.letter_id.is_(None)).limit(2)).scalars())


def results(connection: Connection, run_id: UUID) -> list[dict[str, Any]]:
    """What one command did to each letter, and how that letter stands now, unless it was deleted."""
    now = (dead_letters.c.status.label("status_now"), dead_letters.c.outcome.label("outcome_now"))
    joined = audit.join(dead_letters, dead_letters.c.id == audit.c.letter_id, isouter=True)
    of_run = select(audit, *now).select_from(joined).where(audit.c.run_id == run_id, audit.c.letter_id.is_not(None))
    of_run = of_run.order_by(audit.c.at)
    return [dict(row) for row in connection.execute(of_run).mappings()]


def _state() -> ColumnElement[str]:
    """Of a command: how it ended; or that it is at work, or that its process was lost."""
    silent = func.coalesce(audit.c.seen_at, audit.c.at) < CLOCK - SILENT
    return func.coalesce(audit.c.result, case((silent, "broke off"), else_="running"))


_RUNS = select(audit, _state().label("state"))
