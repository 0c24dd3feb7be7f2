"""A message as it lies in a dead-letter queue: perhaps unreadable, with the headers that say why it died."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import NAMESPACE_OID, UUID, uuid5

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
        """Read what can be read. A letter that the broker itself buried has only its `x-death` to tell why."""
        text = body.decode(errors="replace")
        now = datetime.now(UTC).isoformat()
        raw = _fields(text)
        return cls(
            # The same letter delivered twice is one letter; the same message dying again later is another.
            id=uuid5(NAMESPACE_OID, f"{service}:{headers.get('x-dead-at', '')}:{text}"),
            service=service,
            body=text.replace("\x00", "\ufffd"),
            cause=str(headers.get("x-cause") or _broker_cause(headers)),
            attempts=int(headers.get("x-attempt", 1)),
            stack=str(headers.get("x-stack", "")),
            first_failed_at=headers.get("x-first-failed-at", now),
            dead_at=headers.get("x-dead-at", now),
            message_type=raw.get("type") if isinstance(raw.get("type"), str) else None,
            session_id=_uuid(raw.get("correlationid")),
        )


def _broker_cause(headers: Mapping[str, Any]) -> str:
    deaths = headers.get("x-death") or [{}]
    reason = str(headers.get("x-first-death-reason") or dict(deaths[0]).get("reason", "unknown"))
    if reason == "delivery_limit":
        return "its consumer died each time it was delivered (delivery limit reached)"
    return f"the broker dead-lettered it: {reason}"


def _fields(text: str) -> dict[str, Any]:
    try:
        raw = json.loads(text)
    except ValueError:
        return {}
    return raw if isinstance(raw, dict) else {}


def _uuid(value: object) -> UUID | None:
    try:
        return UUID(str(value))
    except ValueError:
        return None
