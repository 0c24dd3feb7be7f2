"""A body that falls silent is not waited for, and what was kept free for it goes to others."""

import asyncio

import pytest
from starlette.requests import Request
from starlette.types import Message

from services.ingest.api import uploads
from services.ingest.api.uploads import BadUpload, Limits, receive


def test_an_upload_that_falls_silent_ends_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "SILENCE_S", 0.05)
    parts = [b"--x\r\n"]

    async def heard() -> Message:
        if parts:
            return {"type": "http.request", "body": parts.pop(), "more_body": True}
        return await asyncio.Future()

    headers = [(b"content-type", b"multipart/form-data; boundary=x")]
    request = Request({"type": "http", "method": "POST", "headers": headers}, heard)
    with pytest.raises(BadUpload, match="Nothing more of the upload came") as refusal:
        asyncio.run(receive(request, None, Limits(file_bytes=1000, files=10), "files"))
    assert refusal.value.status == 408
