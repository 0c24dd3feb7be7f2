"""All that must exist on the broker, as data derived from the services.

Everything is durable and every queue a quorum queue: a confirm then means written to disk by a majority.
Safety (dead-letter exchange, at-least-once, reject-publish, delivery limit) stands in the queue's own arguments so
that no queue can exist without it. The arguments are ones that RabbitMQ 3.10, 3.13 and 4.x all accept. The delay of a
retry queue is part of its name: changing one makes a new queue instead of a declaration conflict. Numbers that may be
changed while queues exist are policies (`policies.py`).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from shared.bus.service import Service
from shared.bus.topology import (
    DEAD,
    EVENTS,
    PROGRESS,
    REDELIVER,
    RETRY,
    Route,
    bindings,
    dead_queue,
    dead_route,
    inbox,
    tier,
)

DELIVERY_LIMIT = 10
"""How often one message may come back to its queue unsettled; then the broker buries it.

The broker counts each return alike, whether its consumer died at work on the message or had not begun it: after a
closed channel, also one whose consumer was cancelled before, a nack and a recover (seen on 3.10.8). So the death of a
process counts for all that it had in hand (dedup 24, ingest 64), and a restart or a renewed consumer (`_Inbox._watch`)
for what was not begun. Hashers, where a picture may be the cause, have one message in hand: none is counted for
another's sake. In a long outage some of the ten are spent on messages that keep their place in the queue
(`shared/bus/rabbit.py`, RETURNS). Operators read of it in docs/operations.md.

To raise it takes new queues: a broker refuses to declare a queue with another limit than it has, and where a policy has
another one, too, the lower counts.
"""

PRACTICALLY_NEVER = 1_000_000


@dataclass(frozen=True)
class Exchange:
    """A durable exchange."""

    name: str
    kind: Literal["topic", "direct"]


@dataclass(frozen=True)
class Queue:
    """A durable queue with its fixed arguments and its bindings."""

    name: str
    kind: Literal["inbox", "dead", "retry"]
    arguments: Mapping[str, str | int]
    bindings: tuple[Route, ...]


@dataclass(frozen=True)
class Topology:
    """All that must exist on the broker."""

    exchanges: tuple[Exchange, ...]
    queues: tuple[Queue, ...]


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
    queues = [_inbox_queue(each) for service in services for each in (service, *service.branches)]
    mortal = dict.fromkeys(name for service in services for name in (service.name, *service.archives))
    queues += [_dead_letter_queue(name) for name in mortal]
    queues += [_retry_queue(delay) for delay in delays]
    return Topology(exchanges, tuple(queues))


def living(wanted: Topology) -> tuple[str, ...]:
    """The queues that work passes through: all but those of dead letters."""
    return tuple(queue.name for queue in wanted.queues if queue.kind != "dead")


def _inbox_queue(service: Service) -> Queue:
    arguments = _safe(DEAD) | {
        "x-dead-letter-routing-key": service.name,
        "x-delivery-limit": DELIVERY_LIMIT,
    }
    return Queue(service.queue or inbox(service.name), "inbox", arguments, bindings(service))


def _dead_letter_queue(service: str) -> Queue:
    # RabbitMQ 4 drops a message at its twentieth delivery unless it is told otherwise; 3.x knows no "never".
    arguments: dict[str, str | int] = {"x-queue-type": "quorum", "x-delivery-limit": PRACTICALLY_NEVER}
    return Queue(dead_queue(service), "dead", arguments, (dead_route(service),))


def _retry_queue(delay_s: float) -> Queue:
    # No dead-letter-routing-key: the key `<delay>.<service>` must survive to find its way back.
    arguments = _safe(REDELIVER) | {"x-message-ttl": round(delay_s * 1000)}
    return Queue(f"presswork.retry.{tier(delay_s)}", "retry", arguments, (Route(RETRY, f"{tier(delay_s)}.*"),))


def _safe(dead_letter_exchange: str) -> dict[str, str | int]:
    """At-least-once dead lettering needs both of the last two (RabbitMQ documentation, quorum queues)."""
    return {
        "x-queue-type": "quorum",
        "x-dead-letter-exchange": dead_letter_exchange,
        "x-dead-letter-strategy": "at-least-once",
        "x-overflow": "reject-publish",
    }
