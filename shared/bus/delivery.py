"""THE loop body: what happens to one delivered message, on every transport. Read it top to bottom.

Order of effects: the handler commits its own data and yields; what it yields is published at once and confirmed;
only then is the input settled, by the table in `settlement.py`. A crash anywhere repeats the input, and the answers
have the same ids. While what every message needs is away, messages are kept, and wait (`breaker.py`): that is back
pressure. After ten minutes they are let go (`Delivery.kept_long`): RabbitMQ's patience with an unacked one ends at 30.
"""

import asyncio
import contextlib
import contextvars
import os
import socket
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from typing import Protocol
from uuid import uuid4

import structlog

from shared.bus.breaker import Breaker, NoTurn, longer, stopped_within
from shared.bus.dead_letter import DeadLetter
from shared.bus.envelope import Envelope, Undecodable, answer_id, seal, unseal
from shared.bus.service import Service
from shared.bus.settlement import Delivery, Failed, Outcome, Sealed, outcome_of
from shared.bus.topology import Route, routes, waiting_as
from shared.contracts import Message, WorkDelayed
from shared.errors import Busy, Unavailable

log = structlog.get_logger()

KEEP_S = 600.0
TELLING_S = 5.0
PROCESS = f"{socket.gethostname()}-{os.getpid()}"  # who answers, so that an operator can tell which of eight it was


class Unroutable(Unavailable):
    """No queue takes this message: a binding is missing. It waits until somebody mends the topology."""


class Transport(Protocol):
    """What delivery needs of a transport; one that inherits it can publish."""

    async def send(self, route: Route, sealed: Sealed) -> None:
        """Return when a queue has it for good. Unroutable: none is bound; Unavailable: it may or may not have it."""

    async def publish(self, envelope: Envelope) -> None:
        """Send a message to each of its routes; raises as `send` does: repeat what failed, the id stays."""
        body, session = seal(envelope), envelope.correlation_id
        copies = [
            self.send(route, Sealed(f"{envelope.id}@{route.exchange}", body, correlation_id=session))
            for route in routes(envelope.message)
        ]
        await asyncio.gather(*copies)


@dataclass(frozen=True)
class Consumer:
    """A service as a transport runs it."""

    service: Service
    transport: Transport
    threads: Executor
    breaker: Breaker


async def deliver(consumer: Consumer, delivery: Delivery) -> bool:
    """Handle one message to its end. True: settle it (ack). False: leave it, it will come again."""
    service = consumer.service
    try:
        envelope = _open(service, delivery)
    except Undecodable as error:
        return await _settle(consumer, Outcome.UNDECODABLE, Failed(service, delivery, error))
    with structlog.contextvars.bound_contextvars(
        service=service.name,
        message=type(envelope.message).__name__,
        message_id=str(envelope.id),
        session_id=envelope.correlation_id,
    ):
        outcome, error_or_none = await _work(consumer, delivery, envelope)
        if outcome in (Outcome.FAILED, Outcome.KEPT_LONG):
            after = delivery.attempt if outcome is Outcome.FAILED else len(service.retry.delays_s)
            await _tell(consumer, envelope, error_or_none, service.retry.after(after))
        return await _settle(consumer, outcome, Failed(service, delivery, error_or_none, envelope.correlation_id))


async def _work(consumer: Consumer, delivery: Delivery, envelope: Envelope) -> tuple[Outcome, Exception | None]:
    """Handle it until there is an outcome. A dead letter is kept whatever happens: it has nowhere further to go."""
    clock, breaker, retry = asyncio.get_running_loop().time, consumer.breaker, consumer.service.retry
    kept_until, pause_s = clock() + KEEP_S, 0.0
    while True:
        try:
            async with breaker.turn(kept_until, first=not pause_s):
                await _handle(consumer, envelope)
        except NoTurn:
            return Outcome.STOPPING if breaker.stopping.is_set() else delivery.kept_long(outage=True), breaker.cause
        except Exception as error:  # noqa: BLE001 - the policy decides about every error, here and only here
            if isinstance(error, Busy) or not (isinstance(error, Unavailable) or delivery.dead_service):
                return outcome_of(error, retry, delivery.attempt), error
            if clock() > kept_until:
                return delivery.kept_long(outage=breaker.pause_s > 0), error
            pause_s = longer(pause_s)
            await _tell(consumer, envelope, error)
            if not breaker.pause_s:  # not what all wait for, so the pauses are its own
                log.warning("waiting", cause=str(error), next_try_s=pause_s)
                if await stopped_within(breaker.stopping, pause_s):
                    return Outcome.STOPPING, None
        else:
            await _tell(consumer, envelope, None)
            return Outcome.HANDLED, None


async def _settle(consumer: Consumer, outcome: Outcome, failed: Failed) -> bool:
    """Publish what the table says, again and again until the broker has it. False when the process stops first."""
    settlement, pause_s = outcome.value, 0.0
    if outcome not in (Outcome.HANDLED, Outcome.ELSEWHERE):
        log.warning(settlement.words, cause=repr(failed.error), attempt=failed.delivery.attempt)
    while settlement.publishes:
        try:
            await consumer.transport.send(*settlement.publishes(failed))
            break
        except Unavailable as error:
            if not pause_s:
                log.warning("can't settle yet", cause=str(error))
            if await stopped_within(consumer.breaker.stopping, pause_s := longer(pause_s)):
                return False
    return settlement.acks


async def _tell(consumer: Consumer, about: Envelope, error: Exception | None, again_in_s: float | None = None) -> None:
    """Publish what the session, or in an outage everybody, waits for; without an error, that it is over."""
    breaker, name, over = consumer.breaker, consumer.service.name, error is None
    if over and (breaker.pause_s or not breaker.cause):
        return
    breaker.cause = None if over else breaker.cause
    everybody = over or (breaker.pause_s > 0 and again_in_s is None)
    all_here = waiting_as(queue) if (queue := consumer.service.queue) else None
    session = all_here if everybody else getattr(about.message, "session_id", None)
    if everybody or session:
        cause = "" if over else f"{type(error).__name__}: {error}"[:1000]
        delay = WorkDelayed(service=name, session_id=session, cause=cause, again_in_s=again_in_s)
        with contextlib.suppress(Unavailable, TimeoutError):  # for people to read: no work hangs on it
            await asyncio.wait_for(consumer.transport.publish(Envelope(uuid4(), delay, name)), TELLING_S)


def _open(service: Service, delivery: Delivery) -> Envelope:
    if delivery.dead_service is not None:
        letter = DeadLetter.of(delivery.dead_service, delivery.body, delivery.headers)
        return Envelope(id=letter.id, message=letter, source=delivery.dead_service)
    envelope = unseal(delivery.body)
    if type(envelope.message) not in service.handlers:
        raise Undecodable(f"{service.name} has no handler for {type(envelope.message).__name__}")
    return envelope


async def _handle(consumer: Consumer, envelope: Envelope) -> None:
    """Run the handler in a thread; publish each answer as it is yielded; return when all are confirmed."""
    loop = asyncio.get_running_loop()
    service, handler = consumer.service, consumer.service.handlers[type(envelope.message)]

    async def answer(message: Message, index: int) -> None:
        # An answer may be about another session than its cause: a failed file's duplicates are decided anew.
        correlation = str(getattr(message, "session_id", None) or "") or envelope.correlation_id
        name, source = answer_id(envelope.id, message, index), f"{service.name}/{PROCESS}"
        await consumer.transport.publish(Envelope(name, message, source, correlation, envelope.id))

    def work() -> None:
        unconfirmed: list[Future[None]] = []
        try:
            for index, message in enumerate(handler.call(envelope.message) or ()):
                unconfirmed.append(asyncio.run_coroutine_threadsafe(answer(message, index), loop))
        except BaseException as error:
            if isinstance(error, Exception):
                raise
            raise RuntimeError(repr(error)) from error  # a library's panic, say: it must not end who consumes
        finally:
            for future in unconfirmed:
                future.result()

    await loop.run_in_executor(consumer.threads, contextvars.copy_context().run, work)
