"""What services wait for just now, as they tell it themselves: the rows behind the progress line and `/ready`."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, get_args
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    Connection,
    Engine,
    Row,
    String,
    Uuid,
    any_,
    bindparam,
    case,
    delete,
    exists,
    func,
    select,
    tuple_,
)
from sqlalchemy.dialects.postgresql import insert

from services.ingest.lane_choice import COMPREHENSIVE
from services.ingest.sessions.error_words import OF_ABSENT, awaited, cause_in_words
from services.ingest.sessions.progress.totals import Totals, concerns
from services.ingest.sessions.tables import delays, sessions
from services.ingest.tables import CLOCK, users
from services.plurals import counted
from shared.bus.topology import inbox, waiting_as
from shared.contracts import Stage, WorkDelayed
from shared.database import transaction

EVERYBODY = UUID(int=0)
HOLDS_S = 40.0
"""Who waits for an outage to end asks again within half a minute, and tells it again. A dead process tells nothing."""
LATE_S = 10.0
FORGOTTEN = timedelta(hours=1)

_INBOXES = tuple(waiting_as(inbox(service)) for service in get_args(Stage))

QueueOf = Callable[[str], str]
"""By a shop's folder: the queue in which its work for the NAS waits, where not all of them wait in one."""


@dataclass(frozen=True)
class Delays:
    """The rows: one for each service and upload, and one for each service, or NAS, that can do nothing at all."""

    engine: Engine
    queue_of: QueueOf | None = None

    def note(self, event: WorkDelayed) -> None:
        """Remember it for as long as it holds. Of several files that are tried again, the last one counts."""
        with transaction(self.engine) as connection:
            self._note(connection, event)
            _forget_old(connection)

    def _note(self, connection: Connection, event: WorkDelayed) -> None:
        session_id = event.session_id or EVERYBODY
        this = (delays.c.service == event.service, delays.c.session_id == session_id)
        # Ingest itself waits for nothing but the database: if we can write, that wait is over.
        if not event.cause or (event.service == "ingest" and event.session_id is None):
            connection.execute(delete(delays).where(*this))
            return
        again = None if event.again_in_s is None else CLOCK + timedelta(seconds=event.again_in_s)
        holds = HOLDS_S if event.again_in_s is None else event.again_in_s + LATE_S
        new = insert(delays).values(
            service=event.service,
            session_id=session_id,
            cause=event.cause,
            again_at=again,
            until=CLOCK + timedelta(seconds=holds),
        )
        later = case((delays.c.until > new.excluded.until, delays.c.until), else_=new.excluded.until)
        last = func.greatest(delays.c.again_at, new.excluded.again_at)
        still = case((delays.c.again_at > CLOCK, last), else_=new.excluded.again_at)  # what was due is not to come
        changed = {"cause": new.excluded.cause, "again_at": still}
        connection.execute(
            new.on_conflict_do_update(index_elements=["service", "session_id"], set_=changed | {"until": later})
        )

    def of(self, session_id: UUID, totals: Totals) -> str | None:
        """As `awaited_by`, in a transaction of its own."""
        with transaction(self.engine) as connection:
            return awaited_by(connection, session_id, totals, self.queue_of)


def awaited_by(connection: Connection, session_id: UUID, totals: Totals, queue_of: QueueOf | None) -> str | None:
    """What the rest of an upload waits for, in words; None: for nothing but its turn."""
    concerned = [EVERYBODY, session_id, *_INBOXES]
    if queue_of is not None:
        folder = select(users.c.shop_folder).join(sessions, sessions.c.user_id == users.c.id)
        shop = connection.execute(folder.where(sessions.c.id == session_id)).scalar_one_or_none()
        concerned += [waiting_as(queue_of(shop))] if shop else []
    rows = _current(connection, concerned)
    if any(map(_is_absence, rows)):
        lane = connection.execute(select(sessions.c.lane).where(sessions.c.id == session_id)).scalar_one_or_none()
        rows = [row for row in rows if lane == COMPREHENSIVE or not _is_absence(row)]
    causes = dict.fromkeys(_cause_and_retry(row, awaited) for row in rows if concerns(row.service, totals))
    return "; ".join(causes) or None


def _is_absence(row: Row[Any]) -> bool:
    """Whether it is about what goes over the broker alone."""
    return bool(row.cause.startswith(OF_ABSENT))


_OVER_BROKER = exists().where(sessions.c.id == bindparam("session_id", type_=Uuid), sessions.c.lane == COMPREHENSIVE)
OVER = delete(delays).where(
    delays.c.service == any_(bindparam("services", type_=ARRAY(String))),
    (delays.c.session_id == any_(bindparam("whose", type_=ARRAY(Uuid))))
    | ((delays.c.session_id == any_(bindparam("inboxes", type_=ARRAY(Uuid)))) & _OVER_BROKER),
    delays.c.again_at.is_(None) | (delays.c.again_at < CLOCK),
)


def over(connection: Connection, services: Collection[str], session_id: UUID) -> None:
    """These services did some work of an upload: whatever they said that they wait for is over.

    Whichever process said so may be dead by now, and can't take it back. A file that is to be tried again later still
    is; and a process that waits all the same says so again within seconds. Who did work that came over the broker is
    running, too, though its inbox was left alone when it was last looked at.
    """
    inboxes = [waiting_as(inbox(service)) for service in services if service in get_args(Stage)]
    whose = {"whose": [EVERYBODY, session_id], "inboxes": inboxes, "session_id": session_id}
    connection.execute(OVER, {"services": list(services)} | whose)


def wait_no_more(connection: Connection, session_id: UUID, services: Collection[str] = get_args(Stage)) -> None:
    """Forget what these services wait for in an upload: nothing of it is left for them, or all of it was sent anew."""
    mine = (delays.c.session_id == session_id, delays.c.service.in_(services))
    connection.execute(delete(delays).where(*mine))


def current(connection: Connection, session_ids: Collection[UUID] | None = None) -> list[str]:
    """What services wait for, for whoever runs them: with all their work, or with files of these uploads, or of any."""
    rows = _current(connection, None)
    if session_ids is not None:
        waiting = [row.session_id for row in rows]
        uploads = connection.execute(select(sessions.c.id).where(sessions.c.id.in_(waiting))).scalars().all()
        others = set(uploads) - set(session_ids)
        rows = [row for row in rows if row.session_id not in others]
    return list(dict.fromkeys(f"{row.service}: {_cause_and_retry(row, cause_in_words)}" for row in rows))


def outline(connection: Connection) -> list[str]:
    """The same for anybody: which services wait. Causes name servers, their users, and other tenants' files."""
    rows = _current(connection, None)
    whole = dict.fromkeys((row.service for row in rows), False)
    whole |= dict.fromkeys((row.service for row in rows if row.session_id == EVERYBODY), True)
    return [f"{name}: {'all' if whole[name] else 'some of'} its work waits" for name in sorted(whole)]


def _forget_old(connection: Connection) -> None:
    """Delete what holds no more, but for rows that somebody has locked: he may wait for the one noted just now."""
    old = select(delays.c.service, delays.c.session_id).where(delays.c.until < CLOCK - FORGOTTEN)
    unlocked = old.with_for_update(skip_locked=True)
    connection.execute(delete(delays).where(tuple_(delays.c.service, delays.c.session_id).in_(unlocked)))


def on_work_delayed(event: WorkDelayed, delays: Delays) -> None:
    delays.note(event)


def _current(connection: Connection, session_ids: Sequence[UUID] | None) -> Sequence[Row[Any]]:
    holding = select(delays, CLOCK.label("now")).where(delays.c.until > CLOCK)
    if session_ids is not None:
        holding = holding.where(delays.c.session_id.in_(session_ids))
    return connection.execute(holding.order_by(delays.c.session_id, delays.c.service)).all()


def _cause_and_retry(row: Row[Any], spoken: Callable[[str], str]) -> str:
    words = spoken(row.cause)
    return words if row.again_at is None else f"{words}; tried again {_when(row.again_at, row.now)}"


def _when(again_at: datetime, now: datetime) -> str:
    minutes = round((again_at - now).total_seconds() / 60)
    return "within a minute" if minutes < 1 else f"in {counted(minutes, 'minute')}"
