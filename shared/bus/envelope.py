"""Messages sealed for the wire: CloudEvents 1.0 in structured JSON, so that any tool can read a dead letter."""

import functools
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid5

from pydantic import ValidationError

from shared import contracts
from shared.contracts import Message
from shared.errors import Permanent

MOST_ATTEMPTS = 1_000_000  # what a header says is no reason to overflow a column
CONTENT_TYPE = "application/cloudevents+json"


class Undecodable(Permanent):
    """These bytes are no message of ours: not JSON, an unknown type, or fields that don't fit."""


@dataclass(frozen=True)
class Envelope:
    """A message with its identity. `correlation_id` is the session, `causation_id` the message it answers."""

    id: UUID
    message: Message
    source: str
    correlation_id: str | None = None
    causation_id: UUID | None = None


@functools.cache
def types() -> dict[str, type[Message]]:
    """Every message class by its wire name."""
    classes = [cls for cls in vars(contracts).values() if isinstance(cls, type) and issubclass(cls, Message)]
    return {cls.__name__: cls for cls in classes if cls is not Message}


def answer_id(cause: UUID, message: Message, index: int) -> UUID:
    """The id of the `index`th answer to a message: the same whenever the message is handled again."""
    return uuid5(cause, f"{type(message).__name__}:{index}")


def attempt_of(headers: Mapping[str, Any]) -> int:
    """Which delivery this is, from 1. Our own header: the broker's x-death can't be trusted on every version."""
    attempt = headers.get("x-attempt")
    return min(attempt, MOST_ATTEMPTS) if isinstance(attempt, int) and attempt > 1 else 1


def seal(envelope: Envelope) -> bytes:
    """The envelope as bytes."""
    body: dict[str, Any] = {
        "specversion": "1.0",
        "id": str(envelope.id),
        "source": f"presswork/{envelope.source}",
        "type": type(envelope.message).__name__,
        "time": datetime.now(UTC).isoformat(),
        "datacontenttype": "application/json",
        "data": envelope.message.model_dump(mode="json"),
    }
    links = {"correlationid": envelope.correlation_id, "causationid": envelope.causation_id}
    body |= {name: str(link) for name, link in links.items() if link}
    return json.dumps(body, separators=(",", ":")).encode()


def unseal(body: bytes) -> Envelope:
    """The envelope in these bytes; Undecodable says in words what is wrong with them."""
    try:
        raw = json.loads(body)
        cls = types().get(raw["type"])
        if cls is None:
            raise Undecodable(f"unknown message type {raw['type']!r}")
        causation, correlation = raw.get("causationid"), raw.get("correlationid")
        if correlation is not None and not (isinstance(correlation, str) and len(correlation.encode()) <= 255):
            raise Undecodable("its session is no short text")  # AMQP could not carry it on
        return Envelope(
            id=UUID(raw["id"]),
            message=cls.model_validate(raw["data"]),
            source=str(raw.get("source", "")).removeprefix("presswork/"),
            correlation_id=correlation,
            causation_id=UUID(causation) if causation else None,
        )
    except RecursionError as error:  # thousands of brackets: not a ValueError to Python's parser
        raise Undecodable("not a CloudEvents envelope: nested too deeply") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        if isinstance(error, ValidationError):
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"])
            raise Undecodable(f"{raw['type']}: {where}: {first['msg']}") from error
        raise Undecodable(f"not a CloudEvents envelope: {error!r}") from error
