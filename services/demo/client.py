"""The ingest API as the existing web frontend uses it: the same calls, the same retries, the same progress stream."""

import json
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self

import httpx
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_fixed

CONNECT_LIMIT_S = 10.0
ANSWER_LIMIT_S = 900.0  # the server answers when its work is done
SILENCE_LIMIT_S = 90.0  # the stream sends a keepalive every 30 s
LAST_FRAME_LIMIT_S = 15.0

Json = dict[str, Any]
Content = Path | bytes


class CallRefused(Exception):  # noqa: N818 - reads as what happened
    """The server answered, but not with what was asked for."""

    def __init__(self, call: str, status: int, detail: str) -> None:
        super().__init__(f"{call} was answered with HTTP {status}: {detail}")
        self.status = status


class Client:
    """One user of the API. Use as a context manager; `register` first."""

    def __init__(self, base_url: str, retry_after_s: float = 2.0) -> None:
        self.token = ""
        self._retry_after_s = retry_after_s
        self._http = httpx.Client(base_url=base_url, timeout=httpx.Timeout(ANSWER_LIMIT_S, connect=CONNECT_LIMIT_S))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def register(self, email: str, password: str, shop: str) -> None:
        """Open an account and use it; CallRefused with status 400 if there is one with this e-mail."""
        account = {
            "email": email,
            "password": password,
            "shop_name": shop,
            "registration_mode": "create",
            "organization_name": shop,
        }
        self.token = str(self.post("/auth/register", account)["access_token"])

    def get(self, path: str) -> Any:  # noqa: ANN401 - JSON
        return _json(self._http.get(path, headers=self._bearer), f"GET {path}")

    def post(self, path: str, body: Json) -> Any:  # noqa: ANN401 - JSON
        return _json(self._http.post(path, json=body, headers=self._bearer), f"POST {path}")

    def post_form(
        self, path: str, fields: Mapping[str, str], files: Sequence[tuple[str, str, Content]] = (), *, tries: int = 1
    ) -> Any:  # noqa: ANN401 - JSON
        """Multipart, files as (field, file name, content). A network failure is tried again, up to `tries` in all.

        An answer with an error code is an answer: it is never tried again.
        """
        again = retry_if_exception_type(httpx.TransportError)
        for attempt in Retrying(
            stop=stop_after_attempt(tries), wait=wait_fixed(self._retry_after_s), retry=again, reraise=True
        ):
            with attempt, ExitStack() as stack:
                parts: list[tuple[str, Any]] = [(name, (None, value)) for name, value in fields.items()]
                for field, name, content in files:
                    data = stack.enter_context(content.open("rb")) if isinstance(content, Path) else content
                    parts.append((field, (name, data)))
                answer = self._http.post(path, files=parts, headers=self._bearer)
        return _json(answer, f"POST {path}")

    def put_form(self, path: str, files: Sequence[tuple[str, str, bytes]]) -> Any:  # noqa: ANN401 - JSON
        """Multipart, files as (field, file name, content)."""
        parts = [(field, (name, data)) for field, name, data in files]
        return _json(self._http.put(path, files=parts, headers=self._bearer), f"PUT {path}")

    def watch(self, session_id: str, on_frame: Callable[[Json], None]) -> "Watch":
        """Follow a session's progress frames in a thread of their own."""
        return Watch(self._http.base_url.join(f"/designs/progress/{session_id}"), self.token, on_frame)

    @property
    def _bearer(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"} if self.token else {}


class Watch:
    """The progress stream of one session. Like the frontend, it ends with the first error and never reconnects."""

    def __init__(self, url: httpx.URL, token: str, on_frame: Callable[[Json], None]) -> None:
        self.problem: str | None = None
        self._url = url.copy_with(params={"token": token})
        self._on_frame = on_frame
        self._thread = threading.Thread(target=self._follow, name="progress", daemon=True)
        self._thread.start()

    def finish(self) -> None:
        """Wait for the last frame, but not for ever: the stream only shows, the answers of the calls count."""
        self._thread.join(LAST_FRAME_LIMIT_S)
        if self._thread.is_alive() and self.problem is None:
            self.problem = "the progress stream did not end with the upload"

    def _follow(self) -> None:
        timeout = httpx.Timeout(SILENCE_LIMIT_S, connect=CONNECT_LIMIT_S)
        try:
            with httpx.stream("GET", self._url, timeout=timeout) as answer:
                if answer.status_code != httpx.codes.OK:
                    self.problem = f"the progress stream was refused with HTTP {answer.status_code}"
                    return
                for frame in frames(answer.iter_lines()):
                    self._on_frame(frame)
                    if is_last(frame):
                        return
        except (httpx.HTTPError, ValueError) as error:
            self.problem = f"the progress stream broke off: {error}"


def frames(lines: Iterable[str]) -> Iterator[Json]:
    """The progress frames in the lines of an event stream: unnamed events with JSON data; keepalives are left out.

    Data may come in several lines, which belong together until an empty one (HTML standard, server-sent events).
    Events with a name would never reach the frontend's `onmessage`, so they are no frames.
    """
    data: list[str] = []
    named = False
    for line in lines:
        field, _, value = line.partition(":")
        if field == "data":
            data.append(value.removeprefix(" "))
        elif field == "event":
            named = value.strip() not in ("", "message")
        elif not line:
            if data and not named:
                frame = json.loads("\n".join(data))
                if "step" in frame:
                    yield frame
            data, named = [], False


def is_last(frame: Json) -> bool:
    return bool(frame["step"] == frame["total_steps"])


def _json(answer: httpx.Response, call: str) -> Any:  # noqa: ANN401 - JSON
    if answer.is_success:
        return answer.json()
    try:
        detail = str(answer.json()["detail"])
    except (ValueError, KeyError, TypeError):
        detail = answer.text[:300] or "no words"
    raise CallRefused(call, answer.status_code, detail)
