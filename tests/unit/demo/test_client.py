"""The client against a real HTTP server that answers as the contract says, or breaks off."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from services.demo.client import CallRefused, Client, frames

FRAME = {"step": 2, "total_steps": 4, "message": "Processing and formatting images (1/3)"}
LAST = {"step": 4, "total_steps": 4, "message": "Upload completed successfully"}


class Handler(BaseHTTPRequestHandler):
    """Breaks off the first answers if told to; keeps the bodies it was sent."""

    server: "Server"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.seen.append((self.path, self.headers.get("Authorization"), body))
        if self.server.breaks:
            self.server.breaks -= 1
            return  # the connection is closed without an answer
        self._answer(*self.server.answers.get(self.path, (200, {"ok": True})))

    def do_GET(self) -> None:
        self.server.seen.append((self.path, self.headers.get("Authorization"), b""))
        if not self.path.startswith("/designs/progress/"):
            self._answer(404, {"detail": "There is no such thing."})
            return
        if "token=good" not in self.path:
            self._answer(401, {"detail": "User ID cameback none. Invalid user token."})
            return
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        self.wfile.write(self.server.stream.encode())

    def log_message(self, *_: object) -> None:
        """Quiet."""

    def _answer(self, status: int, body: Any) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.breaks = 0
        self.answers: dict[str, tuple[int, Any]] = {}
        self.stream = ""
        self.seen: list[tuple[str, str | None, bytes]] = []


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as running:
        thread = threading.Thread(target=running.serve_forever, args=(0.01,))
        thread.start()
        yield running
        running.shutdown()
        thread.join()


@pytest.fixture
def client(server: Server) -> Iterator[Client]:
    with Client(f"http://127.0.0.1:{server.server_port}", retry_after_s=0) as opened:
        opened.token = "good"
        yield opened


def test_frames_are_unnamed_events_and_keepalives_are_none() -> None:
    lines = [
        ": a comment",
        f"data: {json.dumps(FRAME)}",
        "",
        'data: {"type": "keepalive"}',
        "",
        "event: other",
        f"data: {json.dumps(FRAME)}",
        "",
        'data: {"step": 3,',
        'data:"total_steps": 4, "message": "two lines"}',
        "",
        "data: cut off before its empty line",
    ]
    assert list(frames(lines)) == [FRAME, {"step": 3, "total_steps": 4, "message": "two lines"}]


def test_a_broken_connection_is_tried_again_with_the_same_form(server: Server, client: Client, tmp_path: Path) -> None:
    server.breaks = 1
    rose = tmp_path / "rose.png"
    rose.write_bytes(b"not really a rose")
    answer = client.post_form("/designs/", {"session_id": "s-1"}, [("files", "rose.png", rose)], tries=2)
    assert answer == {"ok": True}
    assert len(server.seen) == 2
    for path, bearer, body in server.seen:
        assert (path, bearer) == ("/designs/", "Bearer good")
        assert b"s-1" in body
        assert b'name="files"; filename="rose.png"' in body
        assert b"not really a rose" in body


def test_start_upload_is_tried_once(server: Server, client: Client) -> None:
    server.breaks = 1
    with pytest.raises(httpx.TransportError):
        client.post_form("/designs/start-upload", {}, [("files", "a.png", b"a")])
    assert len(server.seen) == 1


def test_an_error_code_is_an_answer_and_says_why(server: Server, client: Client) -> None:
    server.answers["/designs/"] = (422, {"detail": "There is no product template 7."})
    with pytest.raises(CallRefused, match=r"POST /designs/ .* HTTP 422: There is no product template 7\.") as refusal:
        client.post_form("/designs/", {"session_id": "s-1"}, tries=2)
    assert refusal.value.status == 422
    assert len(server.seen) == 1


def test_registering_logs_in(server: Server, client: Client) -> None:
    server.answers["/auth/register"] = (201, {"access_token": "fresh", "token_type": "bearer"})
    client.register("demo-1@example.com", "a long password", "Demo Shop 1")
    assert client.token == "fresh"


def test_watching_ends_with_the_last_frame(server: Server, client: Client) -> None:
    server.stream = "".join(f"data: {json.dumps(frame)}\n\n" for frame in (FRAME, LAST, FRAME))
    seen: list[dict[str, Any]] = []
    watch = client.watch("s-1", seen.append)
    watch.finish()
    assert seen == [FRAME, LAST]
    assert watch.problem is None
    assert server.seen[0][0] == "/designs/progress/s-1?token=good"


def test_a_refused_stream_is_told_and_harms_nothing(server: Server, client: Client) -> None:
    client.token = "bad"
    watch = client.watch("s-1", lambda _: None)
    watch.finish()
    assert watch.problem == "the progress stream was refused with HTTP 401"


def test_a_stream_that_is_no_json_is_told(server: Server, client: Client) -> None:
    server.stream = "data: <html>\n\n"
    watch = client.watch("s-1", lambda _: None)
    watch.finish()
    assert watch.problem is not None
    assert "broke off" in watch.problem
