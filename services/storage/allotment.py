"""Gives out the numbers: one session at a time, and one at a time from each sequence, whichever process asks."""

import contextlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    Connection,
    Engine,
    Integer,
    Row,
    Text,
    Uuid,
    any_,
    bindparam,
    delete,
    func,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert

from services.storage.design import Design
from services.storage.queueing import Item, items_due_now
from services.storage.tables import CLOCK, counters, designs, freed_numbers, given_rows
from services.storage.turns import Causes, Turn, begin, end
from shared.contracts import Destination
from shared.database import transaction

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
_given = given_rows(
    item=Uuid(), of=Integer(), number=Integer(), by_type=Text(), by_item=Uuid(), by_generation=Integer()
)
GIVE = (
    update(designs)
    .where(designs.c.item_id == _given.c.item, designs.c.generation == _given.c.of, designs.c.state == "placed")
    .values(
        state="numbered",
        number=_given.c.number,
        cause_type=_given.c.by_type,
        cause_item_id=_given.c.by_item,
        cause_generation=_given.c.by_generation,
        changed_at=CLOCK,
    )
    .returning(designs)
)
TAKE_FREED = delete(freed_numbers).where(
    freed_numbers.c.counter_key == bindparam("key"),
    freed_numbers.c.number == any_(bindparam("numbers", type_=ARRAY(Integer))),
)
"""The statements are made once: making one takes longer than the database takes to answer it."""


class Numbers:
    """The counters. Session before sequence, sequences in order of their keys (docs/reliability.md, "Locks")."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def give(self, session_id: UUID, turns: Sequence[Turn], free_on_nas: Mapping[str, int]) -> dict[str, Destination]:
        """Number every design of the session that is due, and tell each message for which it answers.

        `free_on_nas` has, by sequence, the first number that no file on the NAS has. Each session looks once, before
        its first number: until it has looked, nothing is given, and the sequences to look at are returned.
        """
        while True:
            with contextlib.suppress(_Overtaken), transaction(self.engine) as connection:
                begin(connection, session_id, turns)
                given, more = list[Row[Any]](), True
                while more:
                    due, more = items_due_now(connection, session_id)
                    if new := _to_look_at(connection, session_id, due, free_on_nas):
                        return new
                    given += _give(connection, session_id, due, Causes(turns), free_on_nas)
                end(connection, turns, given)
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
                .values(number=number, changed_at=CLOCK)
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
                .values(state="failed", reason=reason, number=None, changed_at=CLOCK)
                .returning(designs.c.counter_key)
            ).scalar_one_or_none()
            if counter_key is not None:
                connection.execute(insert(freed_numbers).values(counter_key=counter_key, number=design.number))


def reserve(connection: Connection, taken: Mapping[str, int]) -> None:
    """Let each sequence (`placing.counter_key`) go on behind the number taken elsewhere. Inside a transaction."""
    for counter_key, number in sorted(taken.items()):  # in one order, as whoever gives numbers out locks them
        new = insert(counters).values(counter_key=counter_key, next_number=number + 1)
        later = func.greatest(counters.c.next_number, new.excluded.next_number)
        connection.execute(new.on_conflict_do_update(index_elements=["counter_key"], set_={"next_number": later}))
        given_back = (freed_numbers.c.counter_key == counter_key, freed_numbers.c.number <= number)
        connection.execute(delete(freed_numbers).where(*given_back))  # a design may have it after all


class _Overtaken(Exception):  # noqa: N818 - reads as what happened
    """An item that was due has failed in this moment: the numbers given to the items behind it would leave a gap."""


def _to_look_at(
    connection: Connection, session_id: UUID, due: Iterable[Item], free_on_nas: Mapping[str, int]
) -> dict[str, Destination]:
    unseen = {item.counter_key: item.destination for item in due if item.counter_key not in free_on_nas}
    return {key: place for key, place in unseen.items() if not _has_given(connection, session_id, key)}


def _give(
    connection: Connection, session_id: UUID, due: Sequence[Item], causes: Causes, free_on_nas: Mapping[str, int]
) -> list[Row[Any]]:
    given = list[Row[Any]]()
    for counter_key in sorted({item.counter_key for item in due}):
        sequence = _Sequence(connection, session_id, counter_key, free_on_nas.get(counter_key, 0))
        given += sequence.give([item for item in due if item.counter_key == counter_key], causes)
    return given


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
        self.any_freed = bool(self.freed)

    def give(self, items: Sequence[Item], causes: Causes) -> Sequence[Row[Any]]:
        """Give each design its number, in this order."""
        numbers = [self._take(item.destination.starting_number) for item in items]
        by = [causes.of(item.item_id, item.generation) for item in items]
        given = {
            "item": [item.item_id for item in items],
            "of": [item.generation for item in items],
            "number": numbers,
            "by_type": [cause.type for cause in by],
            "by_item": [cause.item_id for cause in by],
            "by_generation": [cause.generation for cause in by],
        }
        rows = self.connection.execute(GIVE, given).all()
        if len(rows) < len(items):
            raise _Overtaken
        if self.any_freed:
            self.connection.execute(TAKE_FREED, {"key": self.counter_key, "numbers": numbers})
        _set_next(self.connection, self.counter_key, self.next)
        return rows

    def _take(self, floor: int) -> int:
        number = next((freed for freed in self.freed if freed >= floor), max(self.next, floor))
        self.next = max(self.next, number + 1)
        self.freed = [freed for freed in self.freed if freed > number]
        return number


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
