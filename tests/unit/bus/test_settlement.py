"""The settlement table, row by row: how handling ended, what is published in the message's place, whether it is acked.

`Broker` is the broker's side, written by hand: it takes what is sent, or refuses as often as a test says.
"""

import asyncio
import json
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from typing import Any
from uuid import UUID, uuid5

import pytest

from shared.bus import delivery as bus_delivery
from shared.bus.breaker import Breaker
from shared.bus.dead_letter import DeadLetter
from shared.bus.delivery import Consumer, Transport, Unroutable, deliver
from shared.bus.envelope import Envelope, seal, unseal
from shared.bus.service import Service
from shared.bus.settlement import Delivery, Outcome, Sealed
from shared.bus.topology import Route
from shared.contracts import (
    BatchSubmitted,
    Blob,
    Destination,
    ImageRejected,
    Message,
    PrintSpec,
    StoreFile,
    UploadedFile,
    WorkDelayed,
)
from shared.errors import Busy, Elsewhere, Permanent, Retryable, Unavailable

ID = UUID(int=7)
SESSION = str(UUID(int=8))
COMMAND = StoreFile(tenant_id=ID, shop="NorthCups", path="a.png", content=Blob(sha256="0" * 64, size=1))
REJECTED = ImageRejected(
    tenant_id=ID, session_id=ID, item_id=ID, index=0, filename="a.png", code="truncated", reason="export it again"
)
DEADLINE_S = 10

Script = list[Exception | Message]


@dataclass
class Broker(Transport):
    """Takes what is sent to it, after it has refused with each of the errors in `refuses`."""

    refuses: list[Exception] = field(default_factory=list)
    stops_at_refusal: asyncio.Event | None = None
    taken: list[tuple[Route, Sealed]] = field(default_factory=list)

    async def send(self, route: Route, sealed: Sealed) -> None:
        if self.refuses:
            if self.stops_at_refusal:
                self.stops_at_refusal.set()
            raise self.refuses.pop(0)
        self.taken.append((route, sealed))


def storage(script: Script) -> Service:
    """A service whose handler does at each call what comes next in the script, and nothing after its end."""

    def act() -> Iterator[ImageRejected]:
        step = script.pop(0) if script else None
        if isinstance(step, Exception):
            raise step
        if isinstance(step, ImageRejected):
            yield step

    def on_store_file(message: StoreFile) -> Iterator[ImageRejected]:
        yield from act()

    def on_batch_submitted(batch: BatchSubmitted) -> Iterator[ImageRejected]:
        yield from act()

    def on_dead_letter(letter: DeadLetter) -> Iterator[ImageRejected]:
        yield from act()

    service = Service("storage")
    service.on(on_store_file)
    service.on(on_batch_submitted)
    service.on(on_dead_letter)
    return service


def settled(
    delivery: Delivery, script: Script, broker: Broker | None = None, *, stopping: bool = False
) -> tuple[bool, list[tuple[Route, Sealed]]]:
    """Whether a delivery is acked, and what was published while it was handled."""
    broker = broker or Broker()

    async def scenario() -> bool:
        stop = asyncio.Event()
        broker.stops_at_refusal = stop if stopping else None
        if stopping and not broker.refuses:
            stop.set()
        with ThreadPoolExecutor(1) as threads:
            async with asyncio.timeout(DEADLINE_S):
                return await deliver(Consumer(storage(script), broker, threads, Breaker(stop)), delivery)

    return asyncio.run(scenario()), broker.taken


def command(attempt: int | None = None, **headers: Any) -> Delivery:
    body = seal(Envelope(ID, COMMAND, "test", correlation_id=SESSION))
    return Delivery(body, headers if attempt is None else {"x-attempt": attempt, **headers})


LETTER = Delivery(b"unreadable", {"x-cause": "its shelf broke", "x-attempt": 6}, dead_service="mockup")
EVENTS, PROGRESS = "presswork.events/image.rejected", f"presswork.progress/progress.{ID}.hasher.rejected"
DEAD = "presswork.dead/storage"
ALL_WAIT = "presswork.progress/progress.all.storage.delayed"


@dataclass(frozen=True)
class Row:
    outcome: str
    delivery: Delivery
    script: Script
    publishes: tuple[str, ...]
    attempt: int | None = None
    acks: bool = True
    keep_s: float = 600
    refuses: tuple[Exception, ...] = ()
    stopping: bool = False


TABLE = [
    Row("handled", command(), [REJECTED], (EVENTS, PROGRESS)),
    Row("a repeat that has nothing left to do", command(), [], ()),
    Row("one item's failure is an event", command(), [REJECTED], (EVENTS, PROGRESS)),
    Row("transient, first time", command(), [Retryable("locked")], ("presswork.retry/5000ms.storage",), 2),
    Row("transient, second time", command(2), [Retryable("locked")], ("presswork.retry/30000ms.storage",), 3),
    Row("a fault of ours, fifth time", command(5), [KeyError("x")], ("presswork.retry/300000ms.storage",), 6),
    Row("attempts exhausted", command(6), [Retryable("locked")], (DEAD,), 6),
    Row("permanent", command(), [Permanent("never")], (DEAD,), 1),
    Row("not JSON", Delivery(b"\xff", {}), [], (DEAD,), 1),
    Row("unknown type", Delivery(json.dumps({"type": "Nobody"}).encode(), {}), [], (DEAD,), 1),
    Row("no handler", Delivery(seal(Envelope(ID, REJECTED, "test")), {}), [], (DEAD,), 1),
    Row("outage that ends", command(3), [Unavailable("no NAS"), Unavailable("no NAS")], (ALL_WAIT,) * 3),
    Row("long outage", command(3), [Unavailable("no NAS")], ("presswork.retry/300000ms.storage",), 3, keep_s=-1),
    Row(
        "long outage, of a message whose queue takes it back",
        replace(command(3), returnable=True),
        [Unavailable("no NAS")],
        (),
        acks=False,
        keep_s=-1,
    ),
    Row("another one holds what it needs", command(3), [Busy("the shop")], ("presswork.retry/5000ms.storage",), 3),
    Row("work for another queue", command(4), [Elsewhere("presswork.storage.nas")], ("/presswork.storage.nas",), 4),
    Row("a letter's trouble passes", LETTER, [ValueError("ours"), Permanent("ours")], ()),
    Row("a letter's long trouble", LETTER, [ValueError("ours")], ("presswork.dead/mockup",), 6, keep_s=-1),
    Row(
        "an answer can't be published at first",
        command(),
        [REJECTED, REJECTED],
        (EVENTS, PROGRESS, PROGRESS, ALL_WAIT, ALL_WAIT),
        refuses=(Unroutable("no queue"),),
    ),
    Row("the copy can't be published at first", command(), [Permanent("never")], (DEAD,), 1, refuses=(Unavailable(),)),
    Row("stopped in an outage", command(), [Unavailable("no NAS")], (ALL_WAIT,), acks=False, stopping=True),
    Row(
        "stopped before the copy is published",
        command(),
        [Permanent("never")],
        (),
        acks=False,
        refuses=(Unavailable("no broker"),),
        stopping=True,
    ),
]


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.bus.breaker.FIRST_PAUSE_S", 0.01)


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.outcome)
def test_each_outcome_publishes_and_settles_as_the_table_says(row: Row, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bus_delivery, "KEEP_S", row.keep_s)
    acked, taken = settled(row.delivery, list(row.script), Broker(list(row.refuses)), stopping=row.stopping)
    assert acked is row.acks
    assert sorted(f"{route.exchange}/{route.key}" for route, _ in taken) == sorted(row.publishes)
    if row.attempt is not None:
        (copy,) = (sealed for _, sealed in taken)
        assert copy.headers["x-attempt"] == row.attempt
        assert copy.body == row.delivery.body


def test_nothing_but_the_end_of_the_process_or_a_long_outage_leaves_a_message_unsettled() -> None:
    assert [outcome for outcome in Outcome if not outcome.value.acks] == [Outcome.RETURNED, Outcome.STOPPING]


def test_an_answer_keeps_its_id_when_its_input_is_handled_again() -> None:
    _, taken = settled(command(), [REJECTED, REJECTED], Broker([Unavailable("no confirm")]))
    answers = {json.loads(sealed.body)["id"] for route, sealed in taken if not route.key.endswith(".delayed")}
    assert answers == {str(uuid5(ID, "ImageRejected:0"))}


def test_a_dead_letter_tells_why_who_when_where_and_what_of() -> None:
    first = "2026-01-02T03:04:05+00:00"
    _, [(_, letter)] = settled(command(6, **{"x-first-failed-at": first}), [Retryable("the shelf is locked")])
    told = dict(letter.headers)
    assert "the shelf is locked" in told.pop("x-stack")
    assert told.pop("x-dead-at") > first
    assert told == {
        "x-attempt": 6,
        "x-cause": "Retryable: the shelf is locked (after 6 attempts)",
        "x-first-failed-at": first,
        "x-service": "storage",
        "x-session": SESSION,
        "x-version": version("presswork"),
        "x-host": socket.gethostname(),
    }


def test_the_first_failure_is_remembered_through_the_retries() -> None:
    _, [(_, second)] = settled(command(), [Retryable("locked")])
    _, [(_, third)] = settled(command(**second.headers), [Retryable("locked")])
    assert third.headers["x-first-failed-at"] == second.headers["x-first-failed-at"]
    assert third.headers["x-attempt"] == 3


@pytest.mark.parametrize("error", [Permanent("\N{ROSE}" * 50_000), Retryable("x" * 100_000)], ids=["dead", "retry"])
def test_headers_are_bounded_whatever_a_message_brings_and_whatever_an_error_says(error: Exception) -> None:
    hostile = {
        "x-generation": "g" * 100_000,
        "x-first-failed-at": {"nested": ["x" * 100_000]},
        "x-death": [{"reason": "x" * 100_000}],
        "x-stack": "s" * 100_000,
        "traceparent": "t" * 100_000,
    }
    _, [(_, copy)] = settled(command(1, **hostile), [error])
    assert set(copy.headers) <= {
        *("x-attempt", "x-cause", "x-dead-at", "x-first-failed-at", "x-generation", "x-host", "x-service"),
        *("x-session", "x-stack", "x-version"),
    }
    assert size(copy) < 16 * 1024
    assert len(str(copy.headers.get("x-stack", "")).encode()) <= 4096


def test_a_dead_letter_that_goes_round_stays_bounded_and_keeps_what_it_tells(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bus_delivery, "KEEP_S", -1)
    headers = {"x-cause": "c" * 100_000, "x-stack": "s" * 100_000, "x-host": "h" * 100_000, "x-dead-at": "then"}
    _, [(_, copy)] = settled(Delivery(b"", headers, dead_service="mockup"), [Retryable("a deadlock")])
    assert size(copy) < 16 * 1024
    assert copy.headers["x-dead-at"] == "then"
    assert copy.headers["x-cause"].startswith("ccc")


def size(copy: Sealed) -> int:
    return sum(len(name) + len(str(value).encode()) + 8 for name, value in copy.headers.items())


def test_a_session_that_is_no_short_text_is_undecodable() -> None:
    for session in ("s" * 300, 7, {"a": 1}):
        body = json.loads(command().body) | {"correlationid": session}
        acked, [(route, _)] = settled(Delivery(json.dumps(body).encode(), {}), [REJECTED])
        assert acked
        assert route == Route("presswork.dead", "storage")


BATCH = BatchSubmitted(
    tenant_id=ID,
    session_id=ID,
    batch=0,
    files=(UploadedFile(item_id=ID, index=0, filename="a.png", upload=Blob(sha256="0" * 64, size=1)),),
    print_spec=PrintSpec(width_inches=1, height_inches=1, canvas_width_inches=1, canvas_height_inches=1),
    destination=Destination(shop="NorthCups", template="Cup"),
)


@pytest.mark.parametrize(
    ("error", "again_in_s"), [(Retryable("the shelf is locked"), 5), (KeyError("x"), 5)], ids=["passing", "fault"]
)
def test_an_upload_hears_that_its_file_is_tried_again_and_when(error: Exception, again_in_s: float) -> None:
    _, taken = settled(Delivery(seal(Envelope(ID, BATCH, "test")), {}), [error])
    [(route, told)] = [(route, sealed) for route, sealed in taken if route.exchange == "presswork.progress"]
    assert route.key == f"progress.{ID}.storage.delayed"
    delay = unseal(told.body).message
    cause = f"{type(error).__name__}: {error}"
    assert delay == WorkDelayed(service="storage", session_id=ID, cause=cause, again_in_s=again_in_s)


def test_in_an_outage_everybody_hears_why_and_that_it_is_over() -> None:
    _, taken = settled(Delivery(seal(Envelope(ID, BATCH, "test")), {}), [Unavailable("no NAS")])
    told = [unseal(sealed.body).message for _, sealed in taken]
    assert told == [
        WorkDelayed(service="storage", session_id=None, cause="Unavailable: no NAS"),
        WorkDelayed(service="storage", session_id=None, cause=""),
    ]


def test_who_can_not_be_told_holds_nobody_up() -> None:
    delivery = Delivery(seal(Envelope(ID, BATCH, "test")), {})
    acked, taken = settled(delivery, [Retryable("locked")], Broker([Unavailable("no broker")]))
    assert acked
    assert [route.exchange for route, _ in taken] == ["presswork.retry"]
