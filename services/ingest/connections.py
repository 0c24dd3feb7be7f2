"""Connections on which no request comes, or a part of its head, or whose client takes no more of an answer.

uvicorn waits for all of these for ever. Each holds a descriptor, and when there are no more of these nobody gets in.
What comes after the head, `api/bodies.py` looks after.
"""

import asyncio

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_S = 60.0
"""From the first byte, or from when it was connected: a browser connects before it knows what to ask.

So long may each silence be in a refused body, which is answered before its end: some clients read the answer only then.
"""
STUCK_S = 60.0
"""Without taking a byte; as many as a client takes in that time are enough."""


class HttpConnection(HttpToolsProtocol):
    """A connection that is closed when a request's head takes longer than `HEAD_S`, and cut when its client has taken
    nothing of an answer for `STUCK_S`.
    """

    _in_body = False
    _end: asyncio.TimerHandle | None = None
    _look: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._await_head()

    def data_received(self, data: bytes) -> None:
        if self.cycle is None or self.cycle.response_complete:
            if self._in_body:
                self._await_no_more()
            self._await_head()
        super().data_received(data)

    def on_headers_complete(self) -> None:
        self._await_no_more()
        self._in_body = True
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._in_body = False
        super().on_message_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        self._await_no_more()
        self._look_no_more()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._look_later()

    def resume_writing(self) -> None:
        self._look_no_more()
        super().resume_writing()

    def _await_head(self) -> None:
        self._end = self._end or self.loop.call_later(HEAD_S, self.transport.close)

    def _await_no_more(self) -> None:
        if self._end is not None:
            self._end.cancel()
        self._end = None

    def _look_later(self) -> None:
        self._look = self.loop.call_later(STUCK_S, self._cut_if_stuck, self.transport.get_write_buffer_size())

    def _cut_if_stuck(self, before: int) -> None:
        if self.transport.get_write_buffer_size() < before:
            self._look_later()
        else:
            self.transport.abort()  # to close would wait for what is stuck

    def _look_no_more(self) -> None:
        if self._look is not None:
            self._look.cancel()
        self._look = None
