"""A bus that loses order and nothing else: a bag of messages in flight, and the real rules for what becomes of each."""

import fnmatch
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from shared.bus.dead_letter import DeadLetter
from shared.bus.envelope import Envelope, answer_id, seal, unseal
from shared.bus.service import Service
from shared.bus.settlement import Delivery, Failed, Outcome, Sealed
from shared.bus.topology import DEAD, REDELIVER, Route, bindings, routes
from shared.contracts import Message, Stage
from shared.errors import Unavailable
from tests.simulation.steps import Broken, Steps

DEADLY = 6
"""The attempt after which a message is buried."""
Publish = Callable[[Envelope], None]


class Mail(NamedTuple):
    """One message in one inbox."""

    service: str
    delivery: Delivery

    def __str__(self) -> str:
        about = unseal(self.delivery.body)
        said = about.message
        file = f" of {getattr(said, 'filename', '')}.{getattr(said, 'generation', '')}"
        if self.delivery.dead_service:
            return f"the death at {self.delivery.dead_service} of {type(said).__name__}{file}"
        return f"{type(said).__name__}{file} to {self.service}"


@dataclass
class Post:
    """What is in flight, and who takes it."""

    services: Sequence[Service]
    steps: Steps
    tell: Callable[[str], None]
    bag: list[Mail] = field(default_factory=list)

    def publish(self, envelope: Envelope) -> None:
        """To every inbox that is bound to one of its routes."""
        body = seal(envelope)
        for route in routes(envelope.message):
            self.send(route, Sealed("", body))

    def send(self, route: Route, sealed: Sealed) -> None:
        """One copy."""
        if route.exchange == DEAD:
            self.bag.append(Mail("ingest", Delivery(sealed.body, sealed.headers, _stage(self, route.key))))
            return
        takers = [service for service in self.services if _bound(service, route)]
        assert takers, f"nobody takes {route}"
        self.bag += [Mail(service.name, Delivery(sealed.body, sealed.headers)) for service in takers]

    def deliver(self, mail: Mail, *, deadly: bool = False, again: bool = False) -> None:
        """Handle a message that was taken out of the bag; `again`: its ack is lost. `deadly`: an error is its last."""
        service = next(service for service in self.services if service.name == mail.service)
        try:
            handle(service, mail.delivery, self.publish, self.steps)
        except (Broken, Unavailable) as error:
            self.tell(f"  broken off: {error}")
            self.bag.append(mail)
        except Exception as error:  # noqa: BLE001 - as the bus does
            self.fails(service, mail, error, deadly=deadly)
        else:
            if again:
                self.bag.append(mail)

    def fails(self, service: Service, mail: Mail, error: Exception, *, deadly: bool) -> None:
        """It is tried again, or buried."""
        self.tell(f"  {'dies of' if deadly else 'fails with'} {error!r}")
        if mail.delivery.dead_service or not deadly:
            self.bag.append(mail)
            return
        self.send(*buried(service, mail.delivery, error))


def buried(service: Service, delivery: Delivery, error: Exception) -> tuple[Route, Sealed]:
    """Its copy for the dead-letter queue, as the real settlement makes it."""
    last = Delivery(delivery.body, {**delivery.headers, "x-attempt": DEADLY})
    publishes = Outcome.EXHAUSTED.value.publishes
    assert publishes
    return publishes(Failed(service, last, error, unseal(delivery.body).correlation_id))


def handle(service: Service, delivery: Delivery, publish: Publish, steps: Steps) -> None:
    """Have a service handle a message, and publish its answers, as `shared/bus/delivery.py` does."""
    if delivery.dead_service:
        letter = DeadLetter.of(delivery.dead_service, delivery.body, delivery.headers)
        envelope = Envelope(letter.id, letter, delivery.dead_service)
    else:
        envelope = unseal(delivery.body)
    for index, message in enumerate(service.handlers[type(envelope.message)].call(envelope.message) or ()):
        publish(_answer(envelope, message, index, service.name))
        steps.step(f"told {type(message).__name__}")


def _answer(envelope: Envelope, message: Message, index: int, source: str) -> Envelope:
    correlation = str(getattr(message, "session_id", None) or "") or envelope.correlation_id
    return Envelope(answer_id(envelope.id, message, index), message, source, correlation, envelope.id)


def _bound(service: Service, route: Route) -> bool:
    if route.exchange == REDELIVER:
        return route.key.endswith(f".{service.name}")
    keys = [binding.key.replace("#", "*") for binding in bindings(service) if binding.exchange == route.exchange]
    return any(fnmatch.fnmatchcase(route.key, key) for key in keys)


def _stage(post: Post, name: str) -> Stage:
    return next(service.name for service in post.services if service.name == name)
