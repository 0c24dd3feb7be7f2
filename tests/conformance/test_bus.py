"""What both transports promise, as one suite: the in-process bus, and RabbitMQ itself."""

import asyncio
import itertools
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID, uuid4

import pytest
from structlog.testing import capture_logs

from services.ops.broker import declare
from services.ops.queues import topology
from shared.bus import breaker, delivery
from shared.bus.dead_letter import DeadLetter
from shared.bus.delivery import Unroutable
from shared.bus.envelope import Envelope
from shared.bus.memory import MemoryBus
from shared.bus.rabbit import RabbitBus
from shared.bus.retry import RetryPolicy
from shared.bus.service import Service
from shared.bus.settlement import Sealed
from shared.bus.topology import EVENTS, Route, routing_key, waiting_as
from shared.contracts import Blob, ImageRejected, ListingFailed, StoreFile, WorkDelayed
from shared.errors import Elsewhere, Permanent, Retryable, Unavailable

DEADLINE_S = 20.0
FAST = RetryPolicy(delays_s=(0.1, 0.2))

Bus = MemoryBus | RabbitBus
Connect = Callable[..., Any]


@pytest.fixture(params=["memory", pytest.param("rabbit", marks=pytest.mark.rabbit)])
def connect(request: pytest.FixtureRequest) -> Connect:
    """An async context manager that gives a bus on which these services' queues exist."""
    # asked for by a scenario, the start of the first test's broker would count as a part of it
    url = request.getfixturevalue("amqp_url") if request.param == "rabbit" else ""

    @asynccontextmanager
    async def memory(*services: Service) -> AsyncIterator[Bus]:
        bus = MemoryBus()
        for service in services:
            await bus.consume(service)
        yield bus
        await bus.stop(5)

    @asynccontextmanager
    async def rabbit(*services: Service) -> AsyncIterator[Bus]:
        await declare(url, topology(services))
        buses = [RabbitBus(url, service.name) for service in services]
        for bus, service in zip(buses, services, strict=True):
            await bus.connect()
            await bus.consume(service)
        yield buses[0]
        for bus in buses:
            await bus.stop(5)

    return memory if request.param == "memory" else rabbit


@pytest.fixture
def sealed_by(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, UUID]]:
    """The type and id of every envelope that a consumer of this test opens, as they came over the wire."""
    opened: list[tuple[str, UUID]] = []
    unseal = delivery.unseal

    def listening(body: bytes) -> Envelope:
        envelope = unseal(body)
        opened.append((type(envelope.message).__name__, envelope.id))
        return envelope

    monkeypatch.setattr(delivery, "unseal", listening)
    return opened


def command(path: str = "a.png") -> StoreFile:
    return StoreFile(tenant_id=uuid4(), shop="NorthCups", path=path, content=Blob(sha256="0" * 64, size=1))


def rejected(session: UUID | None = None) -> ImageRejected:
    return ImageRejected(
        tenant_id=uuid4(),
        session_id=session or uuid4(),
        item_id=uuid4(),
        index=0,
        filename="a.png",
        code="x",
        reason="y",
    )


def sealed_for(message: StoreFile, source: str = "test") -> Envelope:
    return Envelope(uuid4(), message, source)


def run(scenario: Awaitable[None]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(DEADLINE_S):
            await scenario

    asyncio.run(bounded())


class Heard:
    """What a handler was given, and a way to wait for it."""

    def __init__(self) -> None:
        self.messages: list[Any] = []
        self._more = threading.Condition()

    def add(self, message: Any) -> int:
        with self._more:
            self.messages.append(message)
            self._more.notify_all()
            return len(self.messages)

    async def reach(self, count: int) -> list[Any]:
        def wait() -> bool:
            with self._more:
                return self._more.wait_for(lambda: len(self.messages) >= count, timeout=DEADLINE_S)

        assert await asyncio.to_thread(wait), f"only {len(self.messages)} of {count} came"
        return self.messages


def archiver(heard: Heard) -> Service:
    def on_dead_letter(letter: DeadLetter) -> None:
        heard.add(letter)

    def on_work_delayed(delay: WorkDelayed) -> None:
        """Every outage is told to whoever follows progress."""

    service = Service("ingest", follows_progress=True, archives=("storage",))
    service.on(on_dead_letter)
    service.on(on_work_delayed)
    return service


def storage(handler: Callable[[StoreFile], None], **options: Any) -> Service:
    def on_store_file(message: StoreFile) -> None:
        handler(message)

    service = Service("storage", retry=FAST, **options)
    service.on(on_store_file)
    return service


def test_a_message_reaches_the_handler_of_its_type(connect: Connect) -> None:
    async def scenario() -> None:
        heard = Heard()
        async with connect(storage(heard.add)) as bus:
            message = command()
            await bus.publish(sealed_for(message))
            assert await heard.reach(1) == [message]

    run(scenario())


def test_what_a_handler_yields_is_published_before_it_ends(connect: Connect) -> None:
    async def scenario() -> None:
        heard = Heard()
        may_end = threading.Event()

        def on_store_file(message: StoreFile) -> Iterator[ImageRejected]:
            yield rejected()
            assert may_end.wait(DEADLINE_S)
            yield rejected()

        def on_image_rejected(event: ImageRejected) -> None:
            heard.add(event)

        first = Service("storage")
        first.on(on_store_file)
        second = Service("ingest", follows_progress=True)
        second.on(on_image_rejected)
        third = Service("publisher")
        third.on(on_image_rejected)
        async with connect(first, second, third) as bus:
            await bus.publish(sealed_for(command()))
            assert len(await heard.reach(2)) == 2  # both copies of the first: work and progress
            may_end.set()
            assert len(await heard.reach(4)) == 4

    run(scenario())


def test_a_retry_repeats_the_same_answer_ids(connect: Connect, sealed_by: list[tuple[str, UUID]]) -> None:
    async def scenario() -> None:
        attempts, answers = Heard(), Heard()

        def on_store_file(message: StoreFile) -> Iterator[ListingFailed]:
            attempt = attempts.add(message)
            yield ListingFailed(**rejected(message.tenant_id).model_dump(exclude={"code"}), mockup_id=message.tenant_id)
            if attempt < 3:
                raise Retryable("not yet")

        def on_listing_failed(event: ListingFailed) -> None:
            answers.add(event)

        worker = Service("storage", retry=FAST)
        worker.on(on_store_file)
        listener = Service("ingest", follows_progress=True)
        listener.on(on_listing_failed)
        async with connect(worker, listener) as bus:
            await bus.publish(sealed_for(command()))
            await attempts.reach(3)
            await answers.reach(3)
            ids = [message_id for name, message_id in sealed_by if name == "ListingFailed"]
            assert len(ids) >= 3
            assert len(set(ids)) == 1

    run(scenario())


def test_the_last_attempt_buries_the_message_with_its_cause(connect: Connect) -> None:
    async def scenario() -> None:
        attempts, letters = Heard(), Heard()

        def fail(message: StoreFile) -> None:
            attempts.add(message)
            raise ValueError("no such shelf")

        async with connect(storage(fail), archiver(letters)) as bus:
            await bus.publish(sealed_for(command("rose.png")))
            (letter,) = await letters.reach(1)
            assert len(attempts.messages) == 3
            assert letter.service == "storage"
            assert letter.headers["x-attempt"] == 3
            assert "ValueError: no such shelf" in letter.cause
            assert "no such shelf" in letter.headers["x-stack"]
            assert "rose.png" in letter.body

    run(scenario())


def test_a_permanent_error_is_buried_at_once(connect: Connect) -> None:
    async def scenario() -> None:
        attempts, letters = Heard(), Heard()

        def fail(message: StoreFile) -> None:
            attempts.add(message)
            raise Permanent("never")

        async with connect(storage(fail), archiver(letters)) as bus:
            await bus.publish(sealed_for(command()))
            await letters.reach(1)
            assert len(attempts.messages) == 1

    run(scenario())


def test_an_error_without_end_is_buried_with_what_fits(connect: Connect) -> None:
    async def scenario() -> None:
        letters = Heard()

        def fail(message: StoreFile) -> None:
            raise Permanent("too long " * 100_000)

        async with connect(storage(fail), archiver(letters)) as bus:
            await bus.publish(sealed_for(command()))
            (letter,) = await letters.reach(1)
            assert len(letter.cause) == 1024
            assert len(letter.headers["x-stack"]) == 4096
            assert sum(len(str(value)) for value in letter.headers.values()) < 16 * 1024

    run(scenario())


class Panic(BaseException):
    """As a compiled library raises it."""


def test_a_panic_is_an_error_like_any_other_and_the_consumer_lives(connect: Connect) -> None:
    heard = Heard()

    def on_store_file(event: StoreFile) -> None:
        if heard.add(event.path) == 1:
            raise Panic("index out of bounds")

    service = Service("storage", FAST)
    service.on(on_store_file)

    async def scenario() -> None:
        async with connect(service) as bus:
            for path in ("a.png", "b.png"):
                await bus.publish(sealed_for(command(path)))
            assert sorted(await heard.reach(3)) == ["a.png", "a.png", "b.png"]

    run(scenario())


def test_a_fault_of_delivery_itself_loses_no_message_and_no_consumer(connect: Connect) -> None:
    heard, faults = Heard(), iter([ValueError("a fault of ours")])

    class Faulty(RetryPolicy):
        def after(self, attempt: int) -> float | None:
            if fault := next(faults, None):
                raise fault
            return super().after(attempt)

    def on_store_file(event: StoreFile) -> None:
        if heard.add(event.path) < 3:
            raise Retryable("not yet")

    service = Service("storage", Faulty(FAST.delays_s))
    service.on(on_store_file)

    async def scenario() -> None:
        async with connect(service) as bus:
            await bus.publish(sealed_for(command()))
            assert await heard.reach(3) == ["a.png"] * 3

    run(scenario())


def test_an_undecodable_message_is_buried_and_the_consumer_lives(connect: Connect) -> None:
    async def scenario() -> None:
        heard, letters = Heard(), Heard()
        async with connect(storage(heard.add), archiver(letters)) as bus:
            route = Route(EVENTS, routing_key(StoreFile))
            for body in (b"\xff\x00 not json", b'{"type":"Nobody","id":"1"}', b"[]"):
                await bus.send(route, Sealed(str(uuid4()), body))
            await bus.publish(sealed_for(command()))
            await heard.reach(1)
            assert len(await letters.reach(3)) == 3

    run(scenario())


def test_an_outage_is_waited_out_and_costs_no_attempt(connect: Connect) -> None:
    async def scenario() -> None:
        attempts, letters = Heard(), Heard()

        def fail(message: StoreFile) -> None:
            if attempts.add(message) < 4:
                raise Unavailable("the NAS is away")

        done = Heard()

        def work(message: StoreFile) -> None:
            fail(message)
            done.add(message)

        async with connect(storage(work), archiver(letters)) as bus:
            await bus.publish(sealed_for(command()))
            await done.reach(1)
            assert len(attempts.messages) == 4
            assert letters.messages == []

    run(scenario())


def test_an_outage_pauses_all_that_is_in_hand_and_one_message_asks_for_its_end(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    hand, pause_s = 8, 0.2
    monkeypatch.setattr(breaker, "FIRST_PAUSE_S", pause_s)

    async def scenario() -> None:
        back, together = threading.Event(), threading.Barrier(hand, timeout=DEADLINE_S)
        asked, done, letters = Heard(), Heard(), Heard()

        def work(message: StoreFile) -> None:
            if asked.add(time.monotonic()) <= hand:
                together.wait()  # all are in hand when the first is refused
            if not back.is_set():
                raise Unavailable("the NAS is away")
            done.add(message)

        async with connect(storage(work, prefetch=hand), archiver(letters)) as bus:
            for _ in range(hand + 4):
                await bus.publish(sealed_for(command()))
            times = (await asked.reach(hand + 3))[hand - 1 : hand + 3]
            for earlier, later in itertools.pairwise(times):
                assert later - earlier > pause_s * 0.9  # one question for each pause, not eight
            back.set()
            assert len(await done.reach(hand + 4)) == hand + 4
            assert letters.messages == []

    with capture_logs() as lines:
        run(scenario())
    said = [line["event"] for line in lines if line["log_level"] in ("warning", "error")]
    assert said == ["outage: messages wait", "the outage is over: messages go on"]  # no attempt was used up


def test_publishing_what_nobody_listens_to_is_an_error(connect: Connect) -> None:
    async def scenario() -> None:
        async with connect(archiver(Heard())) as bus:
            with pytest.raises(Unroutable):
                await bus.publish(sealed_for(command()))

    run(scenario())


def test_prefetch_bounds_what_is_in_work_at_once(connect: Connect) -> None:
    async def scenario() -> None:
        lock, inside, most = threading.Lock(), 0, 0
        both = threading.Barrier(2, timeout=DEADLINE_S)
        done = Heard()

        def work(message: StoreFile) -> None:
            nonlocal inside, most
            with lock:
                inside += 1
                most = max(most, inside)
            both.wait()  # passes only if two are in work together
            with lock:
                inside -= 1
            done.add(message)

        async with connect(storage(work, prefetch=2)) as bus:
            for _ in range(6):
                await bus.publish(sealed_for(command()))
            await done.reach(6)
            assert most == 2

    run(scenario())


def test_stopping_finishes_what_is_in_work(connect: Connect) -> None:
    async def scenario() -> None:
        begun, done = Heard(), Heard()
        may_end = threading.Event()

        def work(message: StoreFile) -> None:
            begun.add(message)
            assert may_end.wait(DEADLINE_S)
            done.add(message)

        async with connect(storage(work)) as bus:
            await bus.publish(sealed_for(command()))
            await begun.reach(1)
            stopping = asyncio.create_task(bus.stop(DEADLINE_S))
            await bus.stopping.wait()
            assert not stopping.done()
            may_end.set()
            await stopping
            assert len(done.messages) == 1

    run(scenario())


def test_work_for_a_branch_waits_for_what_the_branch_needs_and_all_else_goes_on(connect: Connect) -> None:
    heard, told, away = Heard(), Heard(), threading.Event()
    away.set()

    def on_store_file(message: StoreFile) -> None:
        if message.path.startswith("south"):
            raise Elsewhere("presswork.storage.south")
        heard.add(message.path)

    def in_branch(message: StoreFile) -> None:
        if away.is_set():
            raise Unavailable("no NAS")
        heard.add(message.path)

    def on_work_delayed(delay: WorkDelayed) -> None:
        told.add(delay)

    storage, branch = Service("storage", FAST, prefetch=2), Service("storage", FAST, 2, queue="presswork.storage.south")
    storage.branches = (branch,)
    storage.on(on_store_file)
    branch.on(in_branch)
    ingest = Service("ingest", follows_progress=True)
    ingest.on(on_work_delayed)

    async def scenario() -> None:
        async with connect(storage, ingest) as bus:
            for number in range(6):
                await bus.publish(sealed_for(command(f"south-{number}.png")))
            await bus.publish(sealed_for(command("north.png")))
            assert await heard.reach(1) == ["north.png"]
            (first, *_) = await told.reach(1)
            assert (first.session_id, first.cause) == (waiting_as(branch.queue), "Unavailable: no NAS")
            away.clear()
            await heard.reach(7)
            while told.messages[-1].cause:  # noqa: ASYNC110 - it is told in its own time
                await asyncio.sleep(0.01)

    run(scenario())
    assert sorted(heard.messages[1:]) == [f"south-{number}.png" for number in range(6)]
    assert {delay.session_id for delay in told.messages} == {waiting_as(branch.queue)}
