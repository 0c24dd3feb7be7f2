"""Which items of a session come next, read from as few of its rows as will do. Used inside a transaction."""

from dataclasses import dataclass
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Select, bindparam, func, select

from services.storage.numbering import Standing, items_due
from services.storage.tables import designs
from shared.contracts import Destination

STANDINGS = {
    "accepted": Standing.PENDING,
    "placed": Standing.PLACED,
    "numbered": Standing.NUMBERED,
    "stored": Standing.NUMBERED,
    "duplicate": Standing.SETTLED,
    "rejected": Standing.SETTLED,
    "failed": Standing.SETTLED,
}
OVER = [state for state, standing in STANDINGS.items() if standing in (Standing.SETTLED, Standing.NUMBERED)]

AT_ONCE = 200
"""Items of a session that are looked at in one go, from the first on that is neither settled nor numbered. With
fewer, an obstacle that a thousand wait for takes more goes; with more, each event reads more rows that can't be due."""


@dataclass(frozen=True)
class Item:
    """What counts about an item of a session when numbers are given."""

    item_id: UUID
    index: int
    generation: int
    state: str
    reopened: bool
    counter_key: str
    place: dict[str, Any]

    @property
    def destination(self) -> Destination:
        return Destination.model_validate(self.place)

    @property
    def standing(self) -> Standing:
        # Nobody waits for what is tried anew: it had its verdict, and takes the next number once its file is safe.
        return Standing.SETTLED if self.state == "accepted" and self.reopened else STANDINGS[self.state]


def items_due_now(connection: Connection, session_id: UUID) -> tuple[list[Item], bool]:
    """The items that are due, and whether more may be: most of a session has its number, and is not looked at again."""
    rows = [dict(row) for row in connection.execute(_from_first_open(), {"session": session_id}).mappings()]
    begin = min((row.pop("first") for row in rows), default=0)
    items = {row["index"]: Item(**row) for row in rows}
    due = items_due({index: item.standing for index, item in items.items()}, begin)
    return [items[index] for index in due], len(items) == AT_ONCE and bool(due)


@cache
def _from_first_open() -> Select[Any]:
    """The query for items of a session from the first open one on. Made once: that takes longer than its answer."""
    first = _first_open().cte("first")
    return select(
        first.c.place.label("first"),
        designs.c.item_id,
        designs.c.index,
        designs.c.generation,
        designs.c.state,
        designs.c.reopened,
        designs.c.counter_key,
        designs.c.accepted["destination"].label("place"),
    ).where(
        designs.c.session_id == bindparam("session"),
        designs.c.index.between(first.c.place, first.c.place + AT_ONCE - 1),
    )


def _first_open() -> Select[Any]:
    """The index of a session's first item that is neither settled nor numbered, or that nobody has heard of.

    None when each of those that are known is one or the other: then nothing is due.
    """
    place = (func.row_number().over(order_by=designs.c.index) - 1).label("place")
    over = designs.c.state.in_(OVER) | ((designs.c.state == "accepted") & designs.c.reopened)
    mine = (
        select(place, designs.c.index, over.label("over"))
        .where(designs.c.session_id == bindparam("session"))
        .subquery()
    )
    open_ = ~mine.c.over | (mine.c.index != mine.c.place)
    return select(mine.c.place).where(open_).order_by(mine.c.place).limit(1)
