"""Trying anew what failed, as the next generation: the one way back from an end state, for sellers and operators.

Rows, counts, events and the messages that start the work are one transaction, and `state = 'failed'` in each update is
what makes two askers at once one. Rows are locked in the order of docs/reliability.md: item, listing, letter, session.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, case, func, select, true, update

from services.ingest.dead_letter_tables import OPEN, dead_letters
from services.ingest.sessions.intake.submitting import failed_before, owe_files
from services.ingest.sessions.lifecycle import timeline
from services.ingest.sessions.lifecycle.file_transitions import TOLD_AGAIN, told_of
from services.ingest.sessions.lifecycle.projection import mockups_requested, request_id
from services.ingest.sessions.lifecycle.session_transitions import Happening
from services.ingest.sessions.outgoing.outbox import owe
from services.ingest.sessions.progress.workload import weight
from services.ingest.sessions.states import KEEP, UNSTORED, WAITING, is_cancelled
from services.ingest.sessions.tables import NOW, items, listings, sessions
from services.ingest.tables import CLOCK

Group = tuple[UUID, UUID]
"""A product template and a mockup group."""

BeforeAndAfter = tuple[Row[Any], Row[Any]]
"""A row as it was before it was taken up again, and as it is now."""

ANEW = {"stage_rank": 0, "reason": None, "updated_at": NOW}


@dataclass(frozen=True)
class Reopened:
    """What was taken up again: the files, and the listings of designs that are stored."""

    files: Sequence[Row[Any]]
    listings: Sequence[Row[Any]]

    def __bool__(self) -> bool:
        return bool(self.files or self.listings)


def reopen(
    connection: Connection,
    session_id: UUID,
    hashers: int | None,
    who: str,
    *,
    item_ids: Collection[UUID] | None = None,
    mockup_id: UUID | None = None,
    requests: Mapping[Group, Mapping[str, Any]] = MappingProxyType({}),
    keeping: bool = False,
) -> Reopened:
    """Take up again what failed in a session: all of it, or of these items. With a mockup id: only that listing.

    `keeping`: not what failed, but near duplicates, which somebody wants to keep, and which are so marked from now on.

    A listing asks for what it asked before, or for what `requests` has for its template and mockup group now.
    The work is shared out among so many `hashers`; None: the caller owes it himself.

    The session needs no state of its own for that: by its counts, `timeline.append_all` sets it `working` again.
    """
    session = connection.execute(select(sessions).where(sessions.c.id == session_id)).one_or_none()
    if session is None:
        return Reopened((), ())
    rows = _locked(connection, session_id, item_ids)
    files = [] if mockup_id else _files_anew(connection, rows, "duplicate" if keeping else "failed")
    in_their_way = _ended_before(connection, session_id, files) if hashers is not None else []
    of_files = _listings_anew(connection, [row.id for row in files], requests)
    designs = {row.id: row for row in rows if row.state == "stored" and row.is_active}
    of_designs = _listings_anew(connection, designs, requests, mockup_id)
    asked = [row for _, row in of_designs]
    _letters_follow(connection, files, asked, who)
    _tell(connection, session_id, rows, files, [*of_files, *of_designs], who)
    if hashers is not None:
        owe_files(connection, session, files, hashers)
        for row in in_their_way:
            owe(connection, session.lane, failed_before(row))
        for row in asked:
            owe(connection, session.lane, mockups_requested(designs[row.item_id], row), message_id=request_id(row))
    return Reopened(files, asked)


def _locked(connection: Connection, session_id: UUID, item_ids: Collection[UUID] | None) -> Sequence[Row[Any]]:
    """The items. Those whose listings failed are locked as well: whoever asks for listings locks them first."""
    of_these = items.c.session_id == session_id
    if item_ids is not None:
        of_these &= items.c.id.in_(item_ids)
    return connection.execute(select(items).where(of_these).order_by(items.c.index).with_for_update()).all()


def _ended_before(connection: Connection, session_id: UUID, files: Sequence[Row[Any]]) -> Sequence[Row[Any]]:
    """Files before the last of these that have no design, and of which nobody was told once more; now they are marked.

    Storage numbers a file when it knows the end of all files before it. What made them fail may keep the word of it
    waiting in a retry queue for minutes after it is mended; or it died, or was lost, when nobody waited for it yet.
    """
    last = max((row._mapping["index"] for row in files), default=-1)
    ended = select(items.c.id).where(items.c.session_id == session_id, items.c.state.in_(UNSTORED))
    unheard = ended.where(items.c.index < last, ~items.c.facts.has_key(TOLD_AGAIN))
    # Whoever holds one takes it up again just now.
    ids = connection.execute(unheard.with_for_update(skip_locked=True)).scalars().all()
    marked = items.c.facts.concat(func.jsonb_build_object(TOLD_AGAIN, true()))
    return connection.execute(update(items).where(items.c.id.in_(ids)).values(facts=marked).returning(items)).all()


def _tell(
    connection: Connection,
    session_id: UUID,
    rows: Sequence[Row[Any]],
    files: Sequence[Row[Any]],
    asked: Sequence[BeforeAndAfter],
    who: str,
) -> None:
    """Tell what happened to files and listings. `rows` are the items as they were before."""
    before = {row.id: row for row in rows}
    happened = _files_retold([(before[row.id], row) for row in files], who)
    timeline.append_all(connection, session_id, happened + _listings_retold(before, asked))


def _files_retold(files: Sequence[BeforeAndAfter], who: str) -> list[Happening]:
    """What happened to files that were taken up again: the counts that change, and what is told."""
    happened = []
    for was, row in files:
        facts = told_of(row, state="received", generation=row.generation)
        kind, less = "retried", {was.state: -1}
        less |= {"cancelled": -1} if is_cancelled(was.state, was.facts) else {}
        if was.state == "duplicate":
            kind, facts = "kept", facts | {"by": who}
            less |= {"to_review": -1} if was.review == WAITING else {}
        happened.append(Happening(kind, less, row.id, facts, weight(row.size)))
    return happened


def _listings_retold(by_id: Mapping[UUID, Row[Any]], asked: Sequence[BeforeAndAfter]) -> list[Happening]:
    """What happened to listings that were taken up again. `by_id` has their items."""
    happened = []
    for was, row in asked:
        item = by_id[row.item_id]
        facts = told_of(item, listing_state="requested")
        less = {"listing_failed": -1} | ({"listing_cancelled": -1} if was.cancelled else {})
        happened.append(Happening("listing_retried", less, item.id, facts))
    return happened


def _files_anew(connection: Connection, rows: Sequence[Row[Any]], state: str) -> Sequence[Row[Any]]:
    """Of these items, those in this state: received once more, in upload order."""
    # What was refused on receipt will be so again; everything else that was found out, the next try finds out anew.
    refused = case(
        (items.c.facts.has_key("refused"), func.jsonb_build_object("refused", items.c.facts["refused"])),
        else_=func.jsonb_build_object(),
    )
    these = (items.c.id.in_([row.id for row in rows if row.state == state]), items.c.state == state)
    anew = update(items).where(*these).values(state="received", generation=items.c.generation + 1, facts=refused)
    if state == "duplicate":
        seen = items.c.facts.concat(func.jsonb_build_object("reason", items.c.reason))  # before there were pairs
        anew = anew.values(review=KEEP, pair=func.coalesce(items.c.pair, seen))
    return sorted(connection.execute(anew.values(**ANEW).returning(items)).all(), key=lambda row: row._mapping["index"])


def _listings_anew(
    connection: Connection,
    item_ids: Collection[UUID],
    requests: Mapping[Group, Mapping[str, Any]],
    mockup_id: UUID | None = None,
) -> Sequence[BeforeAndAfter]:
    """Of these items, the listings that failed: asked for once more. With a mockup id: only that one."""
    failed = select(listings).where(listings.c.item_id.in_(item_ids), listings.c.state == "failed")
    if mockup_id:
        failed = failed.where(listings.c.mockup_id == mockup_id)
    rows = connection.execute(failed.order_by(listings.c.item_id, listings.c.mockup_id).with_for_update()).all()
    anew = {"state": "requested", "generation": listings.c.generation + 1, "cancelled": False, **ANEW}
    found: list[BeforeAndAfter] = []
    for row in rows:
        this = (listings.c.item_id == row.item_id, listings.c.mockup_id == row.mockup_id)
        request = requests.get((row.template_id, row.mockup_id), row.request)
        again = update(listings).where(*this).values(**anew, request=request).returning(listings)
        found.append((row, connection.execute(again).one()))
    return found


def _letters_follow(connection: Connection, files: Sequence[Row[Any]], asked: Sequence[Row[Any]], who: str) -> None:
    """The dead letters about them are being replayed with them, whoever asked for it."""
    generations: dict[tuple[UUID, UUID | None], int] = {(row.id, None): row.generation for row in files}
    generations |= {(row.item_id, row.mockup_id): row.generation for row in asked}
    letter = dead_letters.c
    about = letter.item_id.in_({item_id for item_id, _ in generations})
    open_ones = select(letter.id, letter.item_id, letter.mockup_id).where(about, letter.status.in_(OPEN))
    followers: dict[int, list[UUID]] = {}
    for row in connection.execute(open_ones.order_by(letter.id).with_for_update()).all():
        if (generation := generations.get((row.item_id, row.mockup_id))) is not None:
            followers.setdefault(generation, []).append(row.id)
    values = {"status": "replaying", "outcome": "taken up again", "status_at": CLOCK, "status_by": who}
    for generation, ids in followers.items():
        these = update(dead_letters).where(letter.id.in_(ids))
        connection.execute(these.values(**values, replay_id=func.gen_random_uuid(), target_generation=generation))
