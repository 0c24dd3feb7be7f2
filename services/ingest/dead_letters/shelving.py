"""Putting dead letters aside and taking them back; notes. Nothing is deleted here: see `purging.py`, some months on."""

from collections.abc import Collection, Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import Engine, case, select, update

from services.ingest.dead_letter_tables import OPEN, dead_letters
from services.ingest.dead_letters.auditing import Run
from services.ingest.dead_letters.finding import Filter
from services.ingest.many_ids import any_of
from services.ingest.tables import CLOCK
from shared.database import transaction

MAY_BE_DISCARDED, MAY_BE_RESTORED = OPEN, ("discarded",)

letter = dead_letters.c


def discard(engine: Engine, wanted: Filter, run: Run, why: str) -> int:
    """Put aside the letters that wait for somebody. Their files stay failed."""
    values = {"status": "discarded", "outcome": why}
    return _set(engine, wanted, run, MAY_BE_DISCARDED, values, why)


def restore(engine: Engine, wanted: Filter, run: Run) -> int:
    """Take back what was discarded."""
    before = case((letter.replay_of.is_not(None), "dead_again"), else_="dead")
    return _set(engine, wanted, run, MAY_BE_RESTORED, {"status": before, "outcome": "taken back"}, "taken back")


def note(engine: Engine, wanted: Filter, run: Run, text: str) -> int:
    """Write something on letters, whatever their status; an empty text takes it away."""
    with transaction(engine) as connection:
        run.begin(connection, wanted.given(), 0)
        in_order = select(letter.id).where(wanted.where()).order_by(letter.id).with_for_update()
        ids = connection.execute(in_order).scalars().all()
        connection.execute(update(dead_letters).where(any_of(letter.id, ids)).values(note=text or None))
        run.end(connection, {"matched": len(ids), "noted": len(ids)}, text)
    return len(ids)


def _set(
    engine: Engine, wanted: Filter, run: Run, statuses: Collection[str], values: Mapping[str, Any], words: str
) -> int:
    with transaction(engine) as connection:
        fitting = select(letter.id).where(wanted.where(), letter.status.in_(statuses)).order_by(letter.id)
        letter_ids: list[UUID] = list(connection.execute(fitting.with_for_update()).scalars())
        run.begin(connection, wanted.given(), len(letter_ids))
        change = update(dead_letters).where(any_of(letter.id, letter_ids))
        connection.execute(change.values(**values, status_at=CLOCK, status_by=run.who))
        for letter_id in letter_ids:
            run.note(connection, letter_id, run.action, words)
        run.end(connection, {run.action: len(letter_ids)}, words)
    return len(letter_ids)
