"""A client of the progress stream that loses its connection again and again, and goes on where it was."""

import json
import random
import threading
from types import TracebackType

import httpx

from tests.chaos.work import Work


class Stitched:
    """The sequence numbers of a session's events as one client got them over many connections."""

    def __init__(self, work: Work, chance: random.Random) -> None:
        self.work = work
        self.connections = 0
        self.seqs: list[int] = []
        self.ended = threading.Event()
        self._chance = random.Random(chance.random())
        self._thread = threading.Thread(target=self._read, daemon=True, name="stitched")

    def __enter__(self) -> "Stitched":
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self.ended.set()
        self._thread.join(30)

    def to_the_end(self, within_s: float = 60) -> list[int]:
        """All of them, once the session has ended."""
        assert self.ended.wait(within_s), f"the stream did not end; it had {self.seqs}"
        return self.seqs

    def _read(self) -> None:
        url = f"{self.work.world.base_url}/api/v1/sessions/{self.work.session_id}/events/stream"
        with httpx.Client(headers=self.work.seller.http.headers, trust_env=False, timeout=20) as client:
            while not self.ended.is_set():
                try:
                    self._connection(client, url)
                except httpx.TransportError:
                    self.ended.wait(0.1)

    def _connection(self, client: httpx.Client, url: str) -> None:
        patience = self._chance.randrange(1, 15)
        after = {"Last-Event-ID": str(self.seqs[-1])} if self.seqs else {}
        with client.stream("GET", url, headers=after) as response:
            if response.is_success:
                self.connections += 1
            for line in response.iter_lines():
                if not line.startswith("data: "):
                    continue
                event = json.loads(line.removeprefix("data: "))
                self.seqs.append(event["seq"])
                if event["finished"]:
                    self.ended.set()
                patience -= 1
                if patience == 0 or self.ended.is_set():
                    return
