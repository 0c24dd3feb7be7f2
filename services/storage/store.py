"""What storage knows of every item: how far it has come, its number, and which message answers for it.

The package's docstring has the states in a picture, and says what the words mean.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Engine, Integer, Row, Text, Uuid, and_, bindparam, select, update
from sqlalchemy.dialects.postgresql import insert

from services.storage.acceptance import Acceptance, is_unheard
from services.storage.design import NUMBERED, UNNUMBERED, Cause, Design
from services.storage.design_rows import (
    answered_by,
    changes_by,
    changes_by_end,
    design_of,
    is_answered_by,
    new_row,
    of_accepted,
)
from services.storage.giving_up import Ending, GivingUp
from services.storage.tables import CLOCK, designs, freed_numbers, given_rows
from shared.contracts import DuplicateFound, ImageAccepted, ImageFailed, ItemEvent
from shared.database import transaction
from shared.together import Together

THIS = (designs.c.item_id == bindparam("item"), designs.c.generation == bindparam("of"))
NEW = (
    insert(designs)
    .on_conflict_do_nothing()  # whichever unique index meets the row of who inserts it in the same moment
    .returning(designs.c.item_id, designs.c.generation)
)
_named = given_rows(item=Uuid(), of=Integer(), has=Integer(), called=Text(), lies=Text())
STORE = (
    update(designs)
    .where(designs.c.item_id == _named.c.item, designs.c.generation == _named.c.of)
    .where(designs.c.state == "numbered", designs.c.number == _named.c.has)
    .values(state="stored", name=_named.c.called, path=_named.c.lies, changed_at=CLOCK)
    .returning(designs.c.item_id, designs.c.generation, designs.c.number)
)
"""The statements for every design are made once: making one takes longer than the database takes to answer it."""


@dataclass(eq=False)
class _Accepted:
    event: ImageAccepted
    is_new: bool = False


@dataclass(eq=False)
class _Named:
    design: Design
    is_stored: bool = False


class Designs:
    """The rows. Every method is a transaction, and repeating it changes nothing.

    What every design needs is one transaction for all threads that ask for it at a time.

    Each raises `Unavailable` when the database is away, and `Retryable` when a transaction lost against another.
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        # What is one statement is a transaction by itself: BEGIN and COMMIT would be two more waits for the server.
        self._single = engine.execution_options(isolation_level="AUTOCOMMIT")
        self._accepting, self._storing = Together(self._accept_all), Together(self._store_all)

    def accept(self, event: ImageAccepted) -> bool:
        """Record an accepted item, and return whether its file has yet to be placed.

        Whatever it means for an item that has a row already: see `Acceptance`.
        """
        accepted = _Accepted(event)
        self._accepting.do("", accepted)
        if accepted.is_new:
            return True
        with transaction(self.engine) as connection:
            row = _locked(connection, event)
            meaning = Acceptance.of(row, event)
            if meaning is Acceptance.OPENS_AGAIN:
                _leave_number(connection, row)
            if changes := changes_by(meaning, row, event):
                _change(connection, event, **changes)
            return meaning in (Acceptance.OPENS_AGAIN, Acceptance.PLACES_FILE)

    def awaits(self, event: ImageAccepted) -> bool:
        """Whether the item is still on its way to the NAS with this very file."""
        with transaction(self.engine) as connection:
            return awaits(connection, event)

    def settle(self, event: Ending, state: str) -> Design | None:
        """Record that an item will have no file, if it has none, and return what had been accepted of it.

        Whatever it means for an item that has a row already: see `GivingUp`.
        """
        with transaction(self.engine) as connection:
            connection.execute(NEW, new_row(event, state) | {"reason": event.reason})
            row = _locked(connection, event)
            if changes := changes_by_end(GivingUp.of(row, event, state), row, event, state):
                _change(connection, event, **changes)
                row = _locked(connection, event)
            return design_of(row) if row.state == state and row.accepted else None

    def owes_its_end(self, event: ImageFailed) -> bool:
        """Whether the item has failed, and its failure is still to be told in answer to this message.

        So it is if no message before this one was to be answered with it, or if this one tells of the failure anew.
        """
        with transaction(self.engine) as connection:
            row = _locked(connection, event)
            again = row.generation == event.generation and not is_answered_by(row, event)
            return bool(row.state == "failed" and (again or is_unheard(row, event)))

    def adopt(self, event: ImageAccepted | Ending) -> None:
        """Let this message tell what earlier messages about its item had numbered or given up, and may not have told.

        The designs that a message numbered or gave up name it as their cause, and it tells their ends. An earlier one
        is over: of an earlier generation it is done or dead, and when storage failed the item, this one's is dead, too.
        So the designs that name it as their cause name this message from now on.

        Example: file 3 waits for a number behind file 2. The message about 2 numbers both, and dies before it tells
        that 3 is stored. When 2 is tried again, the message of its next generation takes over both, and tells both.

        A verdict that was made anew takes over no failure of its own item: it is dedup's answer to that failure, which
        would be told again as an answer to it, and so on for ever.
        """
        theirs: ColumnElement[bool] = designs.c.state.in_(NUMBERED)
        if not (isinstance(event, ImageAccepted | DuplicateFound) and event.anew):
            theirs |= designs.c.item_id != event.item_id
        dead = designs.c.cause_generation < event.generation
        if isinstance(event, ImageFailed) and event.failed_stage == "storage":
            dead = designs.c.cause_generation <= event.generation
        which = (designs.c.cause_item_id == event.item_id, dead, theirs)
        with transaction(self.engine) as connection:
            _lock_in_order(connection, *which)
            connection.execute(update(designs).where(*which).values(**answered_by(Cause.of(event))))

    def fail(self, event: ImageAccepted, reason: str, cause: Cause) -> None:
        """Record that an accepted item without a number has failed, as its file can never be placed."""
        with transaction(self.engine) as connection:
            where = and_(_this(event), designs.c.state.in_(UNNUMBERED))
            _change(connection, event, where, state="failed", reason=reason, **answered_by(cause))

    def stored(self, design: Design) -> Design:
        """Record that a design's file lies under its name and was read back. Returns the design as it is then."""
        named = _Named(design)
        self._storing.do("", named)
        return replace(design, state="stored") if named.is_stored else self.find(design.event.item_id)

    def _accept_all(self, these: Sequence[_Accepted]) -> None:
        """Accept all in the order of their ids, as every process does: so no two transactions wait for each other."""
        events = sorted((each.event for each in these), key=lambda event: event.item_id)
        rows = [new_row(event, "accepted") | of_accepted(event) for event in events]
        with transaction(self._single) as connection:
            inserted = set(map(tuple, connection.execute(NEW, rows)))
        for each in these:
            each.is_new = (each.event.item_id, each.event.generation) in inserted

    def _store_all(self, these: Sequence[_Named]) -> None:
        """Store all in the order of their ids, too."""
        named = sorted((each.design for each in these), key=lambda design: design.event.item_id)
        rows = {
            "item": [design.event.item_id for design in named],
            "of": [design.event.generation for design in named],
            "has": [design.number for design in named],
            "called": [design.name for design in named],
            "lies": [design.path for design in named],
        }
        with transaction(self._single) as connection:
            stored = set(map(tuple, connection.execute(STORE, rows)))
        for each in these:
            event = each.design.event
            each.is_stored = (event.item_id, event.generation, each.design.number) in stored

    def find(self, item_id: UUID) -> Design:
        """One accepted item as it stands."""
        with transaction(self.engine) as connection:
            return _found(connection, item_id)


def awaits(connection: Connection, event: ImageAccepted) -> bool:
    on_its_way = designs.c.state.in_((*UNNUMBERED, "numbered"))
    return connection.execute(select(designs.c.item_id).where(_this(event), on_its_way)).first() is not None


def _found(connection: Connection, item_id: UUID) -> Design:
    return design_of(connection.execute(select(designs).where(designs.c.item_id == item_id)).one())


def _locked(connection: Connection, event: ItemEvent) -> Row[Any]:
    return connection.execute(select(designs).where(designs.c.item_id == event.item_id).with_for_update()).one()


def _lock_in_order(connection: Connection, *which: ColumnElement[bool]) -> None:
    """Lock several designs in the order of their ids, as whoever stores several does."""
    connection.execute(select(designs.c.item_id).where(*which).order_by(designs.c.item_id).with_for_update())


def _change(
    connection: Connection, event: ItemEvent, where: ColumnElement[bool] | None = None, **values: object
) -> None:
    condition = designs.c.item_id == event.item_id if where is None else where
    connection.execute(update(designs).where(condition).values(changed_at=CLOCK, **values))


def _this(event: ItemEvent) -> ColumnElement[bool]:
    return and_(designs.c.item_id == event.item_id, designs.c.generation == event.generation)


def _leave_number(connection: Connection, row: Row[Any]) -> None:
    """Let another design have the number, unless this one is stored: then a file has it in its name."""
    if row.state == "numbered":
        connection.execute(insert(freed_numbers).values(counter_key=row.counter_key, number=row.number))
