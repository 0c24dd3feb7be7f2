"""The outbox: messages that ingest owes the pipeline, committed with the rows they follow from.

Only ingest has one: it has no input message that could be delivered again. A row is owed while its `sent_at` is null.
That it has one says "owed no more": the broker has confirmed the message, or ingest has done the work itself where that
is its own to do (`Relay.confirm`). What is to be sent once more loses it.
"""

import base64
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Protocol
from uuid import UUID, uuid4

import structlog
from sqlalchemy import ColumnElement, Connection, Engine, RowMapping, case, func, select, true, tuple_, update
from sqlalchemy.dialects.postgresql import insert

from services.ingest.sessions.outgoing.fairness import AT_ONCE, BATCH, MOCKUPS, Windows, next_rows
from services.ingest.sessions.tables import NOW, outbox
from shared.bus.envelope import Envelope, types
from shared.bus.settlement import Sealed
from shared.bus.topology import REDELIVER, Route
from shared.contracts import Message
from shared.database import transaction

log = structlog.get_logger()

REDELIVERY = "Redelivery"
LONGEST_S = 10.0
"""How long one transaction goes on with new messages. Its last publish takes 40 s at most, so it ends before PostgreSQL
ends it, which happens after a minute of standing still (`shared/database.py`)."""


class Bus(Protocol):
    """What the outbox needs of a bus, in memory or RabbitMQ."""

    async def publish(self, envelope: Envelope) -> None: ...

    async def send(self, route: Route, sealed: Sealed) -> None: ...


@dataclass(frozen=True)
class Redelivery:
    """Bytes on their way back to the one inbox that they died in. They may be no message of ours at all."""

    id: UUID
    service: str
    sealed: Sealed


Owed = Envelope | Redelivery


async def put(bus: Bus, owed: Owed) -> None:
    """Send what is owed: a message to whoever listens to it, a redelivery to its service only."""
    if isinstance(owed, Redelivery):
        await bus.send(Route(REDELIVER, f"replay.{owed.service}"), owed.sealed)
    else:
        await bus.publish(owed)


AHEAD = "ahead"
"""The lane of messages that must not wait behind the work that they are about (`ahead.py`). No session has it."""

Publish = Callable[[Owed], None]
Choose = Callable[[Connection], Iterable[RowMapping]]
Kind = tuple[str, str | None]
"""A message type and, of a redelivery, the service that it goes back to."""
SERVICE = case((outbox.c.type == REDELIVERY, outbox.c.data["service"].astext))


def owe(
    connection: Connection, lane: str, message: Message, *, message_id: UUID | None = None, outlives: bool = False
) -> None:
    """Owe a message to a lane, from this transaction on. One that was sent before under this id is owed again.

    One that `outlives` its session must reach its takers though the session has ended and nobody takes it up.
    """
    row = {
        "id": message_id or uuid4(),
        "lane": lane,
        "session_id": None if outlives else getattr(message, "session_id", None),
        "tenant_id": getattr(message, "tenant_id", None),
        "place": getattr(message, "batch", 0),
        "type": type(message).__name__,
        "data": message.model_dump(mode="json"),
    }
    anew = {"data": row["data"], "created_at": NOW, "sent_at": None, "done_at": None}
    connection.execute(insert(outbox).values(row).on_conflict_do_update(index_elements=["id"], set_=anew))


def owe_redelivery(
    connection: Connection, lane: str, service: str, body: bytes, headers: Mapping[str, object], replay_id: UUID
) -> None:
    """Owe a lane bytes for one service's inbox. Of no session, so that they are sent when theirs has ended, too."""
    data = {"service": service, "body": base64.b64encode(body).decode(), "headers": dict(headers)}
    connection.execute(insert(outbox).values(id=replay_id, lane=lane, type=REDELIVERY, data=data))


class Relay:
    """Sends what one lane is owed, and knows what this release can't read. Any number of relays may run.

    A crash between confirm and mark sends a row twice, with the same id, which every consumer recognises.
    With `windows`, tenants take turns with what is much work (`fairness.py`).
    """

    def __init__(self, engine: Engine, lane: str, windows: Windows | None = None) -> None:
        self.engine = engine
        self.lane = lane
        self.windows = windows
        self.waits = False
        """Whether anything was left for later when it last sent."""
        self._unreadable: set[tuple[UUID, datetime]] = set()

    def send(self, publish: Publish, *which: ColumnElement[bool]) -> int:
        """Publish up to a hundred rows of a kind (of those that `which` names); return how many were confirmed.

        Rows are claimed with SKIP LOCKED. A kind that can't be sent, for a full queue, say, holds up no other.

        Raises:
            Unavailable: database or broker is away, or a queue is full; what was confirmed before is marked.
        """
        sent, failure, kinds = 0, None, self._kinds(which)
        self.waits = bool(kinds)
        for kind in kinds:
            try:
                sent += self._send(self._choice(kind, which), publish)
            except Exception as error:  # noqa: BLE001 - raised when the others had their turn
                failure = error
        if failure is not None:
            raise failure
        return sent

    def _kinds(self, which: Sequence[ColumnElement[bool]]) -> list[Kind]:
        """What is owed, by what its inboxes depend on: work that takes turns last, of the rest what waits longest."""
        kinds = select(outbox.c.type, SERVICE).where(*self._mine(which)).group_by(outbox.c.type, SERVICE)
        with transaction(self.engine) as connection:
            found = connection.execute(kinds.order_by(func.min(outbox.c.created_at)))
            return sorted(((row[0], row[1]) for row in found), key=lambda kind: kind[0] in (BATCH, MOCKUPS))

    def _choice(self, kind: Kind, which: Sequence[ColumnElement[bool]]) -> Choose:
        name, service = kind
        if self.windows is not None and name in (BATCH, MOCKUPS):
            which = (*which, self._readable)
            return partial(next_rows, lane=self.lane, kind=name, windows=self.windows, which=which)
        these = (outbox.c.type == name, SERVICE.is_not_distinct_from(service))
        return partial(self._oldest, (*which, *these))

    def _mine(self, which: Sequence[ColumnElement[bool]]) -> tuple[ColumnElement[bool], ...]:
        return outbox.c.lane == self.lane, outbox.c.sent_at.is_(None), self._readable, *which

    @property
    def _readable(self) -> ColumnElement[bool]:
        # One that is owed again under its id, as this release writes it, has another time.
        this = tuple_(outbox.c.id, outbox.c.created_at)
        return this.not_in(self._unreadable) if self._unreadable else true()

    def _oldest(self, which: Sequence[ColumnElement[bool]], connection: Connection) -> Sequence[RowMapping]:
        """Scans unsent rows and never `id > last`: rows become visible out of order."""
        unsent = select(outbox).where(*self._mine(which)).order_by(outbox.c.created_at, outbox.c.place)
        return connection.execute(unsent.limit(AT_ONCE).with_for_update(skip_locked=True)).mappings().all()

    def _send(self, choose: Choose, publish: Publish) -> int:
        sent: list[UUID] = []
        failure: Exception | None = None
        with transaction(self.engine) as connection:
            for row in until_late(choose(connection)):
                if (owed := self._read(connection, row)) is None:
                    continue
                try:
                    publish(owed)
                except Exception as error:  # noqa: BLE001 - raised when what was confirmed before it is marked
                    failure = error
                    failed = {"attempts": outbox.c.attempts + 1, "last_error": str(error)}
                    connection.execute(update(outbox).where(outbox.c.id == row["id"]).values(**failed))
                    break
                sent.append(row["id"])
            if sent:
                connection.execute(update(outbox).where(outbox.c.id.in_(sent)).values(sent_at=NOW))
        if failure is not None:
            raise failure
        return len(sent)

    def unsent(self, *which: ColumnElement[bool]) -> list[Owed]:
        """Up to a hundred rows that are owed, oldest first, for who marks them with `confirm` later. Claims nothing.

        Raises:
            Unavailable: the database is away.
        """
        with transaction(self.engine) as connection:
            oldest = select(outbox).where(*self._mine(which)).order_by(outbox.c.created_at).limit(AT_ONCE)
            rows = connection.execute(oldest).mappings().all()
            return [owed for row in rows if (owed := self._read(connection, row)) is not None]

    def confirm(self, ids: Collection[UUID]) -> None:
        """These rows are owed no more.

        Raises:
            Unavailable: the database is away.
        """
        with transaction(self.engine) as connection:
            connection.execute(update(outbox).where(outbox.c.id.in_(ids)).values(sent_at=NOW))

    def _read(self, connection: Connection, row: RowMapping) -> Owed | None:
        """What a row says. Written by another release, it stays owed until one that can read it runs, and is left."""
        try:
            return _owed(row)
        except (KeyError, TypeError, ValueError) as error:
            log.exception("unreadable message in the outbox: it waits", outbox_id=str(row["id"]), type=row["type"])
            self._unreadable.add((row["id"], row["created_at"]))
            told = {"last_error": f"not sent, unreadable: {error!r}"}
            connection.execute(update(outbox).where(outbox.c.id == row["id"]).values(**told))
            return None


def until_late(rows: Iterable[RowMapping]) -> Iterator[RowMapping]:
    """These rows, while their transaction is young; one at least."""
    begun = time.monotonic()
    for row in rows:
        yield row
        if time.monotonic() > begun + LONGEST_S:
            return


def _owed(row: RowMapping) -> Owed:
    if row["type"] == REDELIVERY:
        data = row["data"]
        sealed = Sealed(f"{row['id']}@replay", base64.b64decode(data["body"]), data["headers"])
        return Redelivery(row["id"], data["service"], sealed)
    message = types()[row["type"]].model_validate(row["data"])
    session = row["session_id"] or row["data"].get("session_id")  # what outlives its session is about one all the same
    return Envelope(row["id"], message, "ingest", str(session) if session else None)
