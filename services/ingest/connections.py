"""Connections on which no request comes, or a part of its head, or whose client takes no more of an answer.

uvicorn waits for all of these for ever. Each holds a descriptor, and when there are no more of these nobody gets in.
It also keeps a head that has no end in memory, many times over, before anybody is asked for a login.
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
HEAD_BYTES = 64 * 1024
"""Of a request's head, or of what a body has beside its content (trailers, say), and what comes with the last of it."""
TOO_LONG = b"The head of this request has more than %d bytes." % HEAD_BYTES
REFUSAL = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\nContent-Type: text/plain; charset=utf-8\r\n"
    b"Connection: close\r\nContent-Length: %d\r\n\r\n%s" % (len(TOO_LONG), TOO_LONG)
)


class HttpConnection(HttpToolsProtocol):
    """A connection that is closed when a request's head takes longer than `HEAD_S` or has more than `HEAD_BYTES`, and
    cut when its client has taken nothing of an answer for `STUCK_S`.
    """

    _in_body = False
    _of_use = False
    _unused = 0
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
        self._of_use = False
        super().data_received(data)
        self._unused = 0 if self._of_use else self._unused + len(data)
        if self._unused > HEAD_BYTES and not self.transport.is_closing():
            self._refuse()

    def on_headers_complete(self) -> None:
        self._await_no_more()
        self._in_body = self._of_use = True
        super().on_headers_complete()

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self._in_body:  # nobody reads trailers
            super().on_header(name, value)

    def on_body(self, body: bytes) -> None:
        self._of_use = True
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._in_body = False
        self._of_use = True
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

    def _refuse(self) -> None:
        if self.cycle is None or not self.cycle.response_started or self.cycle.response_complete:
            self.transport.write(REFUSAL)  # else it would stand in the middle of an answer
        self.transport.close()

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
