"""A connection whose request does not come is closed, and one that takes no answer; a slow one is left alone."""

import contextlib
import socket
import threading
from collections.abc import Iterator

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from services.ingest import connections, serve
from tests.waiting import until

HEAD = b"POST / HTTP/1.1\r\nHost: here\r\nContent-Length: 5\r\n\r\n"
MUCH = 40 * 2**20
PART = 4 * 2**20
"""Bytes; the system keeps some megabytes for a line."""


ENDLESS = 8 * 2**20


async def answer(request: Request) -> PlainTextResponse:
    return PlainTextResponse((await request.body()).decode())


async def much(request: Request) -> PlainTextResponse:
    del request
    return PlainTextResponse(bytes(MUCH))


async def refused(request: Request) -> PlainTextResponse:
    """Answers before the body is there."""
    del request
    return PlainTextResponse("no")


@pytest.fixture
def line(server: uvicorn.Server) -> Iterator[socket.socket]:
    """To a server that waits half a second."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        with socket.create_connection(listener.getsockname(), timeout=20) as found:
            yield found
        server.should_exit = True
        thread.join(10)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> uvicorn.Server:
    monkeypatch.setattr(connections, "HEAD_S", 0.5)
    monkeypatch.setattr(connections, "STUCK_S", 0.5)
    app = Starlette(
        routes=[
            Route("/", answer, methods=["POST"]),
            Route("/much", much),
            Route("/refused", refused, methods=["POST"]),
        ]
    )
    return uvicorn.Server(uvicorn.Config(app, http=serve.HttpConnection, log_config=None, timeout_keep_alive=60))


def dripped(line: socket.socket, piece: bytes) -> None:
    """A piece whenever a fifth of the time is over, until the server has closed the line, or the time thrice."""
    line.settimeout(0.1)
    for _ in range(15):
        try:
            line.sendall(piece)
            closed = not line.recv(1)
        except TimeoutError:
            continue
        except ConnectionError:
            return
        assert closed, "it was answered"
        return
    raise AssertionError("the line is held")


def answered(line: socket.socket) -> bytes:
    """All that comes until the line is closed or silent."""
    found = b""
    with contextlib.suppress(ConnectionError, TimeoutError):
        while piece := line.recv(PART):
            found += piece
    return found


@pytest.mark.parametrize("begun", [b"", b"\r\n", HEAD[:20]])
def test_a_line_on_which_no_head_comes_is_closed(line: socket.socket, begun: bytes) -> None:
    line.sendall(begun)

    assert line.recv(100) == b""


def test_a_head_that_comes_byte_by_byte_is_not_waited_for_any_longer(line: socket.socket) -> None:
    line.sendall(HEAD[:-4])

    dripped(line, b"\r\nA: b")


def test_half_a_head_after_an_answer_is_not_waited_for_either(line: socket.socket) -> None:
    line.sendall(HEAD + b"first")
    assert line.recv(1000).endswith(b"first")
    line.sendall(HEAD[:20])

    assert line.recv(100) == b""


def test_a_body_may_come_as_slowly_as_it_likes(line: socket.socket) -> None:
    line.sendall(HEAD)
    line.settimeout(0.3)
    for byte in b"slowly"[:4]:
        line.sendall(bytes([byte]))
        with pytest.raises(TimeoutError):
            line.recv(1)
    line.settimeout(20)
    line.sendall(b"y")

    assert line.recv(1000).endswith(b"slowy")


CHUNKED = b"POST / HTTP/1.1\r\nHost: here\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    ("begun", "more"),
    [
        (b"POST /", b"path"),
        (HEAD[:-2] + b"A: ", b"word"),
        (HEAD[:-2], b"a: b\r\n"),
        (CHUNKED + b"1;", b"a=b;"),
        (CHUNKED + b"1\r\na\r\n0\r\n", b"a: b\r\n"),
        (CHUNKED + b"1\r\na\r\n0\r\nA: ", b"word"),
    ],
    ids=["path", "one header", "headers", "chunk's extension", "trailers", "one trailer"],
)
def test_a_request_whose_head_or_trailer_never_ends_is_refused(line: socket.socket, begun: bytes, more: bytes) -> None:
    with contextlib.suppress(ConnectionError):  # it is cut while we send
        line.sendall(begun + more * (ENDLESS // len(more)))

    assert answered(line).startswith(b"HTTP/1.1 431 ")


def test_what_a_browser_sends_as_a_head_is_taken(line: socket.socket) -> None:
    line.sendall(HEAD[:-2] + b"Cookie: " + b"c" * 60_000 + b"\r\n\r\nfirst")

    assert line.recv(1000).endswith(b"first")


def test_a_body_of_any_length_is_no_head(line: socket.socket) -> None:
    line.sendall(
        HEAD.replace(b"5", b"%d" % ENDLESS) + b"b" * ENDLESS + CHUNKED + b"1\r\nb\r\n" * 100_000 + b"0\r\n\r\n"
    )

    found = b""
    while found.count(b"b") < ENDLESS + 100_000:
        piece = line.recv(PART)
        assert piece, found[-1000:]
        found += piece
    assert found.count(b"HTTP/1.1 200 OK") == 2


REFUSED = b"POST /refused HTTP/1.1\r\nHost: here\r\nContent-Length: 8\r\n\r\n"


def test_a_body_that_was_refused_at_its_beginning_may_come_to_its_end(line: socket.socket) -> None:
    line.sendall(REFUSED)
    assert line.recv(1000).endswith(b"no")
    line.settimeout(0.3)
    for byte in b"slowly..":
        line.sendall(bytes([byte]))
        with pytest.raises(TimeoutError):
            line.recv(1)
    line.settimeout(20)
    line.sendall(HEAD + b"again")

    assert line.recv(1000).endswith(b"again")


def test_a_refused_body_that_stops_in_the_middle_is_not_waited_for(line: socket.socket) -> None:
    line.sendall(REFUSED)
    assert line.recv(1000).endswith(b"no")
    line.sendall(b"half")

    assert line.recv(1) == b""


def test_a_line_that_takes_no_more_of_an_answer_is_cut(line: socket.socket, server: uvicorn.Server) -> None:
    line.sendall(b"GET /much HTTP/1.1\r\nHost: here\r\n\r\n")
    assert line.recv(1)

    until(lambda: not server.server_state.connections, what="it is held", within_s=20)


def test_an_answer_may_be_taken_as_slowly_as_it_likes(line: socket.socket, monkeypatch: pytest.MonkeyPatch) -> None:
    """So slowly that the server looks several times whether it is stuck; a part is taken before each look."""
    looks, looking = list[int](), connections.HttpConnection._cut_if_stuck

    def look(connection: connections.HttpConnection, before: int) -> None:
        looks.append(before)
        looking(connection, before)

    monkeypatch.setattr(connections.HttpConnection, "_cut_if_stuck", look)
    line.sendall(b"GET /much HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n")
    taken = 0
    for number in range(1, 5):
        while taken < number * PART:
            piece = line.recv(PART)
            assert piece, "it was cut"
            taken += len(piece)
        until(lambda number=number: len(looks) >= number, what="nobody looks", within_s=20)  # type: ignore[misc]
    while piece := line.recv(PART):
        taken += len(piece)

    assert taken > MUCH
