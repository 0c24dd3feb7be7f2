"""The queues, exchanges and bindings, as data derived from the services.

    events  (topic)  image.hashed ...                      -> the inbox of each service that listens to that type
    progress (topic) progress.<session>.<stage>.<outcome>  -> the inbox of each service that follows progress
    retry   (topic)  <delay>.<service> -> retry.<delay>    -> (after its TTL) redeliver (topic) *.<service> -> inbox
    dead    (direct) <service>         -> <service>.dead

Everything is durable and every queue a quorum queue: a confirm then means written to disk by a majority.
Safety (dead-letter exchange, at-least-once, reject-publish, delivery limit) stands in the queue's own arguments so
that no queue can exist without it. The arguments are ones that RabbitMQ 3.10, 3.13 and 4.x all accept. The delay of a
retry queue is part of its name: changing one makes a new queue instead of a declaration conflict.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from shared.bus.service import Service
from shared.contracts import ItemEvent, Message

EVENTS = "presswork.events"
PROGRESS = "presswork.progress"
RETRY = "presswork.retry"
REDELIVER = "presswork.redeliver"
DEAD = "presswork.dead"

DELIVERY_LIMIT = 10
"""Deliveries of one message that may end with its consumer's death; small prefetch keeps innocents below it."""

PRACTICALLY_NEVER = 1_000_000


@dataclass(frozen=True)
class Route:
    """Where one copy of a message is published."""

    exchange: str
    key: str


@dataclass(frozen=True)
class Exchange:
    """A durable exchange."""

    name: str
    kind: Literal["topic", "direct"]


@dataclass(frozen=True)
class Queue:
    """A durable queue with its fixed arguments and its bindings."""

    name: str
    arguments: Mapping[str, str | int]
    bindings: tuple[Route, ...]


@dataclass(frozen=True)
class Topology:
    """All that must exist on the broker."""

    exchanges: tuple[Exchange, ...]
    queues: tuple[Queue, ...]


def inbox(service: str) -> str:
    """The queue that a service's consumers share."""
    return f"presswork.{service}"


def dead_queue(service: str) -> str:
    """Where a service's dead letters wait for a person."""
    return f"presswork.{service}.dead"


def routing_key(message_type: type[Message]) -> str:
    """`ImageHashed` -> `image.hashed`."""
    return re.sub(r"(?<!^)(?=[A-Z])", ".", message_type.__name__).lower()


def routes(message: Message) -> tuple[Route, ...]:
    """Every place that a message is published to. Each copy must reach a queue."""
    found: list[Route] = []
    if type(message).work:
        found.append(Route(EVENTS, routing_key(type(message))))
    if isinstance(message, ItemEvent):
        found.append(Route(PROGRESS, f"progress.{message.session_id}.{message.stage}.{message.outcome}"))
    return tuple(found)


def retry_route(service: str, delay_s: float) -> Route:
    """Where a message waits for its next attempt."""
    return Route(RETRY, f"{tier(delay_s)}.{service}")


def dead_route(service: str) -> Route:
    """Where a buried message goes."""
    return Route(DEAD, service)


def tier(delay_s: float) -> str:
    """The name of a delay: 5 -> `5000ms`."""
    return f"{round(delay_s * 1000)}ms"


def bindings(service: Service) -> tuple[Route, ...]:
    """What a service's inbox is bound to."""
    heard = [Route(REDELIVER, f"*.{service.name}")]
    if service.follows_progress:
        heard.append(Route(PROGRESS, "progress.#"))
    else:
        heard += [Route(EVENTS, routing_key(message_type)) for message_type in service.handlers]
    return tuple(heard)


def topology(services: Iterable[Service]) -> Topology:
    """All queues and exchanges of these services."""
    services = tuple(services)
    delays = sorted({delay for service in services for delay in service.retry.delays_s})
    exchanges = (
        Exchange(EVENTS, "topic"),
        Exchange(PROGRESS, "topic"),
        Exchange(RETRY, "topic"),
        Exchange(REDELIVER, "topic"),
        Exchange(DEAD, "direct"),
    )
    queues = [_inbox_queue(service) for service in services]
    mortal = dict.fromkeys(name for service in services for name in (service.name, *service.archives))
    queues += [_dead_letter_queue(name) for name in mortal]
    queues += [_retry_queue(delay) for delay in delays]
    return Topology(exchanges, tuple(queues))


def _inbox_queue(service: Service) -> Queue:
    arguments = _safe(DEAD) | {
        "x-dead-letter-routing-key": service.name,
        "x-delivery-limit": DELIVERY_LIMIT,
    }
    return Queue(inbox(service.name), arguments, bindings(service))


def _dead_letter_queue(service: str) -> Queue:
    # RabbitMQ 4 drops a message at its twentieth delivery unless it is told otherwise; 3.x knows no "never".
    arguments: dict[str, str | int] = {"x-queue-type": "quorum", "x-delivery-limit": PRACTICALLY_NEVER}
    return Queue(dead_queue(service), arguments, (dead_route(service),))


def _retry_queue(delay_s: float) -> Queue:
    # No dead-letter-routing-key: the key `<delay>.<service>` must survive to find its way back.
    arguments = _safe(REDELIVER) | {"x-message-ttl": round(delay_s * 1000)}
    return Queue(f"presswork.retry.{tier(delay_s)}", arguments, (Route(RETRY, f"{tier(delay_s)}.*"),))


def _safe(dead_letter_exchange: str) -> dict[str, str | int]:
    """At-least-once dead lettering needs both of the last two (RabbitMQ documentation, quorum queues)."""
    return {
        "x-queue-type": "quorum",
        "x-dead-letter-exchange": dead_letter_exchange,
        "x-dead-letter-strategy": "at-least-once",
        "x-overflow": "reject-publish",
    }
