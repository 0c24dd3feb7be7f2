"""What the upload call does between reading a request and answering it: submit, wait, tell."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from services.ingest.bell import Bell
from services.ingest.broker_standing import BrokerStanding
from services.ingest.lane_choice import COMPREHENSIVE, LaneRule
from services.ingest.sessions.actions.cancel_result import Cancelled
from services.ingest.sessions.intake.admission import Door
from services.ingest.sessions.intake.print_files import Prints
from services.ingest.sessions.lifecycle.records import Choice, Received, Session
from services.ingest.sessions.progress.delays import Delays
from services.ingest.sessions.progress.time_left import NOTHING_LEFT, TimeLeft, time_left
from services.ingest.sessions.progress.totals import Totals, concerns
from services.ingest.sessions.serving import views
from services.ingest.sessions.serving.designs import design
from services.ingest.sessions.serving.listing_calls import ListingCalls
from services.ingest.sessions.serving.store import Sessions
from services.ingest.sessions.serving.watching import Watcher
from services.ingest.sessions.states import LISTABLE

SKIPPED_FIELDS = ("filename", "state", "reason", "kind", "distance", "match", "needs_review")


@dataclass(frozen=True)
class Desk:
    """Takes uploads, and waits for them without holding a thread; says how they are, and cancels them."""

    sessions: Sessions
    door: Door
    lane_rule: LaneRule
    broker: BrokerStanding
    bell: Bell
    watcher: Watcher
    wait_s: float
    nas_base_path: str
    prints: Prints
    delays: Delays
    listing_calls: ListingCalls

    def trouble(self, session: Session, totals: Totals | None = None) -> str | None:
        """What the rest of an upload waits for, in words: a NAS that is away, a file that is tried again, say."""
        if session.finished:
            return None
        totals = session.totals if totals is None else totals
        away = self.broker.trouble if session.lane == COMPREHENSIVE and concerns("ingest", totals) else None
        return away or self.delays.of(session.id, totals)

    def left(self, session: Session, cause: str | None) -> TimeLeft | None:
        """How long an upload still takes, as it looks now; None: nobody knows before its files are there.

        `cause` is what it waits for: then nobody can tell.
        """
        if session.finished:
            return NOTHING_LEFT
        now, load, at = self.sessions.outlook(session)
        if now.finished:
            return NOTHING_LEFT
        if now.submitted_at is None or not now.workload.work:
            return None
        return time_left(now.totals, now.workload, at, waits=cause is not None, load=load)

    async def upload(self, user_id: UUID, key: str | None, choice: Choice, files: Sequence[Received]) -> Session:
        """Submit files, or join the submission that had the same key.

        Raises:
            SessionTaken: the key was used for something else.
            SessionCancelled: the session was cancelled before its files were there.
        """
        key = key or str(uuid4())
        lane = self.lane_rule.choose(len(files), user_id, key, connected=self.broker.connected)
        session, _ = await asyncio.to_thread(self.sessions.submit, user_id, key, choice, files, *lane)
        self.bell.ring()
        return session

    async def designs(self, session: Session) -> dict[str, Any]:
        """Wait until every file has its end state, then the designs of an upload as the frontend reads them.

        When the waiting time is over, designs that are still in progress are among them, under their final ids, and
        `in_progress` says how many files are. What was stored of a cancelled upload is under `kept`. `needs_review`
        is how many of the skipped files somebody has to decide about.
        """
        session = await self._settled(session)
        rows = await self.watcher.ask(self.sessions.items, session)
        wanted: tuple[str, ...] = ("stored",) if session.files_settled else LISTABLE
        found = [design(row, self.nas_base_path) for row in rows if row["state"] in wanted]
        skipped = [
            {name: item[name] for name in SKIPPED_FIELDS}
            for item in map(views.item, rows)
            if item["state"] not in wanted
        ]
        kept = found if session.cancelled_at is not None else []
        designs = [] if kept else found  # the client would go on and list those of a cancelled upload
        if not designs:
            await self.watcher.let_frames_out([session.id])
        counts = {"in_progress": session.totals.in_progress, "needs_review": session.totals.to_review}
        about = {"designs": designs, "total": len(designs), "session_id": session.client_key}
        return about | {"skipped": skipped, "kept": kept} | counts

    async def cancel(self, session: Session, item_id: UUID | None) -> Cancelled | None:
        """Cancel what is unfinished of a session, or of one of its files. None: it has no such file."""
        done = await asyncio.to_thread(self.sessions.cancel, session.user_id, session.id, item_id)
        self.bell.ring()
        return done

    async def _settled(self, session: Session) -> Session:
        clock = asyncio.get_running_loop().time
        deadline = clock() + self.wait_s
        with self.watcher.watch(session.id) as watch:
            while True:
                now = await self.watcher.ask(self.sessions.get, session.user_id, session.id) or session
                if now.files_settled or clock() >= deadline or self.watcher.stopping.is_set():
                    return now
                while await watch.wait(deadline - clock()) and not (watch.settled or self.watcher.stopping.is_set()):
                    pass
