"""What becomes of a consumer when its queue is missing, deleted, or declared again before anybody noticed."""

import asyncio
import itertools
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import httpx
import pytest
from aio_pika.abc import AbstractRobustConnection as Connection
from aio_pika.exceptions import ChannelInvalidStateError
from structlog.testing import capture_logs

from services.local.broker import Broker
from services.ops import broker
from services.ops.broker import consumers, declare
from services.ops.inspection import leave_out_noise
from services.ops.queues import topology
from shared.bus import breaker, delivery
from shared.bus import rabbit as rabbit_module
from shared.bus.envelope import Envelope
from shared.bus.rabbit import RabbitBus
from shared.bus.service import Service
from shared.bus.settlement import Outcome
from shared.contracts import Blob, StoreFile
from shared.errors import Unavailable
from tests.proxy import Proxy
from tests.waiting import eventually

pytestmark = pytest.mark.rabbit

DEADLINE_S = 30.0
WATCH_S = 0.1
PREFETCH = 2


class Heard:
    """What the handler was given, and a way to wait for it."""

    def __init__(self) -> None:
        self.count = 0
        self._more = threading.Condition()

    def service(self) -> Service:
        def on_store_file(message: StoreFile) -> None:
            with self._more:
                self.count += 1
                self._more.notify_all()

        service = Service("storage", prefetch=PREFETCH)
        service.on(on_store_file)
        return service

    async def reach(self, count: int) -> None:
        def wait() -> bool:
            with self._more:
                return self._more.wait_for(lambda: self.count >= count, timeout=DEADLINE_S)

        assert await asyncio.to_thread(wait), f"only {self.count} of {count} came"


def command(path: str = "a.png") -> Envelope:
    message = StoreFile(tenant_id=uuid4(), shop="NorthCups", path=path, content=Blob(sha256="0" * 64, size=1))
    return Envelope(uuid4(), message, "test")


@contextmanager
def through_proxy(amqp_url: str) -> Iterator[tuple[Proxy, str]]:
    """A line to the broker that a test can cut."""
    parts = urlsplit(amqp_url)
    with Proxy(parts.port or 5672).running() as proxy:
        yield proxy, parts._replace(netloc=f"{parts.netloc.rpartition(':')[0]}:{proxy.port}").geturl()


@asynccontextmanager
async def bus_at(url: str) -> AsyncIterator[RabbitBus]:
    bus = RabbitBus(url, "storage", watch_s=WATCH_S)
    await bus.connect()
    yield bus
    await bus.stop(5)


@pytest.fixture
def delete(rabbit: Broker, amqp_url: str) -> Callable[[], None]:
    """Delete the inbox, as an operator does on the management page."""
    vhost = urlsplit(amqp_url).path.strip("/")

    def now() -> None:
        url = f"{rabbit.management_url}/api/queues/{vhost}/presswork.storage"
        httpx.delete(url, trust_env=False).raise_for_status()

    return now


def test_a_queue_that_is_declared_later_is_consumed_then(amqp_url: str) -> None:
    async def scenario() -> None:
        heard = Heard()
        async with bus_at(amqp_url) as bus:
            for _ in range(3):
                with pytest.raises(Unavailable, match="run presswork init"):
                    await bus.consume(heard.service())
            await declare(amqp_url, topology([heard.service()]))
            await bus.consume(heard.service())
            await bus.publish(command())
            await heard.reach(1)
            assert await consumers(amqp_url, ["storage"]) == {"storage": 1}

    asyncio.run(scenario())


@pytest.mark.parametrize("messages", [PREFETCH, PREFETCH + 3], ids=["few", "many"])
def test_a_queue_that_was_deleted_and_declared_again_is_consumed_again(
    amqp_url: str, delete: Callable[[], None], messages: int
) -> None:
    async def scenario() -> None:
        heard = Heard()
        await declare(amqp_url, topology([heard.service()]))
        async with bus_at(amqp_url) as bus:
            await bus.consume(heard.service())
            for round_ in range(1, 4):
                delete()
                # At once: the broker may then forget the consumer without a word, or go on to feed the dead one.
                await declare(amqp_url, topology([heard.service()]))
                for _ in range(messages):
                    await bus.publish(command())
                await heard.reach(messages * round_)

    asyncio.run(scenario())


def test_of_two_consumers_that_were_ended_without_a_word_the_second_comes_back_too(amqp_url: str) -> None:
    """By its next look the first is there again: the queue is empty then, and has a consumer."""

    async def scenario() -> None:
        heard = Heard()
        await declare(amqp_url, topology([heard.service()]))
        async with AsyncExitStack() as stack:
            inboxes = []
            for _ in range(2):
                bus = RabbitBus(amqp_url, "storage")  # whose own looks are too seldom to come in between
                await bus.connect()
                stack.push_async_callback(bus.stop, 5)
                await bus.consume(heard.service())
                inboxes += bus._inboxes.values()
            first, second = inboxes
            assert not await second._starving()
            for inbox in inboxes:
                await inbox.queue.cancel(inbox.tag)
            assert await second._starving()
            await first._subscribe()
            assert await second._starving()

    asyncio.run(scenario())


def test_what_waits_long_keeps_its_place_in_the_queue(amqp_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest messages are in hand when an outage begins, and are the first to be done after it, however long."""
    monkeypatch.setattr(delivery, "KEEP_S", 0.1)
    monkeypatch.setattr(breaker, "FIRST_PAUSE_S", 0.02)
    sent, done, away = [f"{number}.png" for number in range(6)], list[str](), threading.Event()
    away.set()

    def on_store_file(message: StoreFile) -> None:
        if away.is_set():
            raise Unavailable("the NAS is away")
        done.append(message.path)

    service = Service("storage", prefetch=1)
    service.on(on_store_file)

    async def scenario() -> None:
        await declare(amqp_url, topology([service]))
        async with bus_at(amqp_url) as bus:
            for path in sent:
                await bus.publish(command(path))
            await bus.consume(service)
            await asyncio.to_thread(eventually, lambda: len(returned()) >= 3)
            away.clear()
            await asyncio.to_thread(eventually, lambda: len(done) == len(sent))

    with capture_logs() as lines:

        def returned() -> list[str]:
            return [line["event"] for line in lines if line["event"].startswith("kept ")]

        asyncio.run(scenario())
    assert set(returned()) == {Outcome.RETURNED.value.words}, "never put aside"
    assert done == sent


def test_a_missing_queue_is_said_in_the_log_again_and_again(amqp_url: str, delete: Callable[[], None]) -> None:
    async def scenario() -> None:
        heard = Heard()
        await declare(amqp_url, topology([heard.service()]))
        async with bus_at(amqp_url) as bus, asyncio.timeout(DEADLINE_S):
            await bus.consume(heard.service())
            with capture_logs() as lines:
                delete()
                await asyncio.to_thread(eventually, lambda: [line for line in lines if line["event"] == words], 20)

    words = "is the queue there? see presswork topology check"
    asyncio.run(scenario())


class Bus(RabbitBus):
    """Writes down why it gives up, and does not end the process of the tests."""

    def __init__(self, url: str, name: str, watch_s: float = WATCH_S) -> None:
        super().__init__(url, name, watch_s)
        self.gave_up = asyncio.Event()

    def give_up(self, why: str) -> None:
        self.fault = self.fault or why
        self.gave_up.set()


def test_a_queue_that_can_not_be_consumed_for_long_ends_the_process(
    amqp_url: str, delete: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rabbit_module, "NOT_READY_S", 1.0)

    async def scenario() -> None:
        heard = Heard()
        await declare(amqp_url, topology([heard.service()]))
        bus = Bus(amqp_url, "storage")
        await bus.connect()
        await bus.consume(heard.service())
        delete()
        async with asyncio.timeout(DEADLINE_S):
            await bus.gave_up.wait()
        assert bus.fault == "queue presswork.storage could not be consumed for 1 s"
        await bus.stop(5)

    asyncio.run(scenario())


def test_a_broker_that_is_away_ends_no_process_and_is_told_of_once(
    amqp_url: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(rabbit_module, "NOT_READY_S", 0.5)
    leave_out_noise()

    async def scenario(proxy: Proxy, url: str, told: Callable[[], list[str]]) -> None:
        heard = Heard()
        await declare(amqp_url, topology([heard.service()]))
        bus = Bus(url, "storage")
        await bus.connect()
        await bus.consume(heard.service())
        await asyncio.to_thread(proxy.refuse)
        await asyncio.sleep(3)  # six times what would be too long
        assert bus.fault == ""
        assert told() == ["the broker is away"]
        await asyncio.to_thread(proxy.accept)
        other = RabbitBus(amqp_url, "test")
        await other.connect()
        await other.publish(command())
        await heard.reach(1)
        await other.stop(5)
        await asyncio.to_thread(eventually, lambda: told() == ["the broker is away", "the broker is back"])
        await bus.stop(5)

    with capture_logs() as lines, through_proxy(amqp_url) as (proxy, url):
        asyncio.run(scenario(proxy, url, lambda: [event for line in lines if (event := _about(line))]))
    errors = [line for line in caplog.records if line.levelno >= logging.ERROR]
    assert [line.getMessage() for line in errors if line.name.startswith("aio_pika")] == []


def test_an_error_in_a_callback_is_no_noise(caplog: pytest.LogCaptureFixture) -> None:
    leave_out_noise()
    said = logging.getLogger("aio_pika.tools")
    for error in (ChannelInvalidStateError("closed"), KeyError("x")):
        said.error("Callback %r error: %s: %s", print, type(error).__name__, error)
    assert [line.args[1] for line in caplog.records if line.args] == ["KeyError"]


def _about(line: Mapping[str, Any]) -> str | None:
    event = str(line["event"]).split(":")[0]
    return event if event.startswith("the broker is") else None


def test_what_a_line_brings_that_comes_back_while_a_process_stops_is_not_begun(amqp_url: str) -> None:
    begun, go_on = threading.Semaphore(0), threading.Event()
    count = itertools.count()

    def on_store_file(message: StoreFile) -> None:
        del message
        next(count)
        begun.release()
        go_on.wait(DEADLINE_S)

    service = Service("storage", prefetch=1)
    service.on(on_store_file)

    async def until_consumers(wanted: int) -> None:
        async with asyncio.timeout(DEADLINE_S):
            while await consumers(amqp_url, ["storage"]) != {"storage": wanted}:
                pass  # each question opens a connection of its own, which is pause enough

    async def scenario(proxy: Proxy, url: str) -> None:
        await declare(amqp_url, topology([service]))
        bus = Bus(url, "storage")
        await bus.connect()
        await bus.consume(service)
        await bus.publish(command())
        assert await asyncio.to_thread(begun.acquire, timeout=DEADLINE_S)
        await asyncio.to_thread(proxy.refuse)
        await until_consumers(0)
        stopping = asyncio.create_task(bus.stop(DEADLINE_S))
        await asyncio.to_thread(proxy.accept)
        await until_consumers(1)  # aio-pika restores it, and the message comes again
        go_on.set()
        await stopping

    with through_proxy(amqp_url) as (proxy, url):
        asyncio.run(scenario(proxy, url))
    assert next(count) == 1


def test_publishing_to_a_broker_that_is_away_ends_within_its_time(
    amqp_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rabbit_module, "PUBLISH_TIMEOUT_S", 0.5)

    async def scenario(proxy: Proxy, url: str) -> None:
        await declare(amqp_url, topology([Heard().service()]))
        bus = RabbitBus(url, "storage")
        await bus.connect()
        await bus.publish(command())
        await asyncio.to_thread(proxy.refuse)
        begun = time.monotonic()
        with pytest.raises(Unavailable):
            await bus.publish(command())
        with pytest.raises(Unavailable):  # aio-pika reconnects by now, and would wait without limit
            await bus.publish(command())
        assert time.monotonic() - begun < 5
        await bus.stop(5)

    with through_proxy(amqp_url) as (proxy, url):
        asyncio.run(scenario(proxy, url))


def test_a_broker_that_falls_silent_while_a_channel_is_opened_is_waited_for(
    amqp_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After three heartbeats aio-pika would cancel who waits: ingest would go on and hear nothing, without a word."""
    monkeypatch.setattr(rabbit_module, "CONNECT_TIMEOUT_S", 0.5)

    async def scenario(proxy: Proxy, url: str) -> None:
        class Silenced(RabbitBus):
            async def _open(self, purpose: str) -> Connection:
                opened = await super()._open(purpose)
                if purpose == "consume":
                    await asyncio.to_thread(proxy.swallow)
                return opened

        bus = Silenced(url, "storage")
        with pytest.raises(Unavailable, match="can't be reached"):
            await asyncio.wait_for(bus.connect(), DEADLINE_S)
        await bus.stop(0)

    with through_proxy(amqp_url) as (proxy, url):
        asyncio.run(scenario(proxy, url))


def test_a_broker_that_falls_silent_while_it_is_asked_about_its_queues_is_waited_for(
    amqp_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(broker, "HEARTBEAT_S", 1)
    connect = broker.aio_pika.connect

    async def scenario(proxy: Proxy, url: str) -> None:
        async def silenced(*given: Any, **how: Any) -> Any:
            opened = await connect(*given, **how)
            await asyncio.to_thread(proxy.swallow)
            return opened

        monkeypatch.setattr(broker.aio_pika, "connect", silenced)
        with pytest.raises(Unavailable, match="can't be asked"):
            await asyncio.wait_for(broker.compare(url, topology([Heard().service()])), DEADLINE_S)

    with through_proxy(amqp_url) as (proxy, url):
        asyncio.run(scenario(proxy, url))


def test_who_is_ended_while_it_connects_leaves_nobody_behind_that_connects_for_ever(amqp_url: str) -> None:
    """aio-pika's task does not end when it is cancelled, and asyncio waits for it: the process would never end."""

    async def scenario(proxy: Proxy, url: str) -> None:
        await asyncio.to_thread(proxy.swallow)
        connecting = asyncio.create_task(RabbitBus(url, "storage").connect())
        ours = {asyncio.current_task(), connecting}
        async with asyncio.timeout(DEADLINE_S):
            while asyncio.all_tasks() <= ours:  # noqa: ASYNC110 - until aio-pika has begun, which it does not tell
                await asyncio.sleep(0)
        connecting.cancel()
        await asyncio.wait({connecting})
        await asyncio.to_thread(proxy.release)
        assert asyncio.all_tasks() == {asyncio.current_task()}

    with through_proxy(amqp_url) as (proxy, url):
        asyncio.run(scenario(proxy, url))


def test_a_channel_that_is_lost_while_a_message_is_acked_does_not_end_its_consumer(amqp_url: str) -> None:
    """aio-pika cancels what waits on the channel, as if somebody had cancelled the task that waits."""

    async def scenario() -> None:
        heard = Heard()
        await declare(amqp_url, topology([heard.service()]))
        bus = RabbitBus(amqp_url, "storage")
        await bus.connect()
        await bus.consume(heard.service())
        lost = asyncio.get_running_loop().create_future()
        lost.cancel()
        await rabbit_module._settle(lost)
        ending = asyncio.create_task(rabbit_module._settle(asyncio.sleep(DEADLINE_S)))
        asyncio.get_running_loop().call_soon(ending.cancel)
        with pytest.raises(asyncio.CancelledError):  # what we cancel ourselves does end
            await ending
        await bus.stop(5)

    asyncio.run(scenario())


def test_a_consumer_that_breaks_ends_the_process(amqp_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(settling: object) -> None:
        settling.close()  # type: ignore[attr-defined] - never awaited
        raise RuntimeError("a fault of ours")

    monkeypatch.setattr(rabbit_module, "_settle", broken)

    async def scenario() -> None:
        heard = Heard()
        await declare(amqp_url, topology([heard.service()]))
        bus = Bus(amqp_url, "storage")
        await bus.connect()
        await bus.consume(heard.service())
        await bus.publish(command())
        async with asyncio.timeout(DEADLINE_S):
            await bus.gave_up.wait()
        assert "a fault of ours" in bus.fault
        monkeypatch.undo()
        await bus.stop(0.1)

    asyncio.run(scenario())


WORKER = """
import sys, time
from pathlib import Path
from shared.bus.run import run
from shared.bus.service import Service
from shared.contracts import StoreFile
from shared.settings import BusSettings

def on_store_file(message: StoreFile) -> None:
    with Path(sys.argv[1]).open("a") as journal:
        journal.write(f"begun {message.path}\\n")
    time.sleep(0.3)
    with Path(sys.argv[1]).open("a") as journal:
        journal.write(f"done {message.path}\\n")

service = Service("storage", prefetch=4)
service.on(on_store_file)
run(service, BusSettings())
"""


def test_nothing_that_was_begun_comes_again_after_sigterm_under_load(amqp_url: str, tmp_path: Path) -> None:
    journal, program, count = tmp_path / "journal", tmp_path / "worker.py", 40
    program.write_text(WORKER)
    environment = {**os.environ, "AMQP_URL": amqp_url, "PYTHONPATH": str(Path.cwd())}

    def read() -> list[str]:
        return journal.read_text().splitlines() if journal.exists() else []

    def until(lines: int) -> None:
        deadline = time.monotonic() + DEADLINE_S
        while len(read()) < lines:
            assert time.monotonic() < deadline, read()
            time.sleep(0.02)

    async def fill() -> None:
        await declare(amqp_url, topology([Heard().service()]))
        bus = RabbitBus(amqp_url, "test")
        await bus.connect()
        for number in range(count):
            await bus.publish(command(f"{number}.png"))
        await bus.stop(5)

    asyncio.run(fill())
    for round_ in itertools.count(1):
        worker = subprocess.Popen([sys.executable, str(program), str(journal)], env=environment, stderr=subprocess.PIPE)
        until(min(2 * count, len(read()) + 10))
        worker.send_signal(signal.SIGTERM)
        _, said = worker.communicate(timeout=DEADLINE_S)
        assert worker.returncode == 0, said.decode()
        lines = read()
        if len(lines) >= 2 * count or round_ > count:
            break
    assert sorted(lines) == sorted(f"{word} {number}.png" for word in ("begun", "done") for number in range(count))
