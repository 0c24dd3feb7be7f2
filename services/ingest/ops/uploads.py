"""Anybody's uploads, as operators and viewers look at them: whose they are, how they stand, their receipts."""

from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Engine, select

from services.ingest.catalog.users import email_key
from services.ingest.sessions import reading
from services.ingest.sessions.delays import Delays
from services.ingest.sessions.records import session_of
from services.ingest.sessions.store import Sessions
from services.ingest.sessions.tables import sessions
from services.ingest.tables import users
from shared.database import transaction

SELLER = (users.c.email.label("seller"), users.c.shop_name.label("shop"))


def recent(connection: Connection, tenant: str | None, limit: int, offset: int = 0) -> list[dict[str, Any]]:
    """Uploads, newest first: everybody's, or a seller's, by e-mail or user id."""
    newest = _WITH_SELLER.order_by(sessions.c.announced_at.desc()).limit(limit).offset(offset)
    rows = connection.execute(newest.where(_of(tenant)) if tenant else newest).all()
    return [_seller(row) | reading.session(session_of(row)) for row in rows]


def whole(engine: Engine, name: str) -> list[dict[str, Any]]:
    """The uploads of this id, or of this id of their clients': how each stands, and what it waits for."""
    found = []
    for row in _named(engine, name):
        session = session_of(row)
        cause = None if session.finished else Delays(engine).of(session.id, session.totals)
        found.append(_seller(row) | reading.session(session, cause))
    return found


def receipts(engine: Engine, name: str) -> list[dict[str, Any]]:
    """The same uploads' receipts, as their sellers have them."""
    kept = Sessions(engine, hashers=1)
    return [_seller(row) | reading.receipt(*kept.receipt(session_of(row))) for row in _named(engine, name)]


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
