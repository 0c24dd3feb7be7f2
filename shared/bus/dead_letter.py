"""A message as it lies in a dead-letter queue: perhaps unreadable, with the headers that say why it died."""

from collections.abc import Mapping
from typing import Any
from uuid import NAMESPACE_OID, UUID, uuid5

from shared.contracts import Message, Stage


class DeadLetter(Message):
    """What an archiver handles in place of a typed message. Never published."""

    id: UUID
    service: Stage
    body: str
    raw: bytes | None = None  # the bytes themselves, where `body` is not them word for word
    cause: str
    headers: Mapping[str, Any]

    @classmethod
    def of(cls, service: Stage, body: bytes, headers: Mapping[str, Any]) -> "DeadLetter":
        """Take it as it is, and never refuse: people put letters there by hand, and the broker itself buries some."""
        text = storable(body.decode(errors="replace"))
        # One letter, by its bytes, however often it comes, or is buried when its ack was lost; after a replay another.
        identity = uuid5(NAMESPACE_OID, f"{service}:{headers.get('x-replay-id', '')}:{body.decode('latin-1')}")
        raw = None if text.encode() == body else body
        cause = storable(headers.get("x-cause") or _broker_cause(headers))
        return cls(id=identity, service=service, body=text, raw=raw, cause=cause, headers=headers)


def storable(value: object) -> str:
    """A text that the database takes: PostgreSQL has no NUL in texts, and UTF-8 has no lone surrogates."""
    return str(value).replace("\x00", "\ufffd").encode(errors="replace").decode()


def _broker_cause(headers: Mapping[str, Any]) -> str:
    deaths = headers.get("x-death")
    first = deaths[0] if isinstance(deaths, list) and deaths and isinstance(deaths[0], Mapping) else {}
    reason = str(headers.get("x-first-death-reason") or first.get("reason", "unknown"))
    if reason == "delivery_limit":
        return "its consumer died each time it was delivered (delivery limit reached)"
    return f"the broker dead-lettered it: {reason}"
