"""How replays end, read from the rows: a letter whose file ended well is resolved; one that failed is dead again.

A letter whose file was cancelled is resolved, too.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Engine, and_, case, exists, func, literal, or_, select, text, update

from services.ingest.dead_letter_tables import OPEN, dead_letters
from services.ingest.dead_letters.replaying import IN_WORK, OTHERS_WAIT
from services.ingest.many_ids import any_of
from services.ingest.sessions.actions.cancel_result import WAS_CANCELLED
from services.ingest.sessions.tables import items, listings, outbox
from services.ingest.tables import CLOCK
from shared.database import transaction

QUIET_S = 1200
"""All retries together take 17 minutes. What an outage held for longer may die after all: see `archive._replayed`."""

ENDED = ("stored", "duplicate", "rejected")

letter = dead_letters.c


def settle(engine: Engine, quiet_s: float = QUIET_S) -> int:
    """Give every letter whose end can be seen its status; returns how many. Any process may do it, at any time.

    Each statement is a transaction: one that comes later may want letters that are before those of an earlier one.
    """
    with transaction(engine.execution_options(isolation_level="AUTOCOMMIT")) as connection:
        return _files(connection) + _listings(connection) + _redelivered(connection, quiet_s)


def _files(connection: Connection) -> int:
    about = and_(letter.item_id == items.c.id, letter.mockup_id.is_(None), ~OTHERS_WAIT)
    return _cancelled(connection, about) + _ended(connection, about, items.c)


def _cancelled(connection: Connection, about: ColumnElement[bool]) -> int:
    """Nobody is to take up what its seller cancelled. A letter of ingest stays: it may say that the file is stored."""
    heard = letter.service != "ingest"
    over = (about, WAS_CANCELLED, heard, letter.status.in_((*OPEN, "replaying")))
    return _become(connection, over, "resolved", func.concat("nobody wants what it was about: ", items.c.reason))


def _listings(connection: Connection) -> int:
    about = and_(letter.item_id == listings.c.item_id, letter.mockup_id == listings.c.mockup_id)
    return _ended(connection, about, listings.c)


def _ended(connection: Connection, about: ColumnElement[bool], row: Any) -> int:  # noqa: ANN401 - a table's columns
    has_its_answer = row.state.not_in((*IN_WORK, "failed"))
    ended_well = (about, has_its_answer, letter.status.in_((*OPEN, "replaying")))
    words = func.concat("what it was about is ", row.state, func.concat(": " + row.reason))
    resolved = _become(connection, ended_well, "resolved", words)
    failed = (about, letter.status == "replaying", row.state == "failed", row.generation >= letter.target_generation)
    return resolved + _become(connection, failed, "dead_again", func.concat("it failed again: ", row.reason))


def _redelivered(connection: Connection, quiet_s: float) -> int:
    """Nobody tells of a message that is about no file; only its death would come back.

    One that was sent to another service is about a file, and while that is failed, nothing is resolved.
    """
    sent = and_(letter.replay_id == outbox.c.id, outbox.c.sent_at < func.now() - _seconds(quiet_s))
    quiet = (sent, letter.status == "replaying", letter.target_generation.is_(None))
    words = f"nothing came back within {quiet_s / 60:.0f} minutes"
    still = literal(f"{words}, and what it was about is still failed")
    again = _become(connection, (*quiet, _stands(("failed",))), "dead_again", still)
    return again + _become(connection, (*quiet, ~_stands(("failed", *IN_WORK))), "resolved", literal(words))


def _become(
    connection: Connection, which: Sequence[ColumnElement[bool]], status: str, words: ColumnElement[str]
) -> int:
    """Give these letters a status; locked in the order of all who lock several."""
    in_order = select(letter.id).where(*which).order_by(letter.id).with_for_update(of=dead_letters)
    change = update(dead_letters).where(*which, letter.id.in_(in_order.correlate(None)))
    return connection.execute(change.values(status=status, outcome=words, status_at=CLOCK)).rowcount


def _stands(states: Collection[str]) -> ColumnElement[bool]:
    """Whether the file or the listing that a letter is about has one of these states."""
    of_file = exists().where(items.c.id == letter.item_id, items.c.state.in_(states))
    its_listing = and_(listings.c.item_id == letter.item_id, listings.c.mockup_id == letter.mockup_id)
    of_listing = exists().where(its_listing, listings.c.state.in_(states))
    return or_(and_(letter.mockup_id.is_(None), of_file), of_listing)


def _seconds(seconds: float) -> ColumnElement[Any]:
    return text("make_interval(secs => :quiet)").bindparams(quiet=seconds)  # type: ignore[return-value]


@dataclass(frozen=True)
class Tally:
    """How many letters of a step ended how."""

    well: int = 0
    again: int = 0
    open: int = 0


def tally(connection: Connection, letter_ids: Collection[UUID], calm_s: float) -> Tally:
    """How the replays of these letters stand. One that no file waits for went well when it was sent `calm_s` ago.

    A file that was taken up again has come to its own end, whoever else the letter still waits for.
    """
    reopened = letter.target_generation.is_not(None)
    of_file = and_(reopened, letter.mockup_id.is_(None))
    that_try = exists().where(items.c.id == letter.item_id, items.c.generation >= letter.target_generation)
    failed_again = that_try.where(items.c.state == "failed")
    file_end = case((and_(of_file, _stands(ENDED)), "well"), (and_(of_file, failed_again), "again"))
    is_awaited = or_(reopened, _stands(("failed", *IN_WORK)))
    is_calm = outbox.c.sent_at < func.now() - _seconds(calm_s)
    columns = (letter.status, file_end.label("end"), is_awaited.label("is_awaited"), is_calm.label("is_calm"))
    rows = connection.execute(
        select(*columns)
        .join_from(dead_letters, outbox, letter.replay_id == outbox.c.id, isouter=True)
        .where(any_of(letter.id, letter_ids))
    ).all()
    replaying = [row for row in rows if row.status == "replaying"]
    again = sum(row.status in ("dead", "dead_again", "superseded") for row in rows)
    again += sum(row.end == "again" for row in replaying)
    still_open = sum(row.end is None and (row.is_awaited or not row.is_calm) for row in replaying)
    return Tally(len(rows) - again - still_open, again, still_open)


def became(connection: Connection, letter_ids: Collection[UUID]) -> dict[str, int]:
    """How what these letters were about stands now: a file or a listing by its state, anything else by its letter's."""
    file_state = select(items.c.state).where(items.c.id == letter.item_id, letter.mockup_id.is_(None)).scalar_subquery()
    its_listing = and_(listings.c.item_id == letter.item_id, listings.c.mockup_id == letter.mockup_id)
    state = func.coalesce(file_state, select(listings.c.state).where(its_listing).scalar_subquery(), letter.status)
    in_words = case((state.in_(IN_WORK), "in work"), else_=state).label("words")
    words = select(in_words).where(any_of(letter.id, letter_ids)).subquery().c.words
    counted = select(words, func.count()).group_by(words).order_by(func.count().desc(), words)
    return {row[0]: row[1] for row in connection.execute(counted).all()}


def held(connection: Connection, letter_ids: Collection[UUID]) -> int:
    """How many are replaying still only because other files of their uploads are in work (`OTHERS_WAIT`)."""
    ended = and_(any_of(letter.id, letter_ids), letter.status == "replaying", OTHERS_WAIT, _stands(ENDED))
    return connection.execute(select(func.count()).select_from(dead_letters).where(ended)).scalar_one()
