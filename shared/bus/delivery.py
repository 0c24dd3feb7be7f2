"""THE loop body: what happens to one delivered message, on every transport. Read it top to bottom.

Order of effects: the handler commits its own data and yields; what it yields is published at once and confirmed;
only then is the input settled. A crash anywhere repeats the input, and the answers have the same ids.

| outcome                         | settlement                                                                      |
|---------------------------------|---------------------------------------------------------------------------------|
| handled                         | ack                                                                             |
| undecodable, no handler         | to the dead-letter queue at once, ack                                           |
| Permanent                       | to the dead-letter queue at once, ack                                           |
| Retryable, unknown exception    | to a retry queue with attempt + 1, ack; after the last delay: dead-letter queue |
| Unavailable, can't publish      | kept, and tried again here; other messages wait (back pressure). After ten      |
|                                 | minutes: to a retry queue with the same attempt, ack, so that no broker loses   |
|                                 | its patience with an unacked message (RabbitMQ's limit is 30 minutes)           |
| stopping                        | left alone: the broker delivers it again                                        |
"""

import asyncio
import contextvars
import os
import socket
import traceback
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any, Protocol
from uuid import UUID, uuid5

import structlog

from shared.bus.dead_letter import DeadLetter
from shared.bus.envelope import Envelope, Undecodable, answer_id, attempt_of, seal, unseal
from shared.bus.retry import Bury
from shared.bus.service import Service
from shared.bus.topology import MAX_HEADER_BYTES, Route, dead_route, retry_route, routes
from shared.contracts import Message, Stage
from shared.errors import Unavailable

log = structlog.get_logger()

FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 15.0
KEEP_S = 600.0

OURS = ("x-attempt", "x-first-failed-at", "x-generation", "x-replay-id")
OF_DEATH = ("x-service", "x-dead-at", "x-stack")

Headers = Mapping[str, Any]


class Unroutable(Unavailable):
    """No queue takes this message: a binding is missing. It waits until somebody mends the topology."""


@dataclass(frozen=True)
class Sealed:
    """Bytes and headers, ready for a transport. `id` is unique per copy."""

    id: str
    body: bytes
    headers: Headers = field(default_factory=dict)
    correlation_id: str | None = None


class Transport(Protocol):
    """What delivery needs of a transport."""

    async def send(self, route: Route, sealed: Sealed) -> None:
        """Return when a queue has taken it for good.

        Raises:
            Unroutable: no queue is bound there.
            Unavailable: the broker can't be reached or did not confirm: it may or may not have it.
        """


@dataclass(frozen=True)
class Delivery:
    """One message as a transport hands it over. `dead_service` is set when it comes from a dead-letter queue."""

    body: bytes
    headers: Headers
    dead_service: Stage | None = None

    @property
    def attempt(self) -> int:
        return attempt_of(self.headers)

    def waits_for(self, error: Exception) -> bool:
        """Whether it is kept here after this error. A dead letter has nowhere further to go, whatever happened."""
        return isinstance(error, Unavailable) or self.dead_service is not None


async def publish(transport: Transport, envelope: Envelope) -> None:
    """Publish a message to each of its routes, and return when all are confirmed."""
    body = seal(envelope)
    copies = [
        transport.send(route, Sealed(f"{envelope.id}@{route.exchange}", body, correlation_id=envelope.correlation_id))
        for route in routes(envelope.message)
    ]
    await asyncio.gather(*copies)


async def deliver(
    service: Service, delivery: Delivery, transport: Transport, threads: Executor, stopping: asyncio.Event
) -> bool:
    """Handle one message to its end. True: settle it (ack). False: leave it, it will come again."""
    try:
        envelope = _open(service, delivery)
    except Undecodable as error:
        return await _until_taken(partial(_bury, service, delivery, error, transport), stopping)
    with structlog.contextvars.bound_contextvars(
        service=service.name,
        message=type(envelope.message).__name__,
        message_id=str(envelope.id),
        session_id=envelope.correlation_id,
    ):
        pause_s = FIRST_PAUSE_S
        kept_until = asyncio.get_running_loop().time() + KEEP_S
        while True:
            try:
                await _handle(service, envelope, transport, threads)
            except Exception as error:  # noqa: BLE001 - the policy decides about every error, here and only here
                if not delivery.waits_for(error):
                    return await _until_taken(partial(_fail, service, delivery, error, transport), stopping)
                log.warning("waiting", cause=str(error), next_try_s=pause_s)
                if asyncio.get_running_loop().time() > kept_until:
                    return await _until_taken(partial(_defer, service, delivery, transport), stopping)
                if await _stopped_within(stopping, pause_s):
                    return False
                pause_s = min(pause_s * 2, LONGEST_PAUSE_S)
            else:
                return True


def _open(service: Service, delivery: Delivery) -> Envelope:
    if delivery.dead_service is not None:
        letter = DeadLetter.of(delivery.dead_service, delivery.body, delivery.headers)
        return Envelope(id=letter.id, message=letter, source=delivery.dead_service)
    envelope = unseal(delivery.body)
    if type(envelope.message) not in service.handlers:
        raise Undecodable(f"{service.name} has no handler for {type(envelope.message).__name__}")
    return envelope


async def _handle(service: Service, envelope: Envelope, transport: Transport, threads: Executor) -> None:
    """Run the handler in a thread; publish each answer as it is yielded; return when all are confirmed."""
    loop = asyncio.get_running_loop()
    handler = service.handlers[type(envelope.message)]

    async def answer(message: Message, index: int) -> None:
        # An answer may be about another session than its cause: a failed file's duplicates are decided anew.
        correlation = _session_of(message) or envelope.correlation_id
        await publish(
            transport,
            Envelope(answer_id(envelope.id, message, index), message, _process(service), correlation, envelope.id),
        )

    def work() -> None:
        unconfirmed: list[Future[None]] = []
        try:
            for index, message in enumerate(handler.call(envelope.message) or ()):
                unconfirmed.append(asyncio.run_coroutine_threadsafe(answer(message, index), loop))
        finally:
            for future in unconfirmed:
                future.result()

    await loop.run_in_executor(threads, contextvars.copy_context().run, work)


async def _fail(service: Service, delivery: Delivery, error: Exception, transport: Transport) -> None:
    decision = service.retry.after(error, delivery.attempt)
    if isinstance(decision, Bury):
        await _bury(service, delivery, error, transport, decision.cause)
        return
    log.warning("retrying", cause=repr(error), attempt=delivery.attempt, delay_s=decision.delay_s)
    headers = {**_kept(delivery.headers), "x-attempt": delivery.attempt + 1}
    headers.setdefault("x-first-failed-at", datetime.now(UTC).isoformat())
    await transport.send(retry_route(service.name, decision.delay_s), _copy(delivery, headers, "retry"))


async def _defer(service: Service, delivery: Delivery, transport: Transport) -> None:
    """To the end of the line: of its own dead-letter queue if it is a dead letter, whose inbox is not ours."""
    if delivery.dead_service is not None:
        cause = DeadLetter.of(delivery.dead_service, delivery.body, delivery.headers).cause
        told = {name: value for name, value in delivery.headers.items() if name in OF_DEATH}
        headers = {**told, **_kept(delivery.headers), "x-attempt": delivery.attempt, "x-cause": cause}
        await transport.send(dead_route(delivery.dead_service), _copy(delivery, headers, "defer"))
        return
    headers = {**_kept(delivery.headers), "x-attempt": delivery.attempt}
    await transport.send(retry_route(service.name, service.retry.delays_s[-1]), _copy(delivery, headers, "defer"))


async def _bury(
    service: Service, delivery: Delivery, error: Exception, transport: Transport, cause: str | None = None
) -> None:
    cause = cause or f"{type(error).__name__}: {error}"
    log.error("buried", cause=cause, attempt=delivery.attempt)
    now = datetime.now(UTC).isoformat()
    stack = "".join(traceback.format_exception(error)).encode()[-MAX_HEADER_BYTES:].decode(errors="ignore")
    headers: dict[str, str | int] = {
        "x-first-failed-at": now,
        **_kept(delivery.headers),
        "x-attempt": delivery.attempt,
        "x-cause": cause.encode()[:1024].decode(errors="ignore"),
        "x-service": service.name,
        "x-dead-at": now,
        "x-stack": stack,
    }
    await transport.send(dead_route(service.name), _copy(delivery, headers, "dead"))


def _copy(delivery: Delivery, headers: Headers, kind: str) -> Sealed:
    # The id only tells copies in flight apart; equal bodies on one attempt are the same message.
    name = uuid5(UUID(int=0), delivery.body.decode(errors="replace"))
    return Sealed(f"{name}@{kind}.{headers['x-attempt']}", delivery.body, headers)


def _kept(headers: Headers) -> dict[str, str | int]:
    """Our own headers. `x-death` and its kin must never be published again: RabbitMQ 3.x reads them as a cycle."""
    return {name: value for name, value in headers.items() if name in OURS}


async def _until_taken(step: Callable[[], Awaitable[None]], stopping: asyncio.Event) -> bool:
    """Repeat a settling publish until the broker has it. False when the process stops first."""
    pause_s = FIRST_PAUSE_S
    while True:
        try:
            await step()
        except Unavailable as error:
            log.warning("can't settle", cause=str(error), next_try_s=pause_s)
            if await _stopped_within(stopping, pause_s):
                return False
            pause_s = min(pause_s * 2, LONGEST_PAUSE_S)
        else:
            return True


async def _stopped_within(stopping: asyncio.Event, seconds: float) -> bool:
    try:
        await asyncio.wait_for(stopping.wait(), seconds)
    except TimeoutError:
        return False
    return True


def _process(service: Service) -> str:
    """Who answers: `hasher/host-4711`, so that an operator can tell which of eight it was."""
    return f"{service.name}/{socket.gethostname()}-{os.getpid()}"


def _session_of(message: Message) -> str | None:
    session = getattr(message, "session_id", None)
    return str(session) if session else None
