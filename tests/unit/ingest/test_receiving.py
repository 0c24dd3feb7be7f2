"""Bodies that come slowly: one that falls silent is not waited for, and one that trickles takes no memory."""

import asyncio

import pytest
from starlette.requests import Request
from starlette.types import Message, Receive

from services.ingest.api import uploads
from services.ingest.api.uploads import BadUpload, Form, Limits, receive


def test_an_upload_that_falls_silent_ends_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "SILENCE_S", 0.05)
    parts = [b"--x\r\n"]

    async def heard() -> Message:
        if parts:
            return {"type": "http.request", "body": parts.pop(), "more_body": True}
        return await asyncio.Future()

    with pytest.raises(BadUpload, match="Nothing more of the upload came") as refusal:
        _receive(heard)
    assert refusal.value.status == 408


def test_an_upload_that_trickles_in_single_bytes_is_passed_on_before_many_of_them_are_held() -> None:
    """Each is an object of more than fifty bytes: a piece of two million of them was half a gigabyte of memory."""
    held, most = 0, 0

    class Byte(bytes):
        def __del__(self) -> None:
            nonlocal held
            held -= 1

    head = b'--x\r\nContent-Disposition: form-data; name="files"; filename="a.png"\r\n\r\n'
    coming = iter([*([bytes([byte]) for byte in head]), *([b"a"] * 10_000), b"\r\n--x--\r\n"])

    async def heard() -> Message:
        nonlocal held, most
        byte = Byte(next(coming, b""))
        held += 1
        most = max(most, held)
        return {"type": "http.request", "body": byte, "more_body": bool(byte)}

    assert [file.upload.size for file in _receive(heard, file_bytes=20_000).files] == [10_000]
    assert most < 5000


def _receive(heard: Receive, file_bytes: int = 1000) -> Form:
    headers = [(b"content-type", b"multipart/form-data; boundary=x")]
    request = Request({"type": "http", "method": "POST", "headers": headers}, heard)
    return asyncio.run(receive(request, None, Limits(file_bytes=file_bytes, files=10), "files"))
