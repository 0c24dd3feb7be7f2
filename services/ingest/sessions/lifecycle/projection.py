"""From item events to rows: what every file's state is, and the session events that tell it.

Each change is a compare-and-set on (generation, stage rank): a repeated, late or overtaken event changes nothing and
emits nothing, whatever the order of arrival.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from typing import Any
from uuid import UUID, uuid5

import structlog
from sqlalchemy import ARRAY, Connection, Engine, Row, Uuid, any_, bindparam, select, update

from services.ingest.sessions.lifecycle import timeline
from services.ingest.sessions.lifecycle.file_transitions import File, StateReport, count_changes, told_of
from services.ingest.sessions.lifecycle.session_transitions import Happening
from services.ingest.sessions.outgoing.outbox import owe
from services.ingest.sessions.progress.delays import over
from services.ingest.sessions.states import LISTING_RANKS, UNSTORED
from services.ingest.sessions.tables import NOW, items, listings, sessions
from shared.contracts import Blob, ItemEvent, MockupsRequested
from shared.database import transaction
from shared.together import Together

log = structlog.get_logger()

# Statements that run for every event are made once: making one takes longer than its answer. Their lists are one
# parameter each, or each length would be another statement to SQLAlchemy, and be planned anew by PostgreSQL.
THESE = any_(bindparam("these", type_=ARRAY(Uuid)))
LOCK = select(items).where(items.c.id == THESE).order_by(items.c.session_id, items.c.index).with_for_update()
WRITE = update(items).where(items.c.id == bindparam("this")).values(updated_at=NOW)
REQUESTED = (
    select(listings)
    .where(listings.c.item_id == THESE, listings.c.state == "requested")
    .order_by(listings.c.item_id, listings.c.mockup_id)
)
REQUESTED_LOCKED = REQUESTED.with_for_update()

LISTING_COUNTS = {"rendered": "rendered", "listed": "listed", "failed": "listing_failed"}


@dataclass(frozen=True)
class Projection:
    """The rows of ingest as the events of the other services change them."""

    engine: Engine
    wake: Callable[[], None] = lambda: None
    """Called when something is done or owed, as a message that waits for its turn may go out now."""

    def file_is(
        self,
        event: ItemEvent,
        state: str,
        *,
        reason: str | None = None,
        columns: Mapping[str, Any] | None = None,
        facts: Mapping[str, Any] | None = None,
    ) -> None:
        """A file came to a state. Listings that wait for a file which will not be stored fail with its reason.

        What several threads tell of one session at a time is one transaction: it waits for the session's row anyway.
        """
        self._together.do(event.session_id, StateReport(event, state, reason, columns or {}, facts or {}))

    @cached_property
    def _together(self) -> Together[StateReport]:
        return Together(self._files_are)

    def _files_are(self, reports: Sequence[StateReport]) -> None:
        with transaction(self.engine) as connection:
            # Rows are locked in the order of docs/reliability.md: item, listing, session.
            files = _locked(connection, {each.event.item_id for each in reports})
            was = {item_id: file.state for item_id, file in files.items()}
            taken = [
                (file, each, happening)
                for each in reports
                if (file := files.get(each.event.item_id)) and (happening := file.take(each))
            ]
            _write(connection, files.values())  # also those of which there is nothing to tell: generations count
            if not taken:
                return
            given_up = {file.id: each for file, each, _ in taken if each.state in UNSTORED}
            orphaned = _requested_listings(connection, given_up, lock=True)
            _append(connection, [(file.row.session_id, happening) for file, _, happening in taken])
            if at_work := {each.event.stage for _, each, _ in taken if each.state not in ("failed", "rejected")}:
                over(connection, {*at_work, "ingest"}, taken[0][0].row.session_id)
            for file, each, _ in taken:
                if each.state == "failed":
                    _log("a file has failed", file.row.filename, file.row.session_id, each.reason)
            for row in orphaned:
                end = given_up[row.item_id]
                self._set_listing(connection, row, end.event, "failed", f"the design was not stored: {end.reason}", {})
            self._owe_mockups(connection, {file.id for file, each, _ in taken if each.state == "stored"})
        if any(was[file.id] == "received" or each.state == "stored" for file, each, _ in taken):
            self.wake()

    def listing_is(
        self,
        event: ItemEvent,
        mockup_id: UUID | None,
        state: str,
        *,
        reason: str | None = None,
        columns: Mapping[str, Any] | None = None,
    ) -> None:
        """A design's listing came to a state. Without a mockup id: every unfinished listing of the design."""
        with transaction(self.engine) as connection:
            of_item = select(listings).where(listings.c.item_id == event.item_id)
            of_item = of_item.order_by(listings.c.mockup_id).with_for_update()
            if mockup_id is not None:
                of_item = of_item.where(listings.c.mockup_id == mockup_id)
            for row in connection.execute(of_item).all():
                if _newer(event.generation, LISTING_RANKS[state], row):
                    self._set_listing(connection, row, event, state, reason, columns or {})
        if state in ("listed", "failed"):
            self.wake()

    def _owe_mockups(self, connection: Connection, item_ids: Collection[UUID]) -> None:
        """Ask for the mockups of designs that are stored now: for their listings that were asked for before that."""
        for row in _requested_listings(connection, item_ids):
            item = connection.execute(select(items).where(items.c.id == row.item_id)).one()
            lane = connection.execute(select(sessions.c.lane).where(sessions.c.id == item.session_id)).scalar_one()
            owe(connection, lane, mockups_requested(item, row), message_id=request_id(row))

    def _set_listing(
        self,
        connection: Connection,
        row: Row[Any],
        event: ItemEvent,
        state: str,
        reason: str | None,
        columns: Mapping[str, Any],
    ) -> None:
        connection.execute(
            update(listings)
            .where(listings.c.item_id == row.item_id, listings.c.mockup_id == row.mockup_id)
            .values(
                state=state,
                stage_rank=LISTING_RANKS[state],
                generation=max(event.generation, row.generation),  # its design's may be behind: tried anew less often
                reason=reason,
                cancelled=False,
                updated_at=NOW,
                **columns,
            )
        )
        changes = count_changes(LISTING_COUNTS.get(row.state), LISTING_COUNTS[state])
        changes |= {"listing_cancelled": -1} if row.cancelled else {}
        facts = told_of(event, listing_state=state, reason=reason)
        kind = "listing_failed" if state == "failed" else state
        if state == "failed":
            _log("a listing has failed", event.filename, row.session_id, reason)
        timeline.append(connection, row.session_id, kind, changes, item_id=event.item_id, facts=facts)
        if state != "failed":  # after the session's row, which whoever ends waits has locked
            over(connection, {event.stage, "ingest"}, row.session_id)


def _locked(connection: Connection, item_ids: Collection[UUID]) -> dict[UUID, File]:
    return {row.id: File.of(row) for row in connection.execute(LOCK, {"these": list(item_ids)})}


def _write(connection: Connection, files: Iterable[File]) -> None:
    """Write the files that changed: all that changed in the same columns with one statement."""
    changed = sorted((file for file in files if file.changes), key=lambda file: sorted(file.changes))
    for _, alike in groupby(changed, key=lambda file: sorted(file.changes)):
        connection.execute(WRITE, [{"this": file.id, **file.changes} for file in alike])


def _append(connection: Connection, happened: Sequence[tuple[UUID, Happening]]) -> None:
    """Tell what happened, session by session: as a rule all of it is of one."""
    for session_id in sorted({session_id for session_id, _ in happened}):
        timeline.append_all(connection, session_id, [what for of, what in happened if of == session_id])


def _requested_listings(
    connection: Connection, item_ids: Collection[UUID], *, lock: bool = False
) -> Sequence[Row[Any]]:
    if not item_ids:
        return ()
    return connection.execute(REQUESTED_LOCKED if lock else REQUESTED, {"these": list(item_ids)}).all()


def _log(what: str, filename: str, session_id: UUID, reason: str | None) -> None:
    """Most failures have no dead letter: without this line, sellers would be the first to notice a dying disk."""
    log.warning(what, filename=filename, session_id=str(session_id), reason=reason)


def request_id(listing: Row[Any]) -> UUID:
    """The id of the message that asks for a listing's mockups: one per listing and generation."""
    return uuid5(listing.item_id, f"mockups:{listing.mockup_id}:{listing.generation}")


def mockups_requested(item: Row[Any], listing: Row[Any]) -> MockupsRequested:
    """The message that asks for the mockups of a stored design, with the template as it was when it was asked for."""
    return MockupsRequested(
        tenant_id=item.user_id,
        session_id=listing.session_id,
        item_id=item.id,
        index=item.index,
        generation=listing.generation,
        filename=item.filename,
        mockup_id=listing.mockup_id,
        design=Blob(sha256=item.print_sha256, size=item.print_size),
        design_name=item.name,
        number=item.number,
        digital=item.is_digital,
        **listing.request,
    )


def _newer(generation: int, rank: int, row: Row[Any]) -> bool:
    known = (row.generation, row.stage_rank)
    return (generation, rank) > known
