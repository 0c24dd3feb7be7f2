"""Exchanges, routing keys and bindings, derived from the services; `services/ops/queues.py` has the queues.

events  (topic)  image.hashed ...                      -> the inbox of each service that listens to that type
progress (topic) progress.<session>.<stage>.<outcome>  -> the inbox of each service that follows progress
retry   (topic)  <delay>.<service> -> retry.<delay>    -> (after its TTL) redeliver (topic) *.<service> -> inbox
dead    (direct) <service>         -> <service>.dead
"""

import re
from dataclasses import dataclass
from uuid import UUID, uuid5

from shared.bus.service import Service
from shared.contracts import ItemEvent, Message, WorkDelayed

EVENTS = "presswork.events"
PROGRESS = "presswork.progress"
RETRY = "presswork.retry"
REDELIVER = "presswork.redeliver"
DEAD = "presswork.dead"


@dataclass(frozen=True)
class Route:
    """Where one copy of a message is published."""

    exchange: str
    key: str


def inbox(service: str) -> str:
    """The queue that a service's consumers share."""
    return f"presswork.{service}"


def waiting_as(queue: str) -> UUID:
    """Stands in `WorkDelayed` for a session's id when it is all of one branch's queue that waits."""
    return uuid5(UUID(int=0), queue)


def dead_queue(service: str) -> str:
    """Where a service's dead letters wait for a person."""
    return f"presswork.{service}.dead"


def routing_key(message_type: type[Message]) -> str:
    """`ImageHashed` -> `image.hashed`."""
    return re.sub(r"(?<!^)(?=[A-Z])", ".", message_type.__name__).lower()


def routes(message: Message) -> tuple[Route, ...]:
    """Every place that a message is published to. Each copy must reach a queue."""
    found = [Route(EVENTS, routing_key(type(message)))] if type(message).work else []
    if isinstance(message, ItemEvent):
        found.append(Route(PROGRESS, f"progress.{message.session_id}.{message.stage}.{message.outcome}"))
    if isinstance(message, WorkDelayed):
        found.append(Route(PROGRESS, f"progress.{message.session_id or 'all'}.{message.service}.delayed"))
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
    """What a service's inbox is bound to; a branch's queue to nothing, as what is for it is published to its name."""
    if service.queue:
        return ()
    heard = [Route(REDELIVER, f"*.{service.name}")]
    if service.follows_progress:
        heard.append(Route(PROGRESS, "progress.#"))
    else:
        heard += [Route(EVENTS, routing_key(message_type)) for message_type in service.handlers]
    return tuple(heard)
