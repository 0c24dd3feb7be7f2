"""What a dead letter's headers and body tell, as a row of the archive. Never refuses: people write letters too."""

import json
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from shared.bus.dead_letter import DeadLetter, plain
from shared.bus.envelope import attempt_of


def row_of(letter: DeadLetter) -> dict[str, Any]:
    """The columns of `ingest.dead_letters`."""
    now = datetime.now(UTC)
    raw = _fields(letter.body)
    return {
        "id": letter.id,
        "service": letter.service,
        "message_type": plain(raw["type"]) if isinstance(raw.get("type"), str) else None,
        "session_id": _uuid(raw.get("correlationid")),
        "cause": letter.cause,
        "attempts": attempt_of(letter.headers),
        "stack": plain(letter.headers.get("x-stack", "")),
        "body": letter.body,
        "first_failed_at": _time(letter.headers.get("x-first-failed-at"), now),
        "dead_at": _time(letter.headers.get("x-dead-at"), now),
    }


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
