"""The RabbitMQ transport: the only module that imports aio_pika."""

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator, Awaitable
from concurrent.futures import ThreadPoolExecutor

import aio_pika
import structlog
from aio_pika.abc import AbstractChannel, AbstractIncomingMessage, AbstractQueue
from aio_pika.abc import AbstractRobustConnection as Connection
from aio_pika.connection import make_url
from aio_pika.exceptions import CONNECTION_EXCEPTIONS, ChannelInvalidStateError, DeliveryError, PublishError

from shared.bus.breaker import Breaker
from shared.bus.delivery import Consumer, Transport, Unroutable, deliver
from shared.bus.envelope import CONTENT_TYPE
from shared.bus.service import Service
from shared.bus.settlement import Delivery, Sealed
from shared.bus.topology import Route, dead_queue, inbox
from shared.contracts import Stage
from shared.errors import Unavailable

log = structlog.get_logger()

PUBLISH_TIMEOUT_S = 30.0
CONNECT_TIMEOUT_S = 10.0
HEARTBEAT_S = 15
RECONNECT_S = 2
WATCH_S = 10.0
NOT_READY_S = 60.0
RENEW_ROUNDS = 30
RENEW_S = 5.0
RETURNS = 6  # of the ten deliveries that a queue allows: the others are for deaths

# What a lost or refused connection looks like, from the socket up to a channel that closed under us.
BROKER_ERRORS = (*CONNECTION_EXCEPTIONS, ChannelInvalidStateError)


class RabbitBus(Transport):
    """Two connections, because a broker that blocks publishers must still get our acks.

    Reconnects by itself. A publish that fails is the caller's to repeat: delivery keeps its input unacked, the relay
    its outbox row.
    """

    def __init__(self, url: str, name: str, watch_s: float = WATCH_S) -> None:
        self.url, self.name, self.watch_s = url, name, watch_s
        self.stopping = asyncio.Event()
        self.fault, self._away = "", False
        self._publishing: Connection | None = None
        self._consuming: Connection | None = None
        self._channel: AbstractChannel | None = None
        self._renewed = float("-inf")
        self._inboxes: dict[str, _Inbox] = {}
        self.breaker = Breaker(self.stopping)

    async def connect(self) -> None:
        """Open both connections, once: they reconnect by themselves. Unavailable: no broker answers at the address."""
        if self._channel is not None:
            return
        try:
            self._publishing = await self._open("publish")
            self._consuming = await self._open("consume")
            async with within(CONNECT_TIMEOUT_S):
                await self._renew(None)
        except BROKER_ERRORS as error:
            await self._close()
            raise Unavailable(f"RabbitMQ can't be reached at {address(self.url)}: {error}") from error

    @property
    def connected(self) -> bool:
        """Whether a publish has a chance right now."""
        return bool((line := self._publishing) and line.connected.is_set() and not line.is_closed)

    async def send(self, route: Route, sealed: Sealed) -> None:
        """Publish one copy and wait for its confirm."""
        message = aio_pika.Message(
            sealed.body,
            headers=dict(sealed.headers),
            content_type=CONTENT_TYPE,
            delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
            message_id=sealed.id,
            correlation_id=sealed.correlation_id,
            app_id=self.name,
        )
        if (channel := self._channel) is None:
            raise Unavailable("not connected")
        try:
            async with within(PUBLISH_TIMEOUT_S):
                exchange = await channel.get_exchange(route.exchange, ensure=False)  # workers don't declare
                await exchange.publish(message, route.key, mandatory=True)
        except PublishError as error:
            raise Unroutable(f"nothing is bound to {route.key} on {route.exchange}; run presswork init") from error
        except DeliveryError as error:
            await _settle(self._renew(channel))
            raise Unavailable(f"RabbitMQ refused a message for {route.key} (queue full?)") from error
        except BROKER_ERRORS as error:
            raise Unavailable(f"RabbitMQ did not confirm a message for {route.key}: {error!r}") from error

    async def _renew(self, refused: AbstractChannel | None) -> None:
        """Publish over a new channel: one that was opened while a queue had no leader may refuse for ever (3.10.8)."""
        clock = asyncio.get_running_loop().time()
        if self._channel is refused and self._publishing and (refused is None or clock > self._renewed + RENEW_S):
            self._renewed = clock
            # Without on_return_raises an unroutable message would look confirmed.
            self._channel = await self._publishing.channel(publisher_confirms=True, on_return_raises=True)
            if refused:
                await refused.close()

    async def consume(self, service: Service) -> None:
        """Start consuming its inbox or queue, its branches, its dead letters. Raises `Unavailable`: one is missing."""
        if self._consuming is None:
            raise Unavailable("not connected")
        dead: dict[str, Stage | None] = {dead_queue(name): name for name in service.archives}
        for queue, dead_service in {service.queue or inbox(service.name): None, **dead}.items():
            if queue not in self._inboxes:
                opened = _Inbox(self, self._consuming, service, queue, dead_service)
                await opened.open()
                self._inboxes[queue] = opened
        for branch in service.branches:
            await self.consume(branch)

    def give_up(self, why: str) -> None:
        """End this process as SIGTERM does: it can't do its work, and its supervisor starts it again."""
        log.error("giving up", cause=why)
        if not self.fault:
            self.fault = why
            signal.raise_signal(signal.SIGTERM)

    async def stop(self, grace_s: float = 30.0) -> None:
        """Take no more, finish what is in work within the grace, close. What is unfinished comes again."""
        if self.stopping.is_set():
            return
        self.stopping.set()
        await asyncio.gather(*(inbox.stop(grace_s) for inbox in self._inboxes.values()))
        await self._close()

    async def _open(self, purpose: str) -> Connection:
        url = make_url(self.url, heartbeat=HEARTBEAT_S, reconnect_interval=RECONNECT_S)
        named = {"connection_name": f"presswork {self.name} {purpose}"}
        connection = aio_pika.RobustConnection(url, client_properties=named)
        try:
            await connection.connect(CONNECT_TIMEOUT_S)
        except BaseException:
            await _settle(connection.close())  # or it would try to connect for ever, and its process would never end
            raise
        connection.close_callbacks.add(self._tell)
        connection.reconnect_callbacks.add(self._tell)
        return connection

    def _tell(self, _: object, *lost: object) -> None:
        """Say once that the broker went away, and once that it is back."""
        if bool(lost) is not self._away and (lost or self.connected) and not self.stopping.is_set():
            self._away = bool(lost)
            words = f"the broker is away: {lost[0]!r}; work goes on when it is back" if lost else "the broker is back"
            log.warning(words, broker=address(self.url))

    async def _close(self) -> None:
        lines, self._consuming, self._publishing = (self._consuming, self._publishing), None, None
        await asyncio.gather(*(_settle(line.close()) for line in lines if line and not line.is_closed))


class _Inbox:
    """One consumer on one queue, with a channel of its own and `prefetch` workers."""

    def __init__(self, bus: RabbitBus, line: Connection, service: Service, name: str, dead: Stage | None) -> None:
        self.bus, self.connection = bus, line
        self.service, self.name, self.dead_service = service, name, dead
        self.arrived: asyncio.Queue[AbstractIncomingMessage] = asyncio.Queue()
        self.taken, self.done, self.gone = 0, 0, False
        self.pool = ThreadPoolExecutor(service.prefetch, thread_name_prefix=service.name)
        self.consumer = Consumer(service, bus, self.pool, Breaker(bus.stopping) if service.queue else bus.breaker)
        self.tasks: list[asyncio.Task[None]] = []
        self.channel: AbstractChannel | None = None  # held here: aio-pika itself keeps only a weak reference
        self.queue: AbstractQueue
        self.tag: str

    async def open(self) -> None:
        """Consume, and see to it that it stays so. Unavailable: no connection, or no such queue."""
        await self._subscribe()
        self.tasks = [asyncio.create_task(self._work()) for _ in range(self.service.prefetch)]
        self.tasks.append(asyncio.create_task(self._watch()))
        for task in self.tasks:
            task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        if not self.bus.stopping.is_set():  # none returns by itself: a consumer must not stand still in silence
            self.bus.give_up(f"the consumer of {self.name} broke: {task!r}")

    async def _subscribe(self) -> None:
        try:
            async with within(CONNECT_TIMEOUT_S):
                self.channel = self.connection.channel()
                await self.channel
                await self.channel.set_qos(self.service.prefetch)
                # aio-pika consumes again, after a lost connection or a cancel, only what it has seen declared.
                self.queue = await self.channel.declare_queue(self.name, passive=True)
                self.tag = await self.queue.consume(self._take)
        except BROKER_ERRORS as error:
            await self._abandon()
            raise Unavailable(f"queue {self.name} can't be consumed ({error!r}); run presswork init") from error

    async def _abandon(self) -> None:
        """Close the channel, or aio-pika would open it again for nobody, attempt after attempt."""
        channel, self.channel = self.channel, None
        if channel is not None:
            await _settle(channel.close())

    async def _take(self, message: AbstractIncomingMessage) -> None:
        if not self.bus.stopping.is_set():  # not to begin what a line that came back brings: it comes again
            self.taken += 1
            self.arrived.put_nowait(message)

    async def _work(self) -> None:
        while True:
            message = await self.arrived.get()
            count = message.headers.get("x-delivery-count", 0)
            returnable = not self.dead_service and isinstance(count, int) and count < RETURNS
            delivery = Delivery(message.body, message.headers, self.dead_service, returnable)
            try:
                settle = await deliver(self.consumer, delivery)
            except Exception:
                # A fault of ours: delivery foresees a handler's. If it comes each time, the delivery limit buries it.
                log.exception("delivery broke; the message goes back to its queue", queue=self.name)
                await _settle(message.reject(requeue=True))
            else:
                if settle or not self.bus.stopping.is_set():
                    await _settle(message.ack() if settle else message.nack())
            self.done += 1
            self.arrived.task_done()

    async def _watch(self) -> None:
        """Consume anew, when idle, if messages wait or no consumer was there, and now and then in any case.

        A queue deleted and declared again at once, or a channel that can't be opened again, leave a consumer nobody
        serves or tells. RabbitMQ 3.10 may count messages as delivered to it: that looks like an empty queue, and only a
        new consumer brings them back. If none comes about for a minute, though connected, a new process may do better.
        """
        clock = asyncio.get_running_loop().time
        starved, quiet, ready = 0, 0, clock()
        while True:
            before = self.taken
            await asyncio.sleep(self.bus.watch_s)
            idle = before == self.taken == self.done
            quiet = quiet + 1 if idle else 0
            starved = starved + 1 if await self._starving() and idle else 0
            if starved > 1 or quiet == RENEW_ROUNDS or self.channel is None:
                if quiet < RENEW_ROUNDS:
                    log.error("messages wait and none comes: consuming anew", queue=self.name)
                quiet, self.gone = 0, False
                try:
                    await self._abandon()
                    await self._subscribe()
                except Unavailable as error:
                    log.warning("not yet", cause=str(error), next_try_s=self.bus.watch_s)
            if self.channel is not None or not self.connection.connected.is_set():
                ready = clock()
            elif clock() - ready > NOT_READY_S:
                self.bus.give_up(f"queue {self.name} could not be consumed for {NOT_READY_S:.0f} s")

    async def _starving(self) -> bool:
        """Whether there is something to deliver, or was nobody at all to deliver it to: so not us, either."""
        try:
            async with within(CONNECT_TIMEOUT_S), self.connection.channel(publisher_confirms=False) as probe:
                found = (await probe.declare_queue(self.name, passive=True)).declaration_result
        except BROKER_ERRORS as error:  # no connection or no queue: when they are back, we hear of it or find it here
            if self.connection.connected.is_set():
                log.warning("is the queue there? see presswork topology check", queue=self.name, cause=repr(error))
            return False
        self.gone |= not found.consumer_count  # by the next look others may be there again
        return bool(found.message_count) or self.gone

    async def stop(self, grace_s: float) -> None:
        self.tasks[-1].cancel()  # no watch over what ends on purpose
        if self.connection.connected.is_set():  # or it would wait for a line that nobody needs any more
            await _settle(self.queue.cancel(self.tag))
        while not self.arrived.empty():  # not begun: the broker gives them to somebody else
            self.arrived.get_nowait()
            self.arrived.task_done()
        try:
            await asyncio.wait_for(self.arrived.join(), grace_s)
        except TimeoutError:
            log.warning("stopped before the end", queue=self.name, grace_s=grace_s)
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        self.pool.shutdown(wait=False, cancel_futures=True)


async def _settle(settling: Awaitable[object]) -> None:
    try:
        async with within(CONNECT_TIMEOUT_S):
            await settling
    except BROKER_ERRORS as error:
        # Its channel is gone, the effects are not: it comes again and is recognised.
        log.debug("could not settle", cause=repr(error))


@contextlib.asynccontextmanager
async def within(limit_s: float | None) -> AsyncIterator[None]:
    """Bound the wait: aio-pika has no limit while it reconnects. What it cancels ends the wait, and not who waits."""
    try:
        async with asyncio.timeout(limit_s):
            yield
    except asyncio.CancelledError:
        if (task := asyncio.current_task()) and task.cancelling():
            raise  # it is ourselves that somebody ends
        raise ConnectionError("the channel was lost") from None


def address(url: str) -> str:
    """For people: without the password."""
    return url.rsplit("@", 1)[-1]
