"""Cancelling: what is not finished ends as failed, in words; what is stored or listed stays so; nothing more is sent.

A duplicate is not finished before its original is stored: until then it is cancelled with a whole upload, too.

One transaction. Whoever has some of the work in hand hears of it (`WorkCancelled`), and what they still answer changes
nothing any more; only a design that had reached the NAS by then is stored, and a listing that the shop has is listed.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Row, case, cast, delete, func, select, update
from sqlalchemy.dialects.postgresql import JSONB

from services.ingest.many_ids import any_of
from services.ingest.sessions.actions.cancel_result import FACTS, Cancelled, cancel_reason, reason_of
from services.ingest.sessions.intake.submitting import uploaded_file
from services.ingest.sessions.lifecycle import timeline
from services.ingest.sessions.lifecycle.duplicate_originals import is_copy_of
from services.ingest.sessions.lifecycle.file_transitions import told_of
from services.ingest.sessions.lifecycle.projection import request_id
from services.ingest.sessions.lifecycle.session_transitions import Happening
from services.ingest.sessions.outgoing.fairness import BATCH, MOCKUPS
from services.ingest.sessions.outgoing.outbox import AHEAD, owe
from services.ingest.sessions.progress.workload import weight
from services.ingest.sessions.states import (
    CANCELLED,
    IN_WORK,
    KEEP,
    LISTING_IN_WORK,
    LISTING_RANKS,
    RANKS,
    UNSTORED,
    WAITING,
)
from services.ingest.sessions.tables import NOW, items, listings, outbox, sessions
from shared.contracts import WorkCancelled


def cancel(connection: Connection, session_id: UUID, item_id: UUID | None, reason: str) -> Cancelled:
    """Cancel what is unfinished of a session, or of one of its files. A repeat cancels what is unfinished by then."""
    whole = item_id is None
    session = _session(connection, session_id, whole=whole)
    files = _unsettled(connection, session_id, item_id)
    asked = _pending(connection, session_id, item_id)
    happened = [Happening("cancelled", facts={"reason": reason})] if whole and (files or asked) else []
    happened += [_file_failed(row, reason_of(row, reason)) for row in files]
    happened += [_end_listing(connection, row, reason) for row in asked]
    if files:
        _end_files(connection, files, reason)
    ended = False
    if whole:
        working = update(sessions).where(sessions.c.id == session_id, sessions.c.state != "finished")
        ended = bool(connection.execute(working.values(cancelled_at=NOW)).rowcount)
    at_hand = _at_hand(connection, session_id, files)
    if happened:
        timeline.append_all(connection, session_id, happened)
        _tell(connection, session, files, asked, reason)
    if happened or whole:  # a batch may wait of a file that has its end: one that is kept though it is a duplicate
        _take_back(connection, session_id, files, asked, whole=whole)
    if whole:
        timeline.finish(connection, session_id)
    stored = _stored(connection, session_id, item_id)
    return Cancelled(len(files), len(asked), stored, at_hand, _at_shop(connection, asked), ended)


def cancel_of_deleted(connection: Connection, item_id: UUID) -> Cancelled:
    """Cancel the listings under way of a stored design that its owner has just deleted; its row is locked by then."""
    session_id = connection.execute(select(items.c.session_id).where(items.c.id == item_id)).scalar_one()
    cancelled = cancel(connection, session_id, item_id, f"its design was deleted: {cancel_reason('you')}")
    return replace(cancelled, stored=0)  # that it was stored is told by its deletion


def unfinished(connection: Connection, session_id: UUID, item_id: UUID | None) -> Cancelled:
    """What `cancel` would end, as it stands now."""
    files = _number_of(connection, _of_files(session_id, item_id, IN_WORK))
    files += _number_of(connection, _copies_of_unstored(session_id)) if item_id is None else 0
    asked = _number_of(connection, _of_listings(session_id, item_id))
    return Cancelled(files, asked, _stored(connection, session_id, item_id))


def _at_hand(connection: Connection, session_id: UUID, files: Sequence[Row[Any]]) -> int:
    """How many of these files may be in storage's hands: what we have heard of them is of a while ago."""
    unheard_of = {(str(row.id), row.generation) for row in files if row.state == "received"}
    begun = sum(row.state in ("hashed", "accepted") for row in files)
    if not unheard_of:
        return begun
    sent = (outbox.c.session_id == session_id, outbox.c.type == BATCH, outbox.c.sent_at.is_not(None))
    batches = connection.execute(select(outbox.c.data["files"]).where(*sent)).scalars()
    of_batches = (file for batch in batches for file in batch or ())
    return begun + len(unheard_of & {(file.get("item_id"), file.get("generation", 0)) for file in of_batches})


def _at_shop(connection: Connection, asked: Sequence[Row[Any]]) -> int:
    """How many of these listings the shop may be making, as what was not sent has been taken back by now.

    One whose request was sent may be there by now: of its mockups we hear later than the publisher.
    """
    rendered: int = sum(row.state == "rendered" for row in asked)
    requests = [request_id(row) for row in asked if row.state == "requested"]
    return rendered + (_number_of(connection, any_of(outbox.c.id, requests)) if requests else 0)


def _session(connection: Connection, session_id: UUID, *, whole: bool) -> Row[Any]:
    """The session. One without files is locked, so that nobody submits them meanwhile.

    If somebody has done so while we waited, the lock is let go: files come before their session (docs/reliability.md).
    """
    mine = select(sessions).where(sessions.c.id == session_id)
    found = connection.execute(mine).one()
    if whole and found.submitted_at is None:
        locking = connection.begin_nested()
        found = connection.execute(mine.with_for_update()).one()
        if found.submitted_at is not None:
            locking.rollback()
    return found


def _unsettled(connection: Connection, session_id: UUID, item_id: UUID | None) -> Sequence[Row[Any]]:
    """The files to cancel, locked: with a whole upload, duplicates as well whose originals are not stored.

    Rows are locked before that is asked: an original of the same upload can't be stored meanwhile. Of a whole upload
    all are, in whatever state: who tries some of it again at this moment, or asks for its listings, has them locked,
    and what they begin is seen only when they are waited for.
    """
    if item_id is not None:
        wanted = _of_files(session_id, item_id, IN_WORK)
        return connection.execute(select(items).where(wanted).with_for_update()).all()
    all_of_it = select(items).where(items.c.session_id == session_id).order_by(items.c.index)
    rows = connection.execute(all_of_it.with_for_update()).all()
    if not any(row.state == "duplicate" for row in rows):
        return [row for row in rows if row.state in IN_WORK]
    copies = set(connection.execute(select(items.c.id).where(_copies_of_unstored(session_id))).scalars())
    return [row for row in rows if row.state in IN_WORK or row.id in copies]


def _pending(connection: Connection, session_id: UUID, item_id: UUID | None) -> Sequence[Row[Any]]:
    wanted = select(listings).where(_of_listings(session_id, item_id))
    return connection.execute(wanted.order_by(listings.c.item_id, listings.c.mockup_id).with_for_update()).all()


def _file_failed(row: Row[Any], reason: str) -> Happening:
    changes = {"failed": 1, "cancelled": 1} | ({} if row.state == "received" else {row.state: -1})
    changes |= {"to_review": -1} if row.review == WAITING else {}
    facts = told_of(row, state="failed", reason=reason, **FACTS)
    return Happening("failed", changes, row.id, facts, weight(row.size))


def _end_listing(connection: Connection, row: Row[Any], reason: str) -> Happening:
    ended = {"state": "failed", "stage_rank": LISTING_RANKS["failed"], "reason": reason, "cancelled": True}
    mine = (listings.c.item_id == row.item_id) & (listings.c.mockup_id == row.mockup_id)
    connection.execute(update(listings).where(mine).values(**ended, updated_at=NOW))
    item = connection.execute(select(items.c.index, items.c.filename).where(items.c.id == row.item_id)).one()
    changes = {"listing_failed": 1, "listing_cancelled": 1} | ({} if row.state == "requested" else {row.state: -1})
    facts = told_of(item, listing_state="failed", reason=reason, code=CANCELLED)
    return Happening("listing_failed", changes, row.item_id, facts)


def _end_files(connection: Connection, files: Sequence[Row[Any]], reason: str) -> None:
    facts, kept = items.c.facts.op("||")(cast(FACTS, JSONB)), items.c.review == KEEP
    ended = {"state": "failed", "stage_rank": RANKS["failed"], "facts": facts, "updated_at": NOW}
    # Nobody is asked about it any more.
    ended |= {column.name: case((kept, column)) for column in (items.c.review, items.c.pair)}
    alike: dict[str, list[UUID]] = {}
    for row in files:
        alike.setdefault(reason_of(row, reason), []).append(row.id)
    for why, ids in alike.items():
        connection.execute(update(items).where(items.c.id.in_(ids)).values(**ended, reason=why))


def _take_back(
    connection: Connection, session_id: UUID, files: Sequence[Row[Any]], asked: Sequence[Row[Any]], *, whole: bool
) -> None:
    """Take back what is owed and not sent. A message that is being sent just now is waited for, and counts as sent."""
    unsent = (outbox.c.session_id == session_id, outbox.c.sent_at.is_(None))
    if whole:
        work = outbox.c.type.in_((BATCH, MOCKUPS, "ImageRejected"))
        connection.execute(delete(outbox).where(*unsent, work))
        return
    gone = [str(row.id) for row in files] + [str(row.item_id) for row in asked]
    single = outbox.c.type.in_((MOCKUPS, "ImageRejected"))
    connection.execute(delete(outbox).where(*unsent, single, outbox.c.data["item_id"].astext.in_(gone)))
    batches = select(outbox.c.id, outbox.c.data).where(*unsent, outbox.c.type == BATCH).with_for_update()
    for row in connection.execute(batches).all():  # as data: another release's are among them, perhaps
        batch, this = row.data.get("files", []), outbox.c.id == row.id
        left = [file for file in batch if file.get("item_id") not in gone]
        if batch and not left:
            connection.execute(delete(outbox).where(this))
        elif len(left) < len(batch):
            connection.execute(update(outbox).where(this).values(data={**row.data, "files": left}))


def _tell(
    connection: Connection, session: Row[Any], files: Sequence[Row[Any]], asked: Sequence[Row[Any]], reason: str
) -> None:
    """Tell the services that may have cancelled work in hand, past their queues."""
    news = WorkCancelled(
        tenant_id=session.user_id,
        session_id=session.id,
        reason=reason,
        files=tuple(uploaded_file(row) for row in files),
        listings=tuple((row.item_id, row.mockup_id, row.generation) for row in asked),
    )
    owe(connection, AHEAD, news, outlives=True)


def _stored(connection: Connection, session_id: UUID, item_id: UUID | None) -> int:
    return _number_of(connection, _of_files(session_id, item_id, ("stored",)))


def _of_files(session_id: UUID, item_id: UUID | None, states: Sequence[str]) -> ColumnElement[bool]:
    mine = (items.c.session_id == session_id) & items.c.state.in_(states)
    return mine if item_id is None else mine & (items.c.id == item_id)


def _copies_of_unstored(session_id: UUID) -> ColumnElement[bool]:
    """Duplicates whose originals are not stored, or not yet: each would be stored itself if its original failed."""
    return (items.c.session_id == session_id) & is_copy_of((*IN_WORK, *UNSTORED))


def _of_listings(session_id: UUID, item_id: UUID | None) -> ColumnElement[bool]:
    """The listings that are still in work."""
    mine = (listings.c.session_id == session_id) & listings.c.state.in_(LISTING_IN_WORK)
    return mine if item_id is None else mine & (listings.c.item_id == item_id)


def _number_of(connection: Connection, which: ColumnElement[bool]) -> int:
    return connection.execute(select(func.count()).where(which)).scalar_one()
