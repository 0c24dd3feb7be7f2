"""What is asked and done beside the bus, each time on its own connection. Ingest is handed `alarms` and `depths`."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Collection, Iterable
from dataclasses import dataclass
from enum import Enum

import aio_pika
from aio_pika.abc import AbstractChannel, AbstractConnection
from aio_pika.connection import make_url
from aio_pika.exceptions import AMQPChannelError, AMQPError, ChannelNotFoundEntity, ChannelPreconditionFailed

from services.ingest.watch import Depth
from services.ops.queues import Exchange, Queue, Topology
from shared.bus.rabbit import BROKER_ERRORS, CONNECT_TIMEOUT_S, HEARTBEAT_S, address, within
from shared.bus.settlement import Headers
from shared.bus.topology import dead_queue, inbox
from shared.errors import Unavailable

ANSWER_TIMEOUT_S = 5.0
PROBE_S = 1.0
"""How long a message that goes nowhere may take to be confirmed, which takes milliseconds. A broker with an alarm never
confirms it: it says that it is blocked, in answer to this very message, well within a second."""
QUIET = logging.NullHandler()


class State(Enum):
    """Of one exchange or queue on the broker."""

    AS_EXPECTED = "as expected"
    MISSING = "missing"
    DIFFERENT = "different"
    UNKNOWN = "can't be checked"


@dataclass(frozen=True)
class Compared:
    """What is there under one name, with the broker's own words where it is not as expected."""

    wanted: Exchange | Queue
    state: State
    words: str = ""


async def compare(url: str, wanted: Topology) -> list[Compared]:
    """What the broker has of the topology; changes nothing.

    A declaration of what exists already is a question: the broker refuses it unless every argument is the same.

    Raises:
        Unavailable: no broker.
    """
    async with _connected(url) as connection:
        things: list[Exchange | Queue] = [*wanted.exchanges, *wanted.queues]
        return [await _compared(connection, each) for each in things]


async def consumers(url: str, services: Iterable[str]) -> dict[str, int]:
    """How many consumers each service's inbox has, on a broker that takes what is published.

    Raises:
        Unavailable: no broker, or one that takes nothing, or a queue is missing.
    """
    async with _connected(url) as connection:
        channel = await connection.channel()
        try:
            async with asyncio.timeout(ANSWER_TIMEOUT_S):
                await _publish_nowhere(channel)
                await channel.set_qos(1)  # a question, as there may be no queue to ask about
                return {service: await _consumers(channel, inbox(service)) for service in services}
        except TimeoutError as error:
            raise Unavailable(
                f"RabbitMQ at {address(url)} takes no messages: most likely it is short of memory or disk "
                "(rabbitmq-diagnostics alarms)"
            ) from error


async def alarms(url: str) -> AsyncGenerator[bool, None]:
    """Whether the broker takes nothing, as while it is short of memory or disk; asked at each step, on one connection.

    Raises:
        Unavailable: no broker, or the connection is lost.
    """
    async with _connected(url) as connection:
        channel = await connection.channel()
        while True:
            if not await _is_blocked(connection):
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(PROBE_S):
                        await _publish_nowhere(channel)
            yield await _is_blocked(connection)


async def depths(url: str, queues: Collection[str]) -> AsyncGenerator[dict[str, Depth], None]:
    """How many messages lie in these queues, and who takes them; asked at each step, on one connection.

    Raises:
        Unavailable: no broker, or it does not answer, or a queue is missing.
    """
    async with _connected(url) as connection:
        channel = await connection.channel()
        while True:
            found = {}
            try:
                async with asyncio.timeout(ANSWER_TIMEOUT_S):
                    for queue in queues:
                        answer = (await channel.declare_queue(queue, passive=True)).declaration_result
                        found[queue] = Depth(answer.message_count or 0, answer.consumer_count or 0)
            except TimeoutError as error:
                raise Unavailable(f"RabbitMQ at {address(url)} does not say what lies in its queues") from error
            yield found


async def waiting(url: str, service: str) -> tuple[int, int]:
    """How many letters lie in a service's dead-letter queue, ready to be moved back, and how many consumers it has.

    What those have in hand is not among the letters.

    Raises:
        Unavailable: no broker, or no such queue.
    """
    async with _connected(url) as connection:
        dead = await (await connection.channel()).declare_queue(dead_queue(service), passive=True)
        return dead.declaration_result.message_count or 0, dead.declaration_result.consumer_count or 0


async def move_back(url: str, service: str, limit: int, headers: Callable[[Headers], Headers]) -> int:
    """Send dead letters back to the inbox that they died in, each once: none that returns meanwhile. How many.

    Raises:
        Unavailable: no broker, or no such queue; what was not confirmed is still there.
    """
    async with _connected(url) as connection:
        channel = await connection.channel(on_return_raises=True)
        dead = await channel.declare_queue(dead_queue(service), passive=True)
        moved, depth = 0, dead.declaration_result.message_count or 0
        while moved < min(depth, limit) and (letter := await dead.get(fail=False)):
            copy = aio_pika.Message(letter.body, headers=dict(headers(letter.headers)), delivery_mode=2)
            await channel.default_exchange.publish(copy, inbox(service))
            await letter.ack()
            moved += 1
        return moved


async def declare(url: str, wanted: Topology) -> None:
    """Create what is missing of the topology. Existing queues with other arguments are left alone.

    Raises:
        Unavailable: no broker, or a queue of that name exists with other arguments (the words say which).
    """
    async with _connected(url) as connection:
        channel = await connection.channel()
        try:
            for exchange in wanted.exchanges:
                await _declare(channel, exchange, passive=False)
            for queue in wanted.queues:
                await _declare(channel, queue, passive=False)
                declared = await channel.get_queue(queue.name, ensure=False)
                for route in queue.bindings:
                    await declared.bind(route.exchange, route.key)
        except AMQPError as error:
            raise Unavailable(f"the broker refused the topology: {error}") from error


async def _publish_nowhere(channel: AbstractChannel) -> None:
    """In an alarm, a broker reads nothing more of a connection that has published: it answers no further question."""
    await channel.default_exchange.publish(aio_pika.Message(b""), "presswork.nobody", mandatory=False)


async def _is_blocked(connection: AbstractConnection) -> bool:
    """Whether the broker has said that it reads nothing more of it. A connection that is lost would say so for ever."""
    if connection.transport is None or connection.transport.connection.is_closed:
        raise ConnectionError("the connection was lost")
    try:
        async with asyncio.timeout(0):
            await connection.transport.connection.ready()
    except TimeoutError:
        return True
    return False


async def _consumers(channel: AbstractChannel, queue: str) -> int:
    return (await channel.declare_queue(queue, passive=True)).declaration_result.consumer_count or 0


async def _compared(connection: AbstractConnection, wanted: Exchange | Queue) -> Compared:
    try:
        async with connection.channel() as channel:  # of its own, because the broker closes it when it says no
            await _declare(channel, wanted, passive=True)
            await _declare(channel, wanted, passive=False)
    except ChannelNotFoundEntity:
        return Compared(wanted, State.MISSING)
    except ChannelPreconditionFailed as error:
        return Compared(wanted, State.DIFFERENT, str(error))
    except AMQPChannelError as error:  # this user may not declare, say
        return Compared(wanted, State.UNKNOWN, str(error))
    return Compared(wanted, State.AS_EXPECTED)


async def _declare(channel: AbstractChannel, wanted: Exchange | Queue, *, passive: bool) -> None:
    if isinstance(wanted, Exchange):
        await channel.declare_exchange(wanted.name, wanted.kind, durable=True, passive=passive)
    else:
        await channel.declare_queue(wanted.name, durable=True, arguments=dict(wanted.arguments), passive=passive)


@contextlib.asynccontextmanager
async def _connected(url: str) -> AsyncIterator[AbstractConnection]:
    logging.getLogger("aiormq").addHandler(QUIET)  # what it would print of a connection that fails, we say in words
    try:
        beating = make_url(url, heartbeat=HEARTBEAT_S)  # so that a broker that falls silent is noticed
        async with within(None), await aio_pika.connect(beating, timeout=CONNECT_TIMEOUT_S) as connection:
            yield connection
    except BROKER_ERRORS as error:
        raise Unavailable(f"RabbitMQ at {address(url)} can't be asked: {error}") from error
