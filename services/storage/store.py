"""What storage knows of every item: how far it has come, its number, and which message answers for it."""

from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Engine, Row, and_, bindparam, select, update
from sqlalchemy.dialects.postgresql import insert

from services.storage.design import GIVEN_UP, Cause, Design
from services.storage.placing import counter_key
from services.storage.tables import NOW, designs, freed_numbers, metadata
from shared.contracts import DuplicateFound, ImageAccepted, ImageFailed, ImageRejected, ItemEvent
from shared.database import transaction

__all__ = ["Designs", "metadata"]

SETTLED = ("duplicate", "rejected", "failed")
UNNUMBERED = ("accepted", "placed")
NUMBERED = ("numbered", "stored")

THIS = (designs.c.item_id == bindparam("item"), designs.c.generation == bindparam("of"))
NEW = insert(designs).on_conflict_do_nothing(index_elements=["item_id"])
PLACE = update(designs).where(*THIS, designs.c.state == "accepted").values(state="placed", changed_at=NOW)
STORE = (
    update(designs)
    .where(*THIS, designs.c.state == "numbered", designs.c.number == bindparam("has"))
    .values(state="stored", name=bindparam("called"), path=bindparam("lies"), changed_at=NOW)
    .returning(designs)
)
OF_CAUSE = and_(
    designs.c.cause_type == bindparam("type"),
    designs.c.cause_item_id == bindparam("item"),
    designs.c.cause_generation == bindparam("of"),
)
ANSWERED = select(designs).where(OF_CAUSE).order_by(designs.c.item_id != bindparam("item"), designs.c.index)
ANSWERED_OR_THIS = (
    select(designs)
    .where(OF_CAUSE | and_(*THIS, designs.c.state.in_(NUMBERED)))
    .order_by(designs.c.item_id != bindparam("item"), designs.c.index)
)
"""What every design needs is made once: making one takes longer than the database takes to answer it."""


class Designs:
    """The rows. Every method is a transaction of its own, and repeating it changes nothing.

    Each raises `Unavailable` when the database is away, and `Retryable` when a transaction lost against another.
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def accept(self, event: ImageAccepted) -> bool:
        """Record an accepted item, and return whether its file has yet to be placed.

        Only a later generation opens a settled item again. One that is numbered or stored already keeps its number if
        the print file is the same, and this message answers for it; with another print file it leaves the number it
        had to the next. This message answers too for one that was given up before it came: whoever accepted it must
        hear that it failed. And for one that has its number and not its name: another message has left that to it.
        """
        with transaction(self.engine) as connection:
            if _insert(connection, event, "accepted", _of_accepted(event)):
                return True
            row = _locked(connection, event)
            if row.generation < event.generation:
                same = row.state in NUMBERED and row.sha256 == event.print_file.sha256
                if not same:
                    _leave_number(connection, row)
                _change(connection, event, **(_kept(event) if same else _opened_again(event, row)))
                row = _locked(connection, event)
            elif row.state in GIVEN_UP and _unheard(row, event):
                _change(connection, event, **_of_accepted(event), **_answers(Cause.of(event)))
            elif row.generation == event.generation and row.state == "numbered":
                _change(connection, event, **_answers(Cause.of(event)))
            return bool(row.generation == event.generation and row.state == "accepted")

    def placed(self, event: ImageAccepted) -> bool:
        """Its file lies verified on the NAS under its hidden name; see `awaits`."""
        with transaction(self.engine) as connection:
            which = {"item": event.item_id, "of": event.generation}
            return bool(connection.execute(PLACE, which).rowcount) or _awaits(connection, event)

    def awaits(self, event: ImageAccepted) -> bool:
        """Whether the item is still on its way to the NAS with this very file."""
        with transaction(self.engine) as connection:
            return _awaits(connection, event)

    def settle(self, event: DuplicateFound | ImageRejected | ImageFailed, state: str) -> Design | None:
        """Record that an item will have no file, and return what had been accepted of it.

        A number is a promise: what is numbered or stored stays so, whoever reports what of it. If it was accepted and
        is given up now, this message answers for it.
        """
        with transaction(self.engine) as connection:
            _insert(connection, event, state, {"reason": event.reason})
            row = _locked(connection, event)
            earlier = row.generation < event.generation and row.state in (*UNNUMBERED, *SETTLED)
            if earlier or (row.generation == event.generation and row.state in UNNUMBERED):
                given_up = state in GIVEN_UP and row.accepted and not row.cause_type
                answers = _answers(Cause.of(event)) if given_up else {}
                _change(connection, event, generation=event.generation, state=state, reason=event.reason, **answers)
                row = _locked(connection, event)
            return _design(row) if row.state == state and row.accepted else None

    def owes_its_end(self, event: ImageFailed) -> bool:
        """Whether it has failed, and no message is answered with that: none came, or this one tells of it once more."""
        with transaction(self.engine) as connection:
            row = _locked(connection, event)
            again = row.generation == event.generation and not _answered_by(row, event)
            return bool(row.state == "failed" and (again or _unheard(row, event)))

    def adopt(self, event: ImageAccepted | DuplicateFound | ImageRejected | ImageFailed) -> None:
        """Answer with this message for what earlier ones about its item had numbered or given up: they are over.

        A message of an earlier generation is done or dead, and one that failed is dead. What it had finished may not
        have been told. A verdict that was made anew adopts no failure: it is dedup's answer to one, which would be
        told again by its own answer, and so on for ever.
        """
        theirs: ColumnElement[bool] = designs.c.state.in_(NUMBERED)
        if not (isinstance(event, ImageAccepted | DuplicateFound) and event.anew):
            theirs |= designs.c.item_id != event.item_id
        dead = designs.c.cause_generation < event.generation
        if isinstance(event, ImageFailed) and event.failed_stage == "storage":
            dead = designs.c.cause_generation <= event.generation
        with transaction(self.engine) as connection:
            connection.execute(
                update(designs)
                .where(designs.c.cause_item_id == event.item_id, dead)
                .where(theirs)
                .values(**_answers(Cause.of(event)))
            )

    def fail(self, event: ImageAccepted, reason: str, cause: Cause) -> None:
        """Its file can't be placed for good; it has no number yet."""
        with transaction(self.engine) as connection:
            where = and_(_this(event), designs.c.state.in_(UNNUMBERED))
            _change(connection, event, where, state="failed", reason=reason, **_answers(cause))

    def stored(self, design: Design) -> Design:
        """Its file lies under its name, and was read back. Returns how it stands then."""
        event = design.event
        which = {"item": event.item_id, "of": event.generation, "has": design.number}
        with transaction(self.engine) as connection:
            row = connection.execute(STORE, which | {"called": design.name, "lies": design.path}).one_or_none()
            return _found(connection, event.item_id) if row is None else _design(row)

    def answered_by(self, cause: Cause) -> list[Design]:
        """What this message has numbered, stored or failed; its own item first, then in order of upload.

        Of its own item an acceptance also finishes what another message has begun: that one may be lost, and whoever
        sends everything again sends acceptances.
        """
        answered = ANSWERED_OR_THIS if cause.type == ImageAccepted.__name__ else ANSWERED
        given = {"type": cause.type, "item": cause.item_id, "of": cause.generation}
        with transaction(self.engine) as connection:
            return [_design(row) for row in connection.execute(answered, given)]

    def find(self, item_id: UUID) -> Design:
        """One accepted item as it stands."""
        with transaction(self.engine) as connection:
            return _found(connection, item_id)


def _insert(connection: Connection, event: ItemEvent, state: str, facts: dict[str, Any]) -> bool:
    """Whether it was the first to be heard of the item."""
    new = event.model_dump(include={"item_id", "tenant_id", "session_id", "index", "generation", "filename"})
    return bool(connection.execute(NEW, new | {"state": state} | facts).rowcount)


def _awaits(connection: Connection, event: ImageAccepted) -> bool:
    on_its_way = designs.c.state.in_((*UNNUMBERED, "numbered"))
    return connection.execute(select(designs.c.item_id).where(_this(event), on_its_way)).first() is not None


def _found(connection: Connection, item_id: UUID) -> Design:
    return _design(connection.execute(select(designs).where(designs.c.item_id == item_id)).one())


def _locked(connection: Connection, event: ItemEvent) -> Row[Any]:
    return connection.execute(select(designs).where(designs.c.item_id == event.item_id).with_for_update()).one()


def _change(
    connection: Connection, event: ItemEvent, where: ColumnElement[bool] | None = None, **values: object
) -> int:
    """How many rows that changed: one or none."""
    condition = designs.c.item_id == event.item_id if where is None else where
    return connection.execute(update(designs).where(condition).values(changed_at=NOW, **values)).rowcount


def _this(event: ItemEvent) -> ColumnElement[bool]:
    return and_(designs.c.item_id == event.item_id, designs.c.generation == event.generation)


def _of_accepted(event: ImageAccepted) -> dict[str, Any]:
    place = event.destination
    return {
        "accepted": event.model_dump(mode="json"),
        "sha256": event.print_file.sha256,
        "size": event.print_file.size,
        "counter_key": counter_key(place.shop, place.template, digital=place.digital),
    }


def _unheard(row: Row[Any], event: ItemEvent) -> bool:
    """Whether the row knows neither this acceptance nor a later one, so that an answer is still owed."""
    return row.accepted is None or bool(row.accepted["generation"] < event.generation)


def _kept(event: ImageAccepted) -> dict[str, Any]:
    return {"generation": event.generation, "accepted": event.model_dump(mode="json"), **_answers(Cause.of(event))}


def _opened_again(event: ImageAccepted, row: Row[Any]) -> dict[str, Any]:
    gone = dict.fromkeys(("reason", "number", "name", "path", "cause_type", "cause_item_id", "cause_generation"))
    reopened = row.reopened or row.state not in UNNUMBERED
    return {
        **gone, **_of_accepted(event), "generation": event.generation, "state": "accepted", "reopened": reopened,
    }  # fmt: skip


def _leave_number(connection: Connection, row: Row[Any]) -> None:
    """Let another design have the number, unless this one is stored: then a file has it in its name."""
    if row.state == "numbered":
        connection.execute(insert(freed_numbers).values(counter_key=row.counter_key, number=row.number))


def _answered_by(row: Row[Any], event: ItemEvent) -> bool:
    return Cause.of(event) == Cause(row.cause_type, row.cause_item_id, row.cause_generation)


def _answers(cause: Cause) -> dict[str, Any]:
    return {"cause_type": cause.type, "cause_item_id": cause.item_id, "cause_generation": cause.generation}


def _design(row: Row[Any]) -> Design:
    return Design(ImageAccepted.model_validate(row.accepted), row.state, row.number, row.reason)
