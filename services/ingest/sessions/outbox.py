"""The outbox: messages that ingest owes the pipeline, committed with the rows they follow from.

Only ingest has one: it has no input message that could be delivered again.
"""

import base64
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol
from uuid import UUID, uuid4

import structlog
from pydantic import ValidationError
from sqlalchemy import ColumnElement, Connection, Engine, RowMapping, exists, select, update
from sqlalchemy.dialects.postgresql import insert

from services.ingest.sessions.fairness import AT_ONCE, BATCH, MOCKUPS, Windows, next_rows
from services.ingest.sessions.tables import NOW, outbox
from shared.bus.envelope import Envelope, types
from shared.bus.settlement import Sealed
from shared.bus.topology import REDELIVER, Route
from shared.contracts import Message
from shared.database import transaction
from shared.errors import Unavailable

log = structlog.get_logger()

REDELIVERY = "Redelivery"


class Bus(Protocol):
    """Either transport."""

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
"""Not a session's lane: what must not wait in a queue behind the work that it is about."""

Publish = Callable[[Owed], None]
Choose = Callable[[Connection], Iterable[RowMapping]]


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
    """Publishes what one lane is owed. Any number of relays may run; rows are claimed with SKIP LOCKED.

    A crash between confirm and mark sends a row twice, with the same id, which every consumer recognises.
    With `windows`, tenants take turns with what is much work (`fairness.py`).
    """

    def __init__(self, engine: Engine, lane: str, windows: Windows | None = None) -> None:
        self.engine = engine
        self.lane = lane
        self.windows = windows

    def send(self, publish: Publish, *which: ColumnElement[bool]) -> int:
        """Publish up to a hundred rows of a kind (of those that `which` names); return how many were confirmed.

        A kind whose queue is full waits, and holds up no other.

        Raises:
            Unavailable: database or broker is away, or a queue is full; what was confirmed before is marked.
        """
        sent, failure = 0, None
        if not self._owes(which):  # as it is most of the time, and turns are not found out for nothing
            return 0
        for choose in self._kinds(which):
            try:
                sent += self._send(choose, publish)
            except Unavailable as error:
                failure = error
        if failure is not None:
            raise failure
        return sent

    def _owes(self, which: Sequence[ColumnElement[bool]]) -> bool:
        owed = exists().where(outbox.c.lane == self.lane, outbox.c.sent_at.is_(None), *which)
        with transaction(self.engine) as connection:
            return bool(connection.execute(select(owed)).scalar_one())

    def _kinds(self, which: Sequence[ColumnElement[bool]]) -> list[Choose]:
        if self.windows is None:
            return [partial(self._oldest, which)]
        free = (*which, outbox.c.type.not_in((BATCH, MOCKUPS)))
        turns = [
            partial(next_rows, lane=self.lane, kind=kind, windows=self.windows, which=which)
            for kind in (BATCH, MOCKUPS)
        ]
        return [partial(self._oldest, free), *turns]

    def _oldest(self, which: Sequence[ColumnElement[bool]], connection: Connection) -> Sequence[RowMapping]:
        """Scans unsent rows and never `id > last`: rows become visible out of order."""
        unsent = (
            select(outbox)
            .where(outbox.c.lane == self.lane, outbox.c.sent_at.is_(None), *which)
            .order_by(outbox.c.created_at, outbox.c.place)
            .limit(AT_ONCE)
            .with_for_update(skip_locked=True)
        )
        return connection.execute(unsent).mappings().all()

    def _send(self, choose: Choose, publish: Publish) -> int:
        sent: list[UUID] = []
        failure: Unavailable | None = None
        with transaction(self.engine) as connection:
            for row in choose(connection):
                try:
                    publish(_owed(row))
                except (KeyError, ValidationError) as error:
                    # Written by another release. Kept with its error for a person, but it must not hold up the rest.
                    log.exception("unreadable message in the outbox", outbox_id=str(row["id"]), type=row["type"])
                    unreadable = {"sent_at": NOW, "last_error": f"not sent, unreadable: {error!r}"}
                    connection.execute(update(outbox).where(outbox.c.id == row["id"]).values(**unreadable))
                except Unavailable as error:
                    failure = error
                    failed = {"attempts": outbox.c.attempts + 1, "last_error": str(error)}
                    connection.execute(update(outbox).where(outbox.c.id == row["id"]).values(**failed))
                    break
                else:
                    sent.append(row["id"])
            if sent:
                connection.execute(update(outbox).where(outbox.c.id.in_(sent)).values(sent_at=NOW))
        if failure is not None:
            raise failure
        return len(sent)

    def unsent(self, *which: ColumnElement[bool]) -> list[Owed]:
        """Up to a hundred rows that are owed, oldest first, for who marks them with `confirm` later.

        Raises:
            Unavailable: the database is away.
        """
        owed = select(outbox).where(outbox.c.lane == self.lane, outbox.c.sent_at.is_(None), *which)
        with transaction(self.engine) as connection:
            rows = connection.execute(owed.order_by(outbox.c.created_at).limit(AT_ONCE)).mappings()
            return [_owed(row) for row in rows]

    def confirm(self, ids: Collection[UUID]) -> None:
        """These rows are owed no more.

        Raises:
            Unavailable: the database is away.
        """
        with transaction(self.engine) as connection:
            connection.execute(update(outbox).where(outbox.c.id.in_(ids)).values(sent_at=NOW))


def _owed(row: RowMapping) -> Owed:
    if row["type"] == REDELIVERY:
        data = row["data"]
        sealed = Sealed(f"{row['id']}@replay", base64.b64decode(data["body"]), data["headers"])
        return Redelivery(row["id"], data["service"], sealed)
    message = types()[row["type"]].model_validate(row["data"])
    session = row["session_id"] or row["data"].get("session_id")  # what outlives its session is about one all the same
    return Envelope(row["id"], message, "ingest", str(session) if session else None)
