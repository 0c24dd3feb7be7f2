"""Gives out the numbers: one session at a time, and one at a time from each sequence, whichever process asks."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Engine, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert

from services.storage.design import Cause, Design
from services.storage.numbering import Standing, items_due
from services.storage.tables import NOW, counters, designs, freed_numbers
from shared.contracts import Destination
from shared.database import transaction

STANDINGS = {
    "accepted": Standing.PENDING,
    "placed": Standing.PLACED,
    "numbered": Standing.NUMBERED,
    "stored": Standing.NUMBERED,
    "duplicate": Standing.SETTLED,
    "rejected": Standing.SETTLED,
    "failed": Standing.SETTLED,
}


@dataclass(frozen=True)
class Item:
    """What counts about an item of a session when numbers are given."""

    item_id: UUID
    index: int
    generation: int
    state: str
    reopened: bool
    counter_key: str
    number: int | None
    place: dict[str, Any]

    @property
    def destination(self) -> Destination:
        return Destination.model_validate(self.place)

    @property
    def standing(self) -> Standing:
        # Nobody waits for what is tried anew: it had its verdict, and takes the next number once its file is safe.
        return Standing.SETTLED if self.state == "accepted" and self.reopened else STANDINGS[self.state]


class Numbers:
    """The counters. Locks are taken in one order, session before sequence, so that nobody waits in a circle."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def give(self, session_id: UUID, cause: Cause, free_on_nas: Mapping[str, int]) -> dict[str, Destination]:
        """Number every design of the session that is due, and let `cause` answer for them.

        `free_on_nas` has, by sequence, the first number that no file on the NAS has. Each session looks once, before
        its first number: until it has looked, nothing is given, and the sequences to look at are returned.
        """
        with transaction(self.engine) as connection:
            key = func.hashtextextended(f"storage:{session_id}", 0)
            connection.execute(select(func.pg_advisory_xact_lock(key)))
            items = _items(connection, session_id)
            due = [items[index] for index in items_due({i: item.standing for i, item in items.items()})]
            given: dict[str, int] = {}
            for item in items.values():
                if item.number is not None:
                    given[item.counter_key] = max(item.number, given.get(item.counter_key, -1))
            unseen = {i.counter_key: i.destination for i in due if i.counter_key not in {*given, *free_on_nas}}
            if unseen:
                return unseen
            for counter_key in sorted({item.counter_key for item in due}):
                sequence = _Sequence(
                    connection, counter_key, given.get(counter_key, -1), free_on_nas.get(counter_key, 0)
                )
                for item in due:
                    if item.counter_key == counter_key:
                        sequence.give(item, cause)
            return {}

    def give_another(self, design: Design, free_on_nas: int) -> None:
        """Another file has the name that the design's number gives it: take the next number that is free there too."""
        item_id = design.event.item_id
        with transaction(self.engine) as connection:
            of_item = select(designs.c.counter_key).where(designs.c.item_id == item_id)
            counter_key = connection.execute(of_item).scalar_one()
            number = max(_next_number(connection, counter_key), free_on_nas)
            changed = connection.execute(
                update(designs)
                .where(designs.c.item_id == item_id, designs.c.number == design.number, designs.c.state == "numbered")
                .values(number=number, changed_at=NOW)
            )
            if changed.rowcount:
                _set_next(connection, counter_key, number + 1)

    def take_back(self, design: Design, reason: str) -> None:
        """The numbered design can't be stored after all: it has failed, and another design may have its number."""
        with transaction(self.engine) as connection:
            counter_key = connection.execute(
                update(designs)
                .where(
                    designs.c.item_id == design.event.item_id,
                    designs.c.generation == design.event.generation,
                    designs.c.number == design.number,
                    designs.c.state == "numbered",
                )
                .values(state="failed", reason=reason, number=None, changed_at=NOW)
                .returning(designs.c.counter_key)
            ).scalar_one_or_none()
            if counter_key is not None:
                connection.execute(insert(freed_numbers).values(counter_key=counter_key, number=design.number))


class _Sequence:
    """One sequence, locked for the rest of the transaction."""

    def __init__(self, connection: Connection, counter_key: str, last: int, free_on_nas: int) -> None:
        """`last` is the greatest number that the session has: what comes later in it gets a greater one."""
        self.connection = connection
        self.counter_key = counter_key
        self.next = max(_next_number(connection, counter_key), free_on_nas)
        freed = select(freed_numbers.c.number).where(
            freed_numbers.c.counter_key == counter_key, freed_numbers.c.number > last
        )
        self.freed = sorted(connection.execute(freed).scalars())

    def give(self, item: Item, cause: Cause) -> None:
        """Give the design its number, unless it has failed in this moment."""
        floor = item.destination.starting_number
        number = next((freed for freed in self.freed if freed >= floor), max(self.next, floor))
        changed = self.connection.execute(
            update(designs)
            .where(
                designs.c.item_id == item.item_id,
                designs.c.generation == item.generation,
                designs.c.state == "placed",
            )
            .values(
                state="numbered",
                number=number,
                cause_type=cause.type,
                cause_item_id=cause.item_id,
                cause_generation=cause.generation,
                changed_at=NOW,
            )
        )
        if changed.rowcount:
            self._given(number)

    def _given(self, number: int) -> None:
        if number in self.freed:
            self.connection.execute(
                delete(freed_numbers).where(
                    freed_numbers.c.counter_key == self.counter_key, freed_numbers.c.number == number
                )
            )
        else:
            self.next = number + 1
            _set_next(self.connection, self.counter_key, self.next)
        self.freed = [freed for freed in self.freed if freed > number]


def _items(connection: Connection, session_id: UUID) -> dict[int, Item]:
    of_session = select(
        designs.c.item_id,
        designs.c.index,
        designs.c.generation,
        designs.c.state,
        designs.c.reopened,
        designs.c.counter_key,
        designs.c.number,
        designs.c.accepted["destination"].label("place"),
    ).where(designs.c.session_id == session_id)
    return {row["index"]: Item(**row) for row in connection.execute(of_session).mappings()}


def _next_number(connection: Connection, counter_key: str) -> int:
    """The sequence's next number; the sequence is locked from here on."""
    connection.execute(insert(counters).values(counter_key=counter_key, next_number=0).on_conflict_do_nothing())
    mine = select(counters.c.next_number).where(counters.c.counter_key == counter_key)
    return int(connection.execute(mine.with_for_update()).scalar_one())


def _set_next(connection: Connection, counter_key: str, number: int) -> None:
    connection.execute(update(counters).where(counters.c.counter_key == counter_key).values(next_number=number))
