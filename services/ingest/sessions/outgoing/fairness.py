"""Whose message is next: tenants take turns, and nobody has more in flight than keeps every worker busy.

A broker's queue is first come, first served: what is in it can't be overtaken. So an upload of 10,000 files waits in
the outbox and goes out a few batches at a time, as earlier ones are done. A tenant who comes later finds a short queue.

What is in flight is read from the rows of items and listings at each turn: no restart loses the account, and any number
of replicas keep it together, as they take turns under one lock.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Integer,
    RowMapping,
    Select,
    Uuid,
    cast,
    distinct,
    exists,
    func,
    select,
    text,
    update,
)

from services.ingest.sessions.states import LISTING_IN_WORK
from services.ingest.sessions.tables import NOW, items, listings, outbox, sessions

BATCH, MOCKUPS = "BatchSubmitted", "MockupsRequested"
AT_ONCE = 100
"""Messages that the relay sends in one transaction: a death before its commit repeats so many at most. With one at a
time, each would pay for a transaction of its own. What is slow ends it earlier (`outbox.LONGEST_S`)."""
FORGOTTEN = text("interval '10 minutes'")
"""A message that is in flight for longer waits for something (a retry, the NAS, the shop) and keeps no worker busy."""


@dataclass(frozen=True)
class Windows:
    """How much one lane has in flight, all tenants together; a single tenant has all of it to itself."""

    batches: int
    listings: int
    files: int
    """Of one tenant: pictures that are hashed and not stored. While the NAS is away, no more is hashed ahead."""

    def of(self, kind: str) -> int:
        """The window for this kind of message."""
        return self.batches if kind == BATCH else self.listings


def next_rows(
    connection: Connection, lane: str, kind: str, windows: Windows, which: Sequence[ColumnElement[bool]]
) -> Sequence[RowMapping]:
    """The outbox rows of this kind whose turn it is, locked. Nobody else chooses until the transaction ends."""
    # Until these are sent, for as long as the transaction (docs/reliability.md, "Locks")
    lock = func.pg_advisory_xact_lock(func.hashtextextended(f"turns:{lane}:{kind}", 0))
    connection.execute(select(lock))
    of_kind = (outbox.c.lane == lane, outbox.c.type == kind, *which)
    _mark_done(connection, kind, of_kind)
    flying = _in_flight(of_kind).cte("flying")
    queue = _waiting(lane, kind, windows, of_kind).cte("queue")
    tenants = select(func.count(distinct(queue.c.tenant_id))).scalar_subquery()
    place = queue.c.turn + func.coalesce(flying.c.number, 0)
    share = func.greatest(1, func.ceil(cast(windows.of(kind), Integer) * 1.0 / func.greatest(1, tenants)))
    turns = (
        select(outbox)
        .join(queue, queue.c.id == outbox.c.id)
        .outerjoin(flying, flying.c.tenant_id == outbox.c.tenant_id)
        .where(place <= share, outbox.c.sent_at.is_(None))
        .order_by(place, outbox.c.created_at, outbox.c.place)
        .limit(AT_ONCE)
        .with_for_update(of=outbox, skip_locked=True)
    )
    return connection.execute(turns).mappings().all()


def _waiting(lane: str, kind: str, windows: Windows, of_kind: Sequence[ColumnElement[bool]]) -> Select[Any]:
    in_order = (outbox.c.created_at, outbox.c.session_id, outbox.c.place)
    turn = func.row_number().over(partition_by=outbox.c.tenant_id, order_by=in_order).label("turn")
    waiting = select(outbox.c.id, outbox.c.tenant_id, turn).where(*of_kind, outbox.c.sent_at.is_(None))
    if kind == BATCH:
        waiting = waiting.where(~_hashed_ahead(lane, windows.files))
    return waiting


def _hashed_ahead(lane: str, files: int) -> ColumnElement[bool]:
    """The condition that a batch is new work of a tenant who has that many pictures hashed and not stored.

    One that begins before the last such picture of its session is not new: it was sent before, and is sent again as it
    was lost. What waits to be stored may wait for just these files, as numbers are given in order of upload.
    """
    ahead = func.sum(sessions.c.hashed + sessions.c.accepted)
    full = select(sessions.c.user_id).where(sessions.c.lane == lane, sessions.c.state == "working")
    full = full.group_by(sessions.c.user_id).having(ahead >= files)
    first = cast(outbox.c.data["files"][0]["index"].astext, Integer)
    behind = exists().where(
        items.c.session_id == outbox.c.session_id, items.c.state.in_(("hashed", "accepted")), items.c.index >= first
    )
    return outbox.c.tenant_id.in_(full) & ~behind


def _in_flight(of_kind: Sequence[ColumnElement[bool]]) -> Select[Any]:
    flying = select(outbox.c.tenant_id, func.count().label("number"))
    flying = flying.where(*of_kind, outbox.c.done_at.is_(None), outbox.c.sent_at > func.now() - FORGOTTEN)
    return flying.group_by(outbox.c.tenant_id)


def _mark_done(connection: Connection, kind: str, of_kind: Sequence[ColumnElement[bool]]) -> None:
    busy = _unhashed() if kind == BATCH else _unlisted()
    sent = (*of_kind, outbox.c.sent_at.is_not(None), outbox.c.done_at.is_(None))
    # Skips what is locked: whoever replaces a session's rows just now may wait for rows that we hold.
    done = select(outbox.c.id).where(*sent, ~busy).with_for_update(of=outbox, skip_locked=True)
    connection.execute(update(outbox).where(outbox.c.id.in_(done)).values(done_at=NOW))


def _unhashed() -> ColumnElement[bool]:
    """The condition that a file of the batch has not been looked at yet."""
    file = func.jsonb_array_elements(outbox.c.data["files"]).column_valued("file")
    return exists(
        select(items.c.id).where(
            items.c.id == cast(file.op("->>")("item_id"), Uuid),
            items.c.generation == cast(file.op("->>")("generation"), Integer),
            items.c.state == "received",
        )
    )


def _unlisted() -> ColumnElement[bool]:
    """The condition that the listing is neither made nor refused: others may wait behind it at the publisher, too."""
    data = outbox.c.data
    return exists(
        select(listings.c.item_id).where(
            listings.c.item_id == cast(data["item_id"].astext, Uuid),
            listings.c.mockup_id == cast(data["mockup_id"].astext, Uuid),
            listings.c.generation == cast(data["generation"].astext, Integer),
            listings.c.state.in_(LISTING_IN_WORK),
        )
    )
