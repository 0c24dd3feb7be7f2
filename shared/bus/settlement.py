"""What becomes of a delivered message: THE table, and the copies that it publishes. `delivery.py` acts by it.

A copy is confirmed before its input is acked: a crash in between doubles a message and loses none.
"""

import socket
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum
from importlib.metadata import distributions
from typing import Any, NamedTuple
from uuid import UUID, uuid5

from shared.bus.dead_letter import DeadLetter
from shared.bus.envelope import Undecodable, attempt_of
from shared.bus.retry import RetryPolicy
from shared.bus.service import Service
from shared.bus.topology import Route, dead_route, retry_route
from shared.contracts import Stage
from shared.errors import Busy, Elsewhere, Permanent

Headers = Mapping[str, Any]

VERSION = next((found.version for found in distributions(name="presswork")), "not installed")
OURS = ("x-attempt", "x-first-failed-at", "x-generation", "x-replay-id")
OF_DEATH = ("x-service", "x-dead-at", "x-session", "x-version", "x-host", "x-stack")
# AMQP can't split a header frame (aiormq): all of ours together stay below 16 KiB, whatever a letter brought along.
HEADER_BYTES = {"x-stack": 4096, "x-cause": 1024}  # and 255 of any other


@dataclass(frozen=True)
class Sealed:
    """Bytes and headers, ready for a transport. `id` is unique per copy."""

    id: str
    body: bytes
    headers: Headers = field(default_factory=dict)
    correlation_id: str | None = None


@dataclass(frozen=True)
class Delivery:
    """One message as a transport hands it over. `dead_service` is set when it comes from a dead-letter queue."""

    body: bytes
    headers: Headers
    dead_service: Stage | None = None
    returnable: bool = False  # unsettled, it goes back to the head of its queue

    @property
    def attempt(self) -> int:
        return attempt_of(self.headers)

    def kept_long(self, *, outage: bool) -> "Outcome":
        """In an outage, when all wait, it goes back to its queue's head (`RETURNS` times); alone, it makes room."""
        return Outcome.RETURNED if outage and self.returnable else Outcome.KEPT_LONG


@dataclass(frozen=True)
class Failed:
    """A delivery that was not handled, with its error if that is why, and the session that it was about if known."""

    service: Service
    delivery: Delivery
    error: Exception | None = None
    session: str | None = None

    def kept(self, *names: str) -> dict[str, Any]:
        """Our own headers. `x-death` and its kin must never be published again: RabbitMQ 3.x reads them as a cycle."""
        headers = {name: value for name, value in self.delivery.headers.items() if name in (*OURS, *names)}
        return {**headers, "x-attempt": self.delivery.attempt}

    def copy(self, headers: Headers, kind: str) -> Sealed:
        """The same body with other headers."""
        # The id only tells copies in flight apart; equal bodies on one attempt are the same message.
        name = uuid5(UUID(int=0), self.delivery.body.decode("latin-1"))
        bounded = {name: _bounded(name, value) for name, value in headers.items()}
        return Sealed(f"{name}@{kind}.{headers['x-attempt']}", self.delivery.body, bounded)


def _dead(failed: Failed) -> tuple[Route, Sealed]:
    service, error, attempt, now = failed.service, failed.error, failed.delivery.attempt, datetime.now(UTC).isoformat()
    headers = {
        "x-first-failed-at": now,
        **failed.kept(),
        "x-cause": f"{type(error).__name__}: {error}" + (f" (after {attempt} attempts)" if attempt > 1 else ""),
        "x-service": service.name,
        "x-dead-at": now,
        "x-session": failed.session or "",
        "x-version": VERSION,
        "x-host": socket.gethostname(),
        "x-stack": "".join(traceback.format_exception(error)),
    }
    return dead_route(service.name), failed.copy(headers, "dead")


def _retried(failed: Failed) -> tuple[Route, Sealed]:
    attempt, policy = failed.delivery.attempt, failed.service.retry
    headers = {"x-first-failed-at": datetime.now(UTC).isoformat(), **failed.kept(), "x-attempt": attempt + 1}
    return retry_route(failed.service.name, policy.after(attempt) or 0), failed.copy(headers, "retry")


def _deferred(failed: Failed) -> tuple[Route, Sealed]:
    """The same attempt, later: a dead letter goes to the end of its own queue, as its inbox is not ours."""
    service, delivery = failed.service, failed.delivery
    if delivery.dead_service is None:
        delay_s = service.retry.delays_s[0 if isinstance(failed.error, Busy) else -1]
        return retry_route(service.name, delay_s), failed.copy(failed.kept(), "defer")
    cause = DeadLetter.of(delivery.dead_service, delivery.body, delivery.headers).cause
    return dead_route(delivery.dead_service), failed.copy({**failed.kept(*OF_DEATH), "x-cause": cause}, "defer")


def _elsewhere(failed: Failed) -> tuple[Route, Sealed]:
    return Route("", str(failed.error)), failed.copy(failed.kept(), "elsewhere")


class Settlement(NamedTuple):
    """What is published in the message's place, if anything, and whether it is then acked or left to come again."""

    words: str
    publishes: Callable[[Failed], tuple[Route, Sealed]] | None
    acks: bool


class Outcome(Enum):
    """How handling a message ended. While it waits for an outage to end it has no outcome, and is not settled."""

    HANDLED = Settlement("handled", None, acks=True)
    UNDECODABLE = Settlement("undecodable", _dead, acks=True)
    PERMANENT = Settlement("failed for good", _dead, acks=True)
    FAILED = Settlement("failed, tried again later", _retried, acks=True)
    EXHAUSTED = Settlement("failed for the last time", _dead, acks=True)
    KEPT_LONG = Settlement("kept through an outage for as long as a broker has patience", _deferred, acks=True)
    BUSY = Settlement("another one holds what it needs, tried again soon", _deferred, acks=True)
    RETURNED = Settlement("kept so long, and goes back to its place in the queue", None, acks=False)
    ELSEWHERE = Settlement("is for another queue", _elsewhere, acks=True)
    STOPPING = Settlement("the process stops", None, acks=False)


def outcome_of(error: Exception, policy: RetryPolicy, attempt: int) -> Outcome:
    """The outcome of a message that is not kept here."""
    if isinstance(error, Elsewhere | Busy):
        return Outcome.BUSY if isinstance(error, Busy) else Outcome.ELSEWHERE
    if isinstance(error, Permanent):
        return Outcome.UNDECODABLE if isinstance(error, Undecodable) else Outcome.PERMANENT
    return Outcome.EXHAUSTED if policy.after(attempt) is None else Outcome.FAILED


def _bounded(name: str, value: object) -> int | str:
    """A number, or a text cut to what always fits; of a stack the end, which says where it broke."""
    if isinstance(value, int) and abs(value) < 1 << 31:
        return value
    most, text = HEADER_BYTES.get(name, 255), str(value).encode(errors="replace")
    return (text[-most:] if name == "x-stack" else text[:most]).decode(errors="ignore")
