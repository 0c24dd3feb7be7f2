"""Which dead letters: the filters of commands and API, as queries."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import ColumnElement, Connection, Select, Text, and_, cast, exists, func, or_, select

from services.ingest.catalog import fields
from services.ingest.catalog.users import email_key
from services.ingest.dead_letter_tables import OPEN, audit, dead_letters
from services.ingest.sessions.actions.cancel_result import WAS_CANCELLED
from services.ingest.sessions.tables import items, listings, sessions
from services.ingest.tables import CLOCK, users
from shared.contracts import Stage

Status = Literal["dead", "dead_again", "replaying", "resolved", "superseded", "discarded"]

LISTED = (
    *("id", "service", "message_type", "status", "outcome", "cause", "error", "frame", "fingerprint", "attempts"),
    *("tenant_id", "session_id", "files", "item_id", "mockup_id", "lane", "version", "host", "note"),
    *("first_failed_at", "dead_at", "kept_at", "status_at", "status_by", "generation", "replay_of"),
)


class Filter(BaseModel):
    """What to look for; everything that is given must fit. Texts match anywhere, whatever their case."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    ids: tuple[UUID, ...] = ()
    service: Stage | None = None
    session: UUID | fields.Text | None = Field(default=None, description="the upload: its own id, or its client's")
    tenant: fields.Text | None = Field(default=None, description="user id or e-mail")
    file: fields.Text | None = Field(default=None, description="part of a file's name, or its item id")
    cause: fields.Text | None = Field(default=None, description="part of the cause")
    fingerprint: fields.Text | None = Field(default=None, description="a group, or its beginning")
    text: fields.Text | None = Field(default=None, description="anywhere in cause, stack, body, note")
    since: datetime | None = Field(default=None, description="died at or after")
    until: datetime | None = Field(default=None, description="died before")
    status: tuple[Status, ...] = ()

    def given(self) -> dict[str, Any]:
        """What was asked for, for the audit."""
        return self.model_dump(mode="json", exclude_defaults=True)

    def where(self) -> ColumnElement[bool]:
        """The condition."""
        letter = dead_letters.c
        wanted: list[ColumnElement[bool] | None] = [
            letter.id.in_(self.ids) if self.ids else None,
            letter.service == self.service if self.service else None,
            _of_upload(str(self.session)) if self.session else None,
            _of_tenant(self.tenant) if self.tenant else None,
            cast(letter.files, Text).icontains(self.file, autoescape=True) if self.file else None,
            letter.cause.icontains(self.cause, autoescape=True) if self.cause else None,
            letter.fingerprint.startswith(self.fingerprint, autoescape=True) if self.fingerprint else None,
            _anywhere(self.text) if self.text else None,
            letter.dead_at >= self.since if self.since else None,
            letter.dead_at < self.until if self.until else None,
            letter.status.in_(self.status) if self.status else None,
        ]
        return and_(True, *(condition for condition in wanted if condition is not None))


def letters(connection: Connection, wanted: Filter, limit: int, offset: int = 0) -> list[dict[str, Any]]:
    """Letters without stack, headers and body, newest first."""
    found = select(*(dead_letters.c[name] for name in LISTED)).where(wanted.where())
    newest = found.order_by(dead_letters.c.dead_at.desc(), dead_letters.c.id)
    return [dict(row) for row in connection.execute(newest.limit(limit).offset(offset)).mappings()]


def count(connection: Connection, wanted: Filter) -> int:
    """How many fit."""
    return int(connection.execute(select(func.count()).where(wanted.where()).select_from(dead_letters)).scalar_one())


def targets(connection: Connection, wanted: Filter, cutoff: datetime | None, limit: int | None) -> list[UUID]:
    """The letters to replay, oldest first: those that wait for somebody and were there at the cut-off.

    Whoever names letters hears of each of them why it can't be replayed, so these are not left out here.
    """
    found = select(dead_letters.c.id).where(wanted.where())
    if not wanted.ids:
        found = found.where(dead_letters.c.status.in_(OPEN))
        if cutoff is not None:
            found = found.where(dead_letters.c.kept_at <= cutoff)
    oldest = found.order_by(dead_letters.c.dead_at, dead_letters.c.id).limit(limit)
    return list(connection.execute(oldest).scalars())


def failed_without(connection: Connection, session_id: UUID) -> list[str]:
    """The files of an upload that have failed, or whose listing has, that no letter waits for and nobody cancelled."""
    waits = exists().where(dead_letters.c.item_id == items.c.id, dead_letters.c.status.in_(OPEN))
    unlisted = exists().where(listings.c.item_id == items.c.id, listings.c.state == "failed", ~listings.c.cancelled)
    failed = (items.c.session_id == session_id, or_(items.c.state == "failed", unlisted), ~waits, ~WAS_CANCELLED)
    return list(connection.execute(select(items.c.filename).where(*failed).order_by(items.c.index)).scalars())


def clock(connection: Connection) -> datetime:
    """The database's time, which says what was there before and what came after."""
    now: datetime = connection.execute(select(CLOCK)).scalar_one()
    return now


def groups(connection: Connection, wanted: Filter, limit: int) -> list[dict[str, Any]]:
    """Letters by cause: how many, since when, until when, how many of them wait for somebody.

    One fingerprint is one group, whichever services it hit: what is done by fingerprint is done to all of the group.
    """
    letter = dead_letters.c
    waiting = func.count().filter(letter.status.in_(OPEN))
    grouped: Select[Any] = select(
        letter.fingerprint,
        func.array_agg(letter.service.distinct()).label("services"),
        func.max(letter.error).label("error"),  # which are the same in all of them
        func.max(letter.frame).label("frame"),
        func.count().label("letters"),
        waiting.label("waiting"),
        func.count(letter.session_id.distinct()).label("sessions"),
        func.min(letter.dead_at).label("first_at"),
        func.max(letter.dead_at).label("last_at"),
        func.array_remove(func.array_agg(letter.version.distinct()), None).label("versions"),
        func.max(letter.note).label("note"),
        func.max(letter.cause).label("cause"),
    ).where(wanted.where())
    grouped = grouped.group_by(letter.fingerprint)
    most = grouped.order_by(waiting.desc(), func.max(letter.dead_at).desc()).limit(limit)
    return [dict(row) for row in connection.execute(most).mappings()]


def named(connection: Connection, name: str) -> list[UUID]:
    """The letters whose id is this, or begins so."""
    begins = cast(dead_letters.c.id, Text).startswith(name.lower(), autoescape=True)
    return list(connection.execute(select(dead_letters.c.id).where(begins).limit(2)).scalars())


def whole(connection: Connection, letter_id: UUID) -> dict[str, Any] | None:
    """One letter with everything, its history and its lineage."""
    row = connection.execute(select(dead_letters).where(dead_letters.c.id == letter_id)).mappings().one_or_none()
    if row is None:
        return None
    history = select(audit).where(audit.c.letter_id == letter_id).order_by(audit.c.at)
    found = {name: value for name, value in row.items() if name != "raw"}
    found["history"] = [dict(entry) for entry in connection.execute(history).mappings()]
    found["lineage"] = lineage(connection, letter_id)
    return found


def lineage(connection: Connection, letter_id: UUID) -> Sequence[UUID]:
    """The letters that are one message's deaths, from the first to the last."""
    columns = select(dead_letters.c.id, dead_letters.c.replay_of)
    earlier = columns.where(dead_letters.c.id == letter_id).cte("earlier", recursive=True)
    earlier = earlier.union(columns.join(earlier, dead_letters.c.id == earlier.c.replay_of))
    later = columns.where(dead_letters.c.id == letter_id).cte("later", recursive=True)
    later = later.union(columns.join(later, dead_letters.c.replay_of == later.c.id))
    found = select(dead_letters.c.id).where(
        or_(dead_letters.c.id.in_(select(earlier.c.id)), dead_letters.c.id.in_(select(later.c.id)))
    )
    return connection.execute(found.order_by(dead_letters.c.kept_at)).scalars().all()


def seller(connection: Connection, tenant_id: UUID | None) -> dict[str, Any] | None:
    """E-mail and shop of the account that a letter is of, if there is one still."""
    found = select(users.c.email, users.c.shop_name).where(users.c.id == tenant_id)
    row = connection.execute(found).mappings().one_or_none()
    return None if row is None else dict(row)


def knows_tenant(connection: Connection, tenant: str) -> bool:
    """Whether an account has this id or e-mail, or a letter is of one that had it."""
    account = select(users.c.id).where(
        or_(cast(users.c.id, Text) == tenant.lower(), users.c.email_key == email_key(tenant))
    )
    letter = select(dead_letters.c.id).where(cast(dead_letters.c.tenant_id, Text) == tenant.lower())
    return bool(connection.execute(select(or_(exists(account), exists(letter)))).scalar_one())


def _of_upload(session: str) -> ColumnElement[bool]:
    by_key = dead_letters.c.session_id.in_(select(sessions.c.id).where(sessions.c.client_key == session))
    try:
        return or_(dead_letters.c.session_id == UUID(session), by_key)
    except ValueError:
        return by_key


def _of_tenant(tenant: str) -> ColumnElement[bool]:
    by_mail = select(users.c.id).where(users.c.id == dead_letters.c.tenant_id, users.c.email_key == email_key(tenant))
    return or_(cast(dead_letters.c.tenant_id, Text) == tenant.lower(), exists(by_mail))


def _anywhere(text: str) -> ColumnElement[bool]:
    places = (dead_letters.c.cause, dead_letters.c.stack, dead_letters.c.body, dead_letters.c.note)
    return or_(*(place.icontains(text, autoescape=True) for place in places))
