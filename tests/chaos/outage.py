"""A long outage of the NAS: what sellers read meanwhile, how full the spool becomes, and the drain afterwards."""

import time
from collections import Counter
from dataclasses import dataclass, field
from itertools import pairwise

import httpx

from tests.chaos.conftest import Case
from tests.chaos.nas import spool_bytes
from tests.chaos.work import Work
from tests.seller import Seller, Stream
from tests.waiting import until

AWAY = "the NAS does not answer"
IN_HAND = 4
"""Files on their way to the NAS at a time (NAS_MAX_CONNECTIONS): these are stored in any order."""
WATCH_S = 1.0


@dataclass
class Outage:
    """Uploads that wait for the NAS, and what is seen of them."""

    case: Case
    limit_bytes: int
    works: list[Work] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)
    most_bytes: int = 0
    quiet: Counter[str] = field(default_factory=Counter)
    """How often a session did not say what it waits for, after it had said so once."""
    _streams: dict[str, Stream] = field(default_factory=dict)
    _told: set[str] = field(default_factory=set)

    def upload(self, count: int, seller: Seller) -> None:
        """One more upload, if the server has room for it; else it must say why not."""
        files = self.case.files(count)
        parts = [("files", (name, data, "image/png")) for name, data in files]
        answer = seller.http.post("/designs/start-upload", files=parts)
        if answer.status_code == httpx.codes.SERVICE_UNAVAILABLE:
            self.refusals.append(answer.json()["detail"])
            return
        self.works.append(self.case.begin(files, seller, listed=False))
        self.follow(self.works[-1])

    def follow(self, work: Work) -> None:
        """Read its progress as the frontend does."""
        work.seller.http.timeout = 3600  # a browser waits for as long as the server lets it
        self._streams[work.session_id] = work.seller.follow(work.session_id)

    def watch(self, seconds: float) -> None:
        """Look at everything for so long. What waits says so, and nothing has failed or is stored."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.most_bytes = max(self.most_bytes, spool_bytes(self.case.world))
            self.case.world.revive()
            for work in self.works:
                self._look_at(work)
            time.sleep(WATCH_S)

    def until_all_say_so(self) -> None:
        """Every seller has read that it is the NAS that is waited for: in the session, and in the progress line.

        But for uploads that were stored before it went away.
        """
        for work in self.works:
            said = lambda work=work: self._waits_or_is_stored(work)  # noqa: E731
            if until(said, within_s=120, what=f"{work.session_id} does not say that the NAS is away") == "waits":
                stream = self._streams[work.session_id]
                until(lambda stream=stream: line_of(stream), within_s=60, what="no progress line says so")

    def _look_at(self, work: Work) -> None:
        session = work.seller.http.get(f"/api/v1/sessions/{work.session_id}").json()
        assert session["totals"]["failed"] == session["totals"]["rejected"] == 0, session
        if AWAY in (session["waits_for"] or ""):
            self._told.add(work.session_id)
        elif work.session_id in self._told and session["totals"]["in_progress"]:
            self.quiet[session["waits_for"] or session["message"]] += 1

    def _waits_or_is_stored(self, work: Work) -> str | None:
        session = work.seller.http.get(f"/api/v1/sessions/{work.session_id}").json()
        if AWAY in (session["waits_for"] or ""):
            return "waits"
        return "is stored" if session["totals"]["stored"] == len(work.files) else None

    def drained(self) -> list[tuple[str, int]]:
        """The designs of these uploads in the order in which they were stored: upload and place."""
        query = """
            SELECT s.client_key, i."index" FROM ingest.session_events e
            JOIN ingest.sessions s ON s.id = e.session_id JOIN ingest.items i ON i.id = e.item_id
            WHERE e.type = 'stored' AND s.client_key = ANY(:keys) ORDER BY e.created_at, e.seq"""
        rows = self.case.world.rows(query, keys=[work.session_id for work in self.works])
        return [(row.client_key, row.index) for row in rows]

    def out_of_order(self) -> list[int]:
        """By how many places each design was stored before or after its turn, where that is more than chance."""
        due = [(work.session_id, index) for work in self.works for index in range(len(work.files))]
        turn = {design: place for place, design in enumerate(self.drained())}
        moved = [turn[design] - place for place, design in enumerate(due)]
        return [by for by in moved if abs(by) >= 2 * IN_HAND]

    def figures(self, away_s: float, drained_s: float) -> str:
        """For people."""
        files = sum(len(work.files) for work in self.works)
        mixed = sum(not steady(stream) for stream in self._streams.values())
        return (
            f"the NAS was away for {away_s:.0f} s: {len(self.works)} uploads with {files} files waited, "
            f"{len(self.refusals)} were refused ({set(self.refusals)}), the spool held {self.most_bytes:,} bytes at "
            f"most of {self.limit_bytes:,}; all were stored {drained_s:.0f} s after it was back, in this order: "
            f"{self.drained()}; out of it: {self.out_of_order()}; silent: {self.quiet}; lines that went back: {mixed}"
        )


def line_of(stream: Stream) -> str | None:
    """The progress line that says that the NAS is waited for."""
    told = (frame.get("message", "") for frame in stream.frames)
    return next((line for line in told if "- waiting: " in line and AWAY in line), None)


def steady(stream: Stream) -> bool:
    """Whether its percentage never went back."""
    percents = [frame["progress_percent"] for frame in stream.frames if "progress_percent" in frame]
    return all(earlier <= later for earlier, later in pairwise(percents))
