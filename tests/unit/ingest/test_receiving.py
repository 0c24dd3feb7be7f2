"""Bodies that come slowly: one that falls silent is not waited for, and one that trickles takes no memory."""

import asyncio
import threading
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from fastapi import HTTPException
from starlette.requests import Request
from starlette.types import Message, Receive, Scope, Send

from services.ingest.api import bodies, receiving
from services.ingest.api.bodies import Bodies
from services.ingest.api.receiving import Form, Limits, receive
from shared.blobs import Blobs, BlobWriter

LIMIT_S = 10
HEAD = b'--x\r\nContent-Disposition: form-data; name="files"; filename="a.png"\r\n\r\n'


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "SILENCE_S", 0.5)


@pytest.mark.usefixtures("impatient")
def test_a_body_that_falls_silent_ends_in_words() -> None:
    async def silent() -> Message:
        return await asyncio.Future()

    with pytest.raises(HTTPException, match="Nothing more of the request came") as refusal:
        asyncio.run(_read([b"a", silent]))
    assert refusal.value.status_code == 408


@pytest.mark.usefixtures("impatient")
def test_a_body_that_comes_slowly_is_read_to_its_end_however_long_it_takes() -> None:
    async def slow() -> Message:
        await asyncio.sleep(0.15)  # the line
        return {"type": "http.request", "body": b"a", "more_body": True}

    assert asyncio.run(_read([*[slow] * 5, b""])) == b"aaaaa"


@pytest.mark.usefixtures("impatient")
def test_a_client_that_waits_for_its_answer_may_be_silent() -> None:
    async def gone() -> Message:
        await asyncio.sleep(0.7)  # the answer takes longer
        return {"type": "http.disconnect"}

    assert asyncio.run(_read([b"a", b""], afterwards=gone)) == b"a"


Part = bytes | Callable[[], Awaitable[Message]]


async def _read(parts: list[Part], afterwards: Callable[[], Awaitable[Message]] | None = None) -> bytes:
    """What an application reads of a body that comes in these parts, the last of which is empty."""
    coming, read = iter(parts), b""

    async def receive() -> Message:
        part = next(coming)
        if callable(part):
            return await part()
        return {"type": "http.request", "body": part, "more_body": bool(part)}

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        nonlocal read
        read = await Request(scope, receive).body()
        if afterwards is not None:
            parts.append(afterwards)
            assert (await receive())["type"] == "http.disconnect"

    async def send(message: Message) -> None:
        raise AssertionError(message)

    await Bodies(application)({"type": "http", "method": "POST", "headers": []}, receive, send)
    return read


def test_an_upload_that_trickles_in_single_bytes_is_passed_on_before_many_of_them_are_held() -> None:
    """Each is an object of more than fifty bytes: a piece of two million of them was half a gigabyte of memory."""
    held, most = 0, 0

    class Byte(bytes):
        def __del__(self) -> None:
            nonlocal held
            held -= 1

    coming = iter([*([bytes([byte]) for byte in HEAD]), *([b"a"] * 10_000), b"\r\n--x--\r\n"])

    async def heard() -> Message:
        nonlocal held, most
        byte = Byte(next(coming, b""))
        held += 1
        most = max(most, held)
        return {"type": "http.request", "body": byte, "more_body": bool(byte)}

    assert _receive(heard).sizes == [10_000]
    assert most < 5000


def test_of_fields_that_nobody_reads_nothing_is_held() -> None:
    """A hundred of them, of a mebibyte each and with a rare letter in it, took 900 MB of memory a client."""
    part = b'--x\r\nContent-Disposition: form-data; name="%b"\r\n\r\n{}\r\n'
    coming = iter([part % name for name in (b"design_data", b"more")] + [b"--x--\r\n"])

    async def heard() -> Message:
        chunk = next(coming, b"")
        return {"type": "http.request", "body": chunk, "more_body": bool(chunk)}

    assert _receive(heard).fields == {"design_data": "{}", "more": ""}


def test_a_file_whose_name_is_sent_as_the_standard_forbids_is_a_file_all_the_same() -> None:
    """Old clients send names with umlauts as `filename*` alone: such a file went unnoticed among the others."""
    part = b'--x\r\nContent-Disposition: form-data; name="files"; filename%b\r\n\r\na\r\n'
    coming = iter([part % name for name in (b'="a.png"', b"*=UTF-8''%C3%BC.png")] + [b"--x--\r\n"])

    async def heard() -> Message:
        chunk = next(coming, b"")
        return {"type": "http.request", "body": chunk, "more_body": bool(chunk)}

    assert _receive(heard).sizes == [1, 1]


def test_an_upload_that_is_ended_while_it_is_written_leaves_no_half_a_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """As by a server that stops: the thread goes on all the same, and what it begins then is taken away, too."""
    monkeypatch.setattr(receiving, "FEED_BYTES", 1)
    released = threading.Event()

    class Slow(Blobs):
        def writer(self) -> AbstractContextManager[BlobWriter]:
            assert released.wait(LIMIT_S)
            return super().writer()

    coming = [HEAD + b"a", b"a"]

    async def heard() -> Message:
        if len(coming) == 1:
            loop, this = asyncio.get_running_loop(), asyncio.current_task()
            assert this is not None
            loop.call_soon(this.cancel)
            loop.call_soon(released.set)
        return {"type": "http.request", "body": coming.pop(0), "more_body": True}

    with pytest.raises(asyncio.CancelledError) as ended:
        _receive(heard, blobs=Slow(tmp_path))
    assert list((tmp_path / "incoming").iterdir()) == [], ended


def _receive(heard: Receive, file_bytes: int = 1000, blobs: Blobs | None = None) -> Form:
    headers = [(b"content-type", b"multipart/form-data; boundary=x")]
    request = Request({"type": "http", "method": "POST", "headers": headers}, heard)
    return asyncio.run(receive(request, blobs, Limits(file_bytes=file_bytes, files=10), "files"))
