"""Gives out the numbers: one session at a time, and one at a time from each sequence, whichever process asks."""

from collections.abc import Mapping
from uuid import UUID

from sqlalchemy import Connection, Engine, bindparam, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert

from services.storage.design import Cause, Design
from services.storage.queueing import Item, items_due_now
from services.storage.tables import NOW, counters, designs, freed_numbers
from shared.contracts import Destination
from shared.database import transaction

LOCK = select(func.pg_advisory_xact_lock(func.hashtextextended(bindparam("key"), 0)))
NEXT = select(counters.c.next_number).where(counters.c.counter_key == bindparam("key")).with_for_update()
SET_NEXT = update(counters).where(counters.c.counter_key == bindparam("key")).values(next_number=bindparam("next"))
FREED = select(freed_numbers.c.number).where(freed_numbers.c.counter_key == bindparam("key"))
OF_SEQUENCE = (
    designs.c.session_id == bindparam("session"),
    designs.c.counter_key == bindparam("key"),
    designs.c.number.is_not(None),
)
ANY_GIVEN = select(designs.c.item_id).where(*OF_SEQUENCE).order_by(designs.c.index).limit(1)
LAST_GIVEN = select(func.coalesce(func.max(designs.c.number), -1)).where(*OF_SEQUENCE)
GIVE = (
    update(designs)
    .where(
        designs.c.item_id == bindparam("item"),
        designs.c.generation == bindparam("of"),
        designs.c.state == "placed",
    )
    .values(
        state="numbered",
        number=bindparam("given"),
        cause_type=bindparam("by_type"),
        cause_item_id=bindparam("by_item"),
        cause_generation=bindparam("by_generation"),
        changed_at=NOW,
    )
)
"""These are made once: making one takes longer than the database takes to answer it."""


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
            connection.execute(LOCK, {"key": f"storage:{session_id}"})
            more = True
            while more:
                due, more = items_due_now(connection, session_id)
                unseen = {item.counter_key: item.destination for item in due if item.counter_key not in free_on_nas}
                if new := {key: at for key, at in unseen.items() if not _has_given(connection, session_id, key)}:
                    return new
                for counter_key in sorted({item.counter_key for item in due}):
                    sequence = _Sequence(connection, session_id, counter_key, free_on_nas.get(counter_key, 0))
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

    def __init__(self, connection: Connection, session_id: UUID, counter_key: str, free_on_nas: int) -> None:
        self.connection = connection
        self.counter_key = counter_key
        self.next = max(_next_number(connection, counter_key), free_on_nas)
        freed = connection.execute(FREED, {"key": counter_key}).scalars().all()
        # what comes later in the session gets a greater number than what came before
        last = _last(connection, session_id, counter_key) if freed else -1
        self.freed = sorted(number for number in freed if number > last)

    def give(self, item: Item, cause: Cause) -> None:
        """Give the design its number, unless it has failed in this moment."""
        floor = item.destination.starting_number
        number = next((freed for freed in self.freed if freed >= floor), max(self.next, floor))
        which = {"item": item.item_id, "of": item.generation, "given": number}
        by = {"by_type": cause.type, "by_item": cause.item_id, "by_generation": cause.generation}
        if self.connection.execute(GIVE, which | by).rowcount:
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


def _has_given(connection: Connection, session_id: UUID, counter_key: str) -> bool:
    """Whether the session has a number of this sequence."""
    return connection.execute(ANY_GIVEN, {"session": session_id, "key": counter_key}).first() is not None


def _last(connection: Connection, session_id: UUID, counter_key: str) -> int:
    """The greatest number of this sequence that the session has; -1 without one."""
    return int(connection.execute(LAST_GIVEN, {"session": session_id, "key": counter_key}).scalar_one())


def _next_number(connection: Connection, counter_key: str) -> int:
    """The sequence's next number; the sequence is locked from here on."""
    found = connection.execute(NEXT, {"key": counter_key}).scalar_one_or_none()
    if found is None:
        connection.execute(insert(counters).values(counter_key=counter_key, next_number=0).on_conflict_do_nothing())
        found = connection.execute(NEXT, {"key": counter_key}).scalar_one()
    return int(found)


def _set_next(connection: Connection, counter_key: str, number: int) -> None:
    connection.execute(SET_NEXT, {"key": counter_key, "next": number})
