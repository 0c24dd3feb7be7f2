"""The in-process bus: the same delivery, no broker. Ships with the product (embedded mode, the original lane)."""

import asyncio
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from fnmatch import fnmatchcase

import structlog

from shared.bus.breaker import Breaker
from shared.bus.delivery import Consumer, Transport, Unroutable, deliver
from shared.bus.service import Service
from shared.bus.settlement import Delivery, Sealed
from shared.bus.topology import DEAD, RETRY, Route, bindings, retry_route

log = structlog.get_logger()


class MemoryBus(Transport):
    """Queues in memory. What is in them is gone with the process: whoever published must be able to do so again."""

    def __init__(self) -> None:
        self.inboxes: dict[str, asyncio.Queue[Delivery | None]] = {}
        self.consumers: dict[str, Consumer] = {}
        self.stopping = asyncio.Event()
        self.unfinished: Counter[str] = Counter()  # of each service: queued, in work or waiting for a retry
        self._workers: list[asyncio.Task[None]] = []
        self._timers: set[asyncio.TimerHandle] = set()

    async def consume(self, service: Service) -> None:
        """Start the service's consumers on this bus."""
        name = service.queue or service.name
        self.inboxes[name] = asyncio.Queue()
        pool = ThreadPoolExecutor(service.prefetch, thread_name_prefix=service.name)
        self.consumers[name] = consumer = Consumer(service, self, pool, Breaker(self.stopping))
        self._workers += [asyncio.create_task(self._work(name, consumer)) for _ in range(service.prefetch)]
        for branch in service.branches:
            await self.consume(branch)

    async def send(self, route: Route, sealed: Sealed) -> None:
        """Put one copy where the broker's exchanges would."""
        dead_service = self.consumers[route.key].service.name if route.exchange == DEAD else None
        delivery = Delivery(sealed.body, sealed.headers, dead_service)
        if route.exchange == RETRY:
            self._send_later(route, delivery)
            return
        takers = [name for name, consumer in self.consumers.items() if _takes(name, consumer.service, route)]
        if not takers:
            raise Unroutable(f"nobody takes {route.key} from {route.exchange}")
        for name in takers:
            self._put(name, delivery)

    async def idle(self) -> None:
        """Return when nothing is queued, in work or waiting for a retry."""
        while self.unfinished.total():
            await asyncio.gather(*(inbox.join() for inbox in self.inboxes.values()))
            await asyncio.sleep(0.01)

    async def stop(self, grace_s: float = 30.0) -> None:
        """Finish what is in work, drop what is queued."""
        self.stopping.set()
        for timer in self._timers:
            timer.cancel()
        for name, consumer in self.consumers.items():
            for _ in range(consumer.service.prefetch):
                self.inboxes[name].put_nowait(None)  # whoever waits for a message wakes up
        _, late = await asyncio.wait(self._workers, timeout=grace_s) if self._workers else (None, set())
        for task in late:
            task.cancel()
        for consumer in self.consumers.values():
            consumer.threads.shutdown(wait=False, cancel_futures=True)

    def _send_later(self, route: Route, delivery: Delivery) -> None:
        delay, service = route.key.split(".", 1)

        def redeliver() -> None:
            self._timers.discard(timer)
            self.unfinished[service] -= 1
            self._put(service, delivery)

        self.unfinished[service] += 1
        timer = asyncio.get_running_loop().call_later(int(delay.removesuffix("ms")) / 1000, redeliver)
        self._timers.add(timer)

    def _put(self, service: str, delivery: Delivery) -> None:
        self.unfinished[service] += 1
        self.inboxes[service].put_nowait(delivery)

    async def _work(self, name: str, consumer: Consumer) -> None:
        inbox = self.inboxes[name]
        while (delivery := await inbox.get()) and not self.stopping.is_set():
            try:
                if not (await deliver(consumer, delivery) or self.stopping.is_set()):
                    self._put(name, delivery)
            except Exception:  # a fault of ours: delivery foresees a handler's
                log.exception("delivery broke; the message comes again", service=name)
                self._send_later(retry_route(consumer.service.name, consumer.service.retry.delays_s[0]), delivery)
            finally:
                self.unfinished[name] -= 1
                inbox.task_done()


def _takes(name: str, service: Service, route: Route) -> bool:
    """Whether it is bound so. Topics match for the keys that we use: `*` is one word, `#` the rest."""
    if route.exchange == DEAD:
        return route.key in service.archives
    if not route.exchange:
        return route.key == name
    keys = [binding.key.replace("#", "*") for binding in bindings(service) if binding.exchange == route.exchange]
    return any(fnmatchcase(route.key, key) for key in keys)
