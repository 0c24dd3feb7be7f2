"""A message as it lies in a dead-letter queue: perhaps unreadable, with the headers that say why it died."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import NAMESPACE_OID, UUID, uuid5

from shared.bus.envelope import attempt_of
from shared.contracts import Message, Stage


class DeadLetter(Message):
    """What an archiver handles in place of a typed message. Never published."""

    id: UUID
    service: Stage
    body: str
    cause: str
    attempts: int
    stack: str
    first_failed_at: datetime
    dead_at: datetime
    message_type: str | None = None
    session_id: UUID | None = None

    @classmethod
    def of(cls, service: Stage, body: bytes, headers: Mapping[str, Any]) -> "DeadLetter":
        """Read what can be read, and never refuse: people put letters there by hand as well.

        A letter that the broker itself buried has only its `x-death` to tell why.
        """
        text = _text(body.decode(errors="replace"))
        now = datetime.now(UTC)
        raw = _fields(text)
        return cls(
            # The same letter delivered twice is one letter; the same message dying again later is another.
            id=uuid5(NAMESPACE_OID, f"{service}:{headers.get('x-dead-at', '')}:{text}"),
            service=service,
            body=text,
            cause=_text(headers.get("x-cause") or _broker_cause(headers)),
            attempts=attempt_of(headers),
            stack=_text(headers.get("x-stack", "")),
            first_failed_at=_time(headers.get("x-first-failed-at"), now),
            dead_at=_time(headers.get("x-dead-at"), now),
            message_type=_text(raw["type"]) if isinstance(raw.get("type"), str) else None,
            session_id=_uuid(raw.get("correlationid")),
        )


def _broker_cause(headers: Mapping[str, Any]) -> str:
    deaths = headers.get("x-death")
    first = deaths[0] if isinstance(deaths, list) and deaths and isinstance(deaths[0], Mapping) else {}
    reason = str(headers.get("x-first-death-reason") or first.get("reason", "unknown"))
    if reason == "delivery_limit":
        return "its consumer died each time it was delivered (delivery limit reached)"
    return f"the broker dead-lettered it: {reason}"


def _text(value: object) -> str:
    # PostgreSQL has no NUL in texts, and UTF-8 has no lone surrogates.
    return str(value).replace("\x00", "\ufffd").encode(errors="replace").decode()


def _time(value: object, otherwise: datetime) -> datetime:
    try:
        found = datetime.fromisoformat(str(value))
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):  # no time, or one so near the ends of the calendar that it is none in UTC
        return otherwise


def _fields(text: str) -> dict[str, Any]:
    try:
        raw = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return raw if isinstance(raw, dict) else {}


def _uuid(value: object) -> UUID | None:
    try:
        return UUID(str(value))
    except ValueError:
        return None
