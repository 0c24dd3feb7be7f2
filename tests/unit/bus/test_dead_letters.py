"""A dead letter has nowhere further to go: it is read whatever it holds, and waits until it is kept."""

import asyncio
from uuid import uuid4

import pytest

from shared.bus import breaker, delivery
from shared.bus.dead_letter import DeadLetter
from shared.bus.envelope import Envelope, Undecodable, unseal
from shared.bus.memory import MemoryBus
from shared.bus.service import Service
from shared.bus.settlement import Delivery, Failed
from shared.contracts import Blob, StoreFile
from shared.errors import Permanent, Retryable, Unavailable

DEADLINE_S = 10


def failing() -> Service:
    def on_store_file(message: StoreFile) -> None:
        raise Permanent("never")

    service = Service("storage")
    service.on(on_store_file)
    return service


def archiver(*first_errors: Exception) -> tuple[Service, asyncio.Queue[DeadLetter]]:
    """A service that fails with each of the errors before it takes a letter."""
    loop, kept, errors = asyncio.get_running_loop(), asyncio.Queue[DeadLetter](), list(first_errors)

    def on_dead_letter(letter: DeadLetter) -> None:
        if errors:
            raise errors.pop(0)
        loop.call_soon_threadsafe(kept.put_nowait, letter)

    service = Service("ingest", follows_progress=True, archives=("storage",))
    service.on(on_dead_letter)
    return service, kept


@pytest.mark.parametrize("keep_s", [600, -1], ids=["waiting here", "back in its queue"])
@pytest.mark.parametrize("error", [Unavailable("no database"), Retryable("a deadlock"), ValueError("a fault of ours")])
def test_a_letter_that_could_not_be_kept_is_still_a_letter_the_next_time(
    error: Exception, keep_s: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery, "KEEP_S", keep_s)
    monkeypatch.setattr(breaker, "FIRST_PAUSE_S", 0.01)

    async def scenario() -> None:
        bus = MemoryBus()
        service, kept = archiver(error)
        for each in (failing(), service):
            await bus.consume(each)
        command = StoreFile(tenant_id=uuid4(), shop="NorthCups", path="a.png", content=Blob(sha256="0" * 64, size=1))
        await bus.publish(Envelope(uuid4(), command, "test"))
        async with asyncio.timeout(DEADLINE_S):
            letter = await kept.get()
        assert (letter.service, letter.cause) == ("storage", "Permanent: never")
        assert "Permanent: never" in letter.headers["x-stack"]
        await bus.stop(1)

    asyncio.run(scenario())


@pytest.mark.parametrize(("header", "attempt"), [(3, 3), ("many", 1), (None, 1), (True, 1), (0, 1)])
def test_an_attempt_that_is_no_number_is_the_first(header: object, attempt: int) -> None:
    assert Delivery(b"", {"x-attempt": header}).attempt == attempt


def test_different_bytes_are_different_letters_though_they_read_alike() -> None:
    bodies = [b"\xff\x01", b"\xfe\x01", b"\x00\x01", "\ufffd\x01".encode(), b"ff01"]
    letters = [DeadLetter.of("storage", body, {}) for body in bodies]
    assert len({letter.id for letter in letters}) == len(bodies)
    assert [letter.raw or letter.body.encode() for letter in letters] == bodies
    copies = [Failed(failing(), Delivery(body, {})).copy({"x-attempt": 1}, "dead").id for body in bodies]
    assert len(set(copies)) == len(bodies)
    again = [DeadLetter.of("storage", body, {"x-cause": "another"}) for body in bodies]
    assert [letter.id for letter in again] == [letter.id for letter in letters]


def test_brackets_without_end_are_undecodable() -> None:
    with pytest.raises(Undecodable, match="nested too deeply"):
        unseal(b"[" * 100_000)
