"""What a seller does while things break: uploads, repeats what was refused or cut, lists, and waits for the end."""

import json
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.chaos.world import World
from tests.seller import File, Seller
from tests.waiting import until

COME_AGAIN = {429, 500, 502, 503, 504}
PAUSE_S = 0.2


@dataclass
class Work:
    """One upload with its listings, done by a client that never gives up and never starts anew."""

    world: World
    seller: Seller
    files: list[File]
    expected: dict[int, str] = field(default_factory=dict)
    """The end state of each file that is not `stored`, by its place in the upload: `rejected`, `failed|rejected`."""
    listed: bool = True
    listings_expected: dict[int, str] = field(default_factory=dict)
    before_listing: Callable[[], object] = lambda: None
    """What the seller waits for before the listings are asked for."""
    dead_letters: int | None = 0
    """How many letters about it are expected; None: any."""
    session_id: str = ""
    designs: list[dict[str, Any]] = field(default_factory=list)
    refusals: Counter[int] = field(default_factory=Counter)
    failure: BaseException | None = None
    ended: bool = False

    def __post_init__(self) -> None:
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._try, daemon=True, name="seller")

    def start(self) -> "Work":
        """Announce the upload, then go on beside the test."""
        self.session_id = self._patiently(lambda: self.seller.http.post("/designs/start-upload", files=self._parts()))[
            "session_id"
        ]
        self._thread.start()
        return self

    def states_of(self, index: int) -> list[str]:
        return self.expected.get(index, "stored").split("|")

    def heard(self, kind: str) -> int:
        """How many events of a kind the session has had; read where no fault can hide it."""
        query = """
            SELECT count(*) FROM ingest.session_events e JOIN ingest.sessions s ON s.id = e.session_id
            WHERE s.client_key = :key AND e.type = :kind"""
        return int(self.world.rows(query, key=self.session_id, kind=kind)[0][0])

    @property
    def listed_all(self) -> bool:
        """The seller has got every answer."""
        return self.failure is None and bool(self.session_id) and not self._thread.is_alive()

    def until_heard(self, kind: str, count: int = 1, within_s: float = 60) -> None:
        """Until the session is so far, or past it."""
        until(lambda: self.heard(kind) >= count, within_s=within_s, what=f"never {count} {kind}")

    def finish(self, within_s: float = 120) -> dict[str, Any]:
        """Keep the processes alive until the upload has ended; returns its receipt."""

        def ended() -> dict[str, Any] | None:
            self.world.revive()
            if self.failure is not None:
                raise self.failure
            return None if self._thread.is_alive() else self._receipt()

        try:
            receipt = until(ended, within_s=within_s, what=f"the upload {self.session_id} has not ended")
        finally:
            self._stopped.set()
        self.ended = True
        return receipt

    def told_by_receipt(self) -> None:
        """The seller reads there what was stored after the upload's own answer."""
        items = self.seller.receipt(self.session_id)["items"]
        self.designs = [{"id": item["item_id"]} for item in items if item["state"] == "stored"]

    def _receipt(self) -> dict[str, Any] | None:
        answer = self._once(lambda: self.seller.http.get(f"/api/v1/sessions/{self.session_id}/receipt"))
        return answer if answer is not None and self._ended(answer) else None

    def _ended(self, receipt: dict[str, Any]) -> bool:
        if self.listed and receipt["stored"]:
            return receipt["state"] == "finished"
        return bool(receipt["received"]) and not receipt["in_progress"]

    def _try(self) -> None:
        try:
            self._work()
        except BaseException as error:  # noqa: BLE001 - told by `finish`, in the test's own thread
            self.failure = error

    def _work(self) -> None:
        answer = self._patiently(lambda: self.seller.post(self.session_id, self.files))
        self.designs = answer["designs"]
        wanted = {"product_template_id": self.seller.template, "mockup_id": self.seller.mockup}
        wanted["design_ids"] = [design["id"] for design in self.designs]
        if self.listed and self.designs:
            self.before_listing()
            form = {"product_data": (None, json.dumps(wanted))}
            self._patiently(lambda: self.seller.http.post("/mockups/upload-mockup", files=form))

    def _patiently(self, call: Callable[[], httpx.Response]) -> Any:
        while not self._stopped.is_set():
            answer = self._once(call)
            if answer is not None:
                return answer
            time.sleep(PAUSE_S)
        raise AssertionError("the test ended before the upload did")

    def _once(self, call: Callable[[], httpx.Response]) -> Any:
        """The answer; None when the server hung up, or asks to come again."""
        try:
            response = call()
        except httpx.TransportError:
            self.refusals[0] += 1
            return None
        if response.status_code in COME_AGAIN:
            self.refusals[response.status_code] += 1
            return None
        assert response.is_success, f"{response.request.url}: {response.status_code} {response.text[:500]}"
        return response.json()

    def _parts(self) -> list[tuple[str, tuple[str, bytes, str]]]:
        return [("files", (name, data, "image/png")) for name, data in self.files]
