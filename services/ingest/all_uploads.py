"""Anybody's uploads, as operators and viewers look at them: whose they are, how they stand, their receipts."""

from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Engine, func, select

from services.ingest.catalog.users import email_key
from services.ingest.sessions.lifecycle.records import Session
from services.ingest.sessions.lifecycle.rows import session_of
from services.ingest.sessions.progress.delays import QueueOf, awaited_by
from services.ingest.sessions.serving import views
from services.ingest.sessions.serving.store import Sessions
from services.ingest.sessions.serving.uncompared import ScanOf, uncompared
from services.ingest.sessions.tables import sessions
from services.ingest.tables import users
from shared.database import transaction

SELLER = (users.c.email.label("seller"), users.c.shop_name.label("shop"))


def recent(
    connection: Connection, tenant: str | None, limit: int, offset: int = 0, *, queue_of: QueueOf | None
) -> list[dict[str, Any]]:
    """Uploads, newest first: everybody's, or a seller's, by e-mail or user id; each with what it waits for."""
    newest = _WITH_SELLER.order_by(sessions.c.announced_at.desc()).limit(limit).offset(offset)
    rows = connection.execute(newest.where(_of(tenant)) if tenant else newest).all()
    found = [(row, session_of(row)) for row in rows]
    return [_seller(row) | views.session(each, _cause(connection, each, queue_of)) for row, each in found]


def in_work(connection: Connection, user_id: UUID) -> int:
    """How many uploads of an account have files, and have not ended."""
    mine = select(func.count()).where(sessions.c.user_id == user_id, sessions.c.state == "working")
    return connection.execute(mine).scalar_one()


def whole(engine: Engine, name: str, queue_of: QueueOf | None) -> list[dict[str, Any]]:
    """The uploads of this id, or of this id of their clients': how each stands, and what it waits for."""
    found = []
    for row in _named(engine, name):
        session = session_of(row)
        with transaction(engine) as connection:
            cause = _cause(connection, session, queue_of)
        found.append(_seller(row) | views.session(session, cause))
    return found


def receipts(engine: Engine, name: str, queue_of: QueueOf | None, scan_of: ScanOf) -> list[dict[str, Any]]:
    """The same uploads' receipts, as their sellers have them."""
    kept = Sessions(engine, hashers=1)
    found = []
    for row in _named(engine, name):
        session, items = kept.receipt(session_of(row))
        with transaction(engine) as connection:
            cause = _cause(connection, session, queue_of)
            notes = uncompared(connection, session, scan_of)
        found.append(_seller(row) | views.receipt(session, items, cause, notes))
    return found


def _cause(connection: Connection, session: Session, queue_of: QueueOf | None) -> str | None:
    """What an upload waits for."""
    return None if session.finished else awaited_by(connection, session.id, session.totals, queue_of)


_WITH_SELLER = select(sessions, *SELLER).select_from(
    sessions.join(users, users.c.id == sessions.c.user_id, isouter=True)
)


def _named(engine: Engine, name: str) -> list[Any]:
    if "\0" in name:  # no text in PostgreSQL has it
        return []
    with transaction(engine) as connection:
        found = connection.execute(_WITH_SELLER.where(sessions.c.id == _uuid(name))).all()
        return list(found or connection.execute(_WITH_SELLER.where(sessions.c.client_key == name)).all())


def _of(tenant: str) -> ColumnElement[bool]:
    user_id = _uuid(tenant)
    return sessions.c.user_id == user_id if user_id else users.c.email_key == email_key(tenant)


def _seller(row: Any) -> dict[str, Any]:  # noqa: ANN401 - a row
    return {"seller": row.seller, "shop": row.shop}


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
