"""A session's turn: whose files lie there by now, and who answers for what gets its number. Inside a transaction."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Integer, Row, Uuid, and_, bindparam, func, select, update

from services.storage.design import NUMBERED, Cause, Design
from services.storage.design_rows import design_of, is_answered_by
from services.storage.store import THIS, awaits
from services.storage.tables import CLOCK, designs, given_rows
from shared.contracts import ImageAccepted, ItemEvent

_these = given_rows(item=Uuid(), of=Integer())
_placed = (
    update(designs)
    .where(designs.c.item_id == _these.c.item, designs.c.generation == _these.c.of, designs.c.state == "accepted")
    .values(state="placed", changed_at=CLOCK)
    .returning(designs.c.item_id, designs.c.generation)
    .cte("placed")
)
# Columns are worked out from left to right: whoever waits for the lock holds no row yet (docs/reliability.md, "Locks").
BEGIN = select(
    func.pg_advisory_xact_lock(func.hashtextextended(bindparam("key"), 0)),
    select(func.array_agg(_placed.c.item_id)).scalar_subquery(),
    select(func.array_agg(_placed.c.generation)).scalar_subquery(),
)
OF_CAUSE = and_(
    designs.c.cause_type == bindparam("type"),
    designs.c.cause_item_id == bindparam("item"),
    designs.c.cause_generation == bindparam("of"),
)
_own_first = select(designs).order_by(designs.c.item_id != bindparam("item"), designs.c.index)
ANSWERED = _own_first.where(OF_CAUSE)
ANSWERED_OR_THIS = _own_first.where(OF_CAUSE | and_(*THIS, designs.c.state.in_(NUMBERED)))
"""The statements are made once: making one takes longer than the database takes to answer it."""


@dataclass(eq=False)
class Turn:
    """What the handler of one message, or of several that settle together, wants of its session, and what it gets."""

    events: Sequence[ItemEvent]
    placed: ImageAccepted | None = None
    """The design whose file now lies verified on the NAS under its hidden name: its row is to say so."""
    is_new: bool = False
    """Whether its row did not say so before: then this message has not been answered yet."""
    is_awaited: bool = True
    """Whether the item still waits for the placed file; else the hidden file is to be removed."""
    answers: list[Design] = field(default_factory=list)
    """What these messages have numbered, stored or failed: each one's own item first, then in order of upload."""


def begin(connection: Connection, session_id: UUID, turns: Sequence[Turn]) -> None:
    """Lock the session until the end of the transaction, and write down whose files lie there."""
    events = [turn.placed for turn in turns if turn.placed]
    these = {"item": [event.item_id for event in events], "of": [event.generation for event in events]}
    _, items, generations = connection.execute(BEGIN, {"key": f"storage:{session_id}", **these}).one()
    placed = set(zip(items or (), generations or (), strict=True))
    for turn in turns:
        if turn.placed:
            turn.is_new = (turn.placed.item_id, turn.placed.generation) in placed
            turn.is_awaited = turn.is_new or awaits(connection, turn.placed)


class Causes:
    """Who answers for an item that gets its number: its own message if it is among these, else the last of them."""

    def __init__(self, turns: Sequence[Turn]) -> None:
        placed = [turn.placed for turn in turns if turn.placed]
        self.own = {(event.item_id, event.generation): Cause.of(event) for event in placed}
        self.last = Cause.of(turns[-1].events[-1])

    def of(self, item_id: UUID, generation: int) -> Cause:
        """The message that answers for this item."""
        return self.own.get((item_id, generation), self.last)


def end(connection: Connection, turns: Sequence[Turn], given: Sequence[Row[Any]]) -> None:
    """Tell each message what it answers for: the numbers given now, and on a repeat what was done for it before."""
    for turn in turns:
        turn.answers = [design_of(row) for event in turn.events for row in _answered(connection, turn, event, given)]


def _answered(connection: Connection, turn: Turn, event: ItemEvent, given: Sequence[Row[Any]]) -> Sequence[Row[Any]]:
    """What this event answers for. An acceptance also finishes what another message has begun for its own item: that
    other one may be lost, and whoever sends everything again sends acceptances.
    """
    cause = Cause.of(event)
    if turn.is_new and not event.generation:  # a later generation may have taken over what earlier ones began
        mine = [row for row in given if is_answered_by(row, event)]
        return sorted(mine, key=lambda row: (row.item_id != event.item_id, row.index))
    answered = ANSWERED_OR_THIS if cause.type == ImageAccepted.__name__ else ANSWERED
    return connection.execute(answered, {"type": cause.type, "item": cause.item_id, "of": cause.generation}).all()
