"""The in-process bus: the same delivery, no broker. Ships with the product (embedded mode, the original lane)."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from fnmatch import fnmatchcase

import structlog

from shared.bus.breaker import Breaker
from shared.bus.delivery import Consumer, Transport, Unroutable, deliver
from shared.bus.service import Service
from shared.bus.settlement import Delivery, Sealed
from shared.bus.topology import DEAD, RETRY, Route, bindings
from shared.contracts import Stage

log = structlog.get_logger()


class MemoryBus(Transport):
    """Queues in memory. What is in them is gone with the process: whoever published must be able to do so again."""

    def __init__(self) -> None:
        self.inboxes: dict[str, asyncio.Queue[Delivery | None]] = {}
        self.services: dict[str, Service] = {}
        self.stopping = asyncio.Event()
        self._unfinished = 0
        self._consumers: list[asyncio.Task[None]] = []
        self._pools: list[ThreadPoolExecutor] = []
        self._timers: set[asyncio.TimerHandle] = set()

    async def consume(self, service: Service) -> None:
        """Start the service's consumers on this bus."""
        self.services[service.name] = service
        self.inboxes[service.name] = asyncio.Queue()
        pool = ThreadPoolExecutor(service.prefetch, thread_name_prefix=service.name)
        self._pools.append(pool)
        consumer = Consumer(service, self, pool, Breaker(self.stopping))
        for _ in range(service.prefetch):
            self._consumers.append(asyncio.create_task(self._work(consumer)))

    async def send(self, route: Route, sealed: Sealed) -> None:
        """Put one copy where the broker's exchanges would."""
        delivery = Delivery(sealed.body, sealed.headers)
        if route.exchange == RETRY:
            self._send_later(route, delivery)
        elif route.exchange == DEAD:
            self._send_dead(self.services[route.key].name, sealed)
        else:
            self._route(route, delivery)

    async def idle(self) -> None:
        """Return when nothing is queued, in work or waiting for a retry."""
        while self._unfinished:
            await asyncio.gather(*(inbox.join() for inbox in self.inboxes.values()))
            await asyncio.sleep(0.01)

    async def stop(self, grace_s: float = 30.0) -> None:
        """Finish what is in work, drop what is queued."""
        self.stopping.set()
        for timer in self._timers:
            timer.cancel()
        for name, service in self.services.items():
            for _ in range(service.prefetch):
                self.inboxes[name].put_nowait(None)  # whoever waits for a message wakes up
        _, late = await asyncio.wait(self._consumers, timeout=grace_s) if self._consumers else (None, set())
        for task in late:
            task.cancel()
        for pool in self._pools:
            pool.shutdown(wait=False, cancel_futures=True)

    def _route(self, route: Route, delivery: Delivery) -> None:
        takers = [name for name, service in self.services.items() if _bound(service, route)]
        if not takers:
            raise Unroutable(f"nobody listens to {route.key} on {route.exchange}")
        for name in takers:
            self._put(name, delivery)

    def _send_later(self, route: Route, delivery: Delivery) -> None:
        delay, service = route.key.split(".", 1)

        def redeliver() -> None:
            self._timers.discard(timer)
            self._unfinished -= 1
            self._put(service, delivery)

        self._unfinished += 1
        timer = asyncio.get_running_loop().call_later(int(delay.removesuffix("ms")) / 1000, redeliver)
        self._timers.add(timer)

    def _send_dead(self, service: Stage, sealed: Sealed) -> None:
        letter = Delivery(sealed.body, sealed.headers, dead_service=service)
        takers = [archiver.name for archiver in self.services.values() if service in archiver.archives]
        if not takers:
            raise Unroutable(f"nobody keeps the dead letters of {service}")
        for name in takers:
            self._put(name, letter)

    def _put(self, service: str, delivery: Delivery) -> None:
        self._unfinished += 1
        self.inboxes[service].put_nowait(delivery)

    async def _work(self, consumer: Consumer) -> None:
        inbox = self.inboxes[consumer.service.name]
        while (delivery := await inbox.get()) and not self.stopping.is_set():
            try:
                settled = await deliver(consumer, delivery)
                if not settled and not self.stopping.is_set():
                    self._put(consumer.service.name, delivery)
            finally:
                self._unfinished -= 1
                inbox.task_done()


def _bound(service: Service, route: Route) -> bool:
    """Topic matching for the keys that we use: `*` is one word, `#` the rest."""
    return any(
        binding.exchange == route.exchange and fnmatchcase(route.key, binding.key.replace("#", "*"))
        for binding in bindings(service)
    )
