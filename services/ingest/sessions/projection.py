"""From item events to rows: what every file's state is, and the session events that tell it.

Each change is a compare-and-set on (generation, stage rank): a repeated, late or overtaken event changes nothing and
emits nothing, whatever the order of arrival.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid5

import structlog
from sqlalchemy import Connection, Engine, Row, select, update

from services.ingest.sessions import timeline
from services.ingest.sessions.course import weight
from services.ingest.sessions.outbox import owe
from services.ingest.sessions.tables import NOW, items, listings, sessions
from shared.contracts import Blob, ItemEvent, MockupsRequested
from shared.database import transaction

log = structlog.get_logger()

# `stored` is last: a design that reached the NAS after somebody had given it up is stored, whatever was said before.
RANKS = {"received": 0, "hashed": 10, "accepted": 20, "duplicate": 30, "rejected": 30, "failed": 30, "stored": 40}
CANCELLED = "cancelled"
WAITING, SKIP, KEEP = "waiting", "skip", "keep"
"""What is asked about a near duplicate, or was said of it."""
TOLD_AGAIN = "told_again"
OF_ITS_STATE = ("code", TOLD_AGAIN)
"""Facts that are over with the state that they are about."""
UNSTORED = ("duplicate", "rejected", "failed")
LISTING_RANKS = {"requested": 0, "rendered": 10, "failed": 20, "listed": 30}
LISTING_COUNTS = {"rendered": "rendered", "listed": "listed", "failed": "listing_failed"}


@dataclass(frozen=True)
class Projection:
    """The rows of ingest as the events of the other services change them."""

    engine: Engine
    wake: Callable[[], None] = lambda: None
    """Called when something is done or owed: a message that waits for its turn may go out now."""

    def file_is(
        self,
        event: ItemEvent,
        state: str,
        *,
        reason: str | None = None,
        columns: Mapping[str, Any] | None = None,
        facts: Mapping[str, Any] | None = None,
    ) -> None:
        """A file came to a state. Listings that wait for a file which will not be stored fail with its reason."""
        with transaction(self.engine) as connection:
            item = connection.execute(select(items).where(items.c.id == event.item_id).with_for_update()).one_or_none()
            if item is None or not _newer(event.generation, RANKS[state], item) or _cancelled(item, state):
                return
            asked = _reviewed(item, columns or {})
            connection.execute(
                update(items)
                .where(items.c.id == event.item_id)
                .values(
                    state=state,
                    stage_rank=RANKS[state],
                    generation=event.generation,
                    reason=reason,
                    facts={name: fact for name, fact in item.facts.items() if name not in OF_ITS_STATE}
                    | dict(facts or {}),
                    updated_at=NOW,
                    **{**(columns or {}), **asked},
                )
            )
            # Locks are taken in one order everywhere: item, listing, session.
            orphaned = self._waiting_listings(connection, event) if state in UNSTORED else []
            told = {"index": event.index, "filename": event.filename, "state": state, "reason": reason, **(facts or {})}
            if asked["review"] == WAITING:
                told["needs_review"] = True
            changes = _moved(None if item.state == "received" else item.state, state) | _asked(item, asked)
            weighs = weight(item.size)
            timeline.append(
                connection, item.session_id, state, changes, item_id=event.item_id, facts=told, weighs=weighs
            )
            if state == "failed":
                _log("a file has failed", item.filename, item.session_id, reason)
            for row in orphaned:
                self._set_listing(connection, row, event, "failed", f"the design was not stored: {reason}", {})
            if state == "stored":
                self._owe_mockups(connection, event.item_id)
        if item.state == "received" or state == "stored":
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

    def _owe_mockups(self, connection: Connection, item_id: UUID) -> None:
        """Ask for the mockups of a design that is stored now: for its listings that were asked for before that."""
        item = connection.execute(select(items).where(items.c.id == item_id)).one()
        waiting = select(listings).where(listings.c.item_id == item_id, listings.c.state == "requested")
        lane = connection.execute(select(sessions.c.lane).where(sessions.c.id == item.session_id)).scalar_one()
        for row in connection.execute(waiting).all():
            owe(connection, lane, mockups_requested(item, row), message_id=request_id(row))

    def _waiting_listings(self, connection: Connection, event: ItemEvent) -> Sequence[Row[Any]]:
        waiting = select(listings).where(listings.c.item_id == event.item_id, listings.c.state == "requested")
        return connection.execute(waiting.order_by(listings.c.mockup_id).with_for_update()).all()

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
                updated_at=NOW,
                **columns,
            )
        )
        changes = _moved(LISTING_COUNTS.get(row.state), LISTING_COUNTS[state])
        told = {"index": event.index, "filename": event.filename, "listing_state": state, "reason": reason}
        kind = "listing_failed" if state == "failed" else state
        if state == "failed":
            _log("a listing has failed", event.filename, row.session_id, reason)
        timeline.append(connection, row.session_id, kind, changes, item_id=event.item_id, facts=told)


def _lasting(facts: Mapping[str, Any]) -> dict[str, Any]:
    return {name: fact for name, fact in facts.items() if name not in OF_ITS_STATE}


def _reviewed(item: Row[Any], columns: Mapping[str, Any]) -> dict[str, Any]:
    """What is asked about a near duplicate is over with its state; that it is to be kept is not."""
    now = item._mapping if item.review == KEEP else columns
    return {name: now.get(name) for name in ("review", "pair")}


def _asked(item: Row[Any], now: Mapping[str, Any]) -> dict[str, int]:
    more = (now["review"] == WAITING) - (item.review == WAITING)
    return {"to_review": more} if more else {}


def _moved(before: str | None, now: str) -> dict[str, int]:
    """How the counts change. A later generation may come to the state that the one before it had: none changes then."""
    return {} if before == now else {now: 1} | ({} if before is None else {before: -1})


def _log(what: str, filename: str, session_id: UUID, reason: str | None) -> None:
    """Most have no dead letter: without a line nobody would see a dying disk before sellers do."""
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


def _cancelled(item: Row[Any], state: str) -> bool:
    """Whether it was cancelled, and this is what was still under way then. A design that reached the NAS is stored."""
    return item.state == "failed" and item.facts.get("code") == CANCELLED and state != "stored"


def _newer(generation: int, rank: int, row: Row[Any]) -> bool:
    known = (row.generation, row.stage_rank)
    return (generation, rank) > known
