"""What the two upload calls do between reading a request and answering it: submit, ask for listings, wait, tell."""

import asyncio
from collections.abc import Sequence, Set
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from services.ingest.catalog.designs import design
from services.ingest.choosing import COMPREHENSIVE
from services.ingest.lanes import Lanes
from services.ingest.sessions.actions.cancel_result import Cancelled
from services.ingest.sessions.intake.print_files import Prints
from services.ingest.sessions.lifecycle.records import Choice, Received, Session, Wanted
from services.ingest.sessions.progress.delays import Delays
from services.ingest.sessions.progress.time_left import NOTHING_LEFT, TimeLeft, time_left
from services.ingest.sessions.progress.totals import Totals, concerns
from services.ingest.sessions.serving import views
from services.ingest.sessions.serving.outcome_text import (
    NO_SHOP,
    all_in_a_dry_run,
    changed_since,
    in_a_shop,
    of_cancelled,
    standing,
    taken_along,
    tell,
)
from services.ingest.sessions.serving.store import Asking, Sessions
from services.ingest.sessions.serving.watching import POLL_S, Watcher
from services.ingest.sessions.states import LISTABLE, LISTING_IN_WORK
from shared.contracts import ListingTemplate

FRAMES_OUT_S = 2.0
SKIPPED_FIELDS = ("filename", "state", "reason", "kind", "distance", "match", "needs_review")
DONE = "Successfully processed mockup files and created Etsy listings."
DONE_IN_A_DRY_RUN = "Successfully processed mockup files and created listings in a dry run."
NOTHING = "No designs available for processing. No Etsy listings created."


@dataclass(frozen=True)
class Desk:
    """Takes uploads and requests for listings; waits for them without holding a thread."""

    sessions: Sessions
    lanes: Lanes
    watcher: Watcher
    wait_s: float
    nas_base_path: str
    prints: Prints
    delays: Delays

    def trouble(self, session: Session, totals: Totals | None = None) -> str | None:
        """What the rest of an upload waits for, in words: a NAS that is away, a file that is tried again, say."""
        if session.finished:
            return None
        totals = session.totals if totals is None else totals
        away = self.lanes.trouble if session.lane == COMPREHENSIVE and concerns("ingest", totals) else None
        return away or self.delays.of(session.id, totals)

    def left(self, session: Session, cause: str | None) -> TimeLeft | None:
        """How long an upload still takes, as it looks now; None: nobody knows before its files are there.

        `cause` is what it waits for: then nobody can tell.
        """
        if session.finished:
            return NOTHING_LEFT
        now, load, at = self.sessions.outlook(session.id)
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
        lane = self.lanes.choose(len(files), user_id, key)
        session, _ = await asyncio.to_thread(self.sessions.submit, user_id, key, choice, files, *lane)
        self.lanes.bell.ring()
        return session

    async def designs(self, session: Session) -> dict[str, Any]:
        """Wait until every file has its end state, then the designs of an upload as the frontend reads them.

        When the waiting time is over, designs that are still in progress are among them, under their final ids, and
        `in_progress` says how many files are. What was stored of a cancelled upload is under `kept`. `needs_review`
        is how many of the skipped files somebody has to decide about.
        """
        session = await self._settled(session)
        rows = await self.watcher.ask(self.sessions.items, session.id)
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
            await self._let_frames_out([session.id])
        counts = {"in_progress": session.totals.in_progress, "needs_review": session.totals.to_review}
        told = {"skipped": skipped, "kept": kept, **counts}
        return {"designs": designs, "total": len(designs), "session_id": session.client_key, **told}

    async def list_designs(self, user_id: UUID, design_ids: Sequence[UUID], wanted: Wanted) -> dict[str, Any]:
        """Ask for listings, wait for them, and tell what became of each file of their sessions.

        Without ids, the upload before this call left no design. What it brought again of an earlier upload that was
        never listed is listed now. So it is where the ids are all of an upload's: of one with new files and known ones,
        the frontend names only the new.
        """
        before: set[Asking] = set()

        def ask(designs: Sequence[UUID]) -> list[UUID]:
            self.prints.bring_back(user_id, designs)
            before.update(self.sessions.listed(user_id, designs, wanted.mockup_id))
            return self.sessions.ask_listings(user_id, designs, wanted)

        asked = await asyncio.to_thread(ask, design_ids) if design_ids else []
        notes = await self._not_asked(user_id, set(design_ids) - set(asked), wanted.template)
        if design_ids and not asked:
            return unlisted(NOTHING, notes)
        empty = None if design_ids else await self._empty_upload(user_id, wanted)
        uploads = [empty.id] if empty else await asyncio.to_thread(self.sessions.whole_uploads, user_id, asked)
        left = await asyncio.to_thread(self.sessions.left_unlisted, user_id, asked, uploads, wanted)
        if left:
            await asyncio.to_thread(ask, left)
        if not asked and not left:
            return await self._nothing_to_list(empty, wanted)
        self.lanes.bell.ring()
        if older := await asyncio.to_thread(self.sessions.outdated, user_id, [*asked, *left], wanted):
            notes.append(changed_since(older))
        rows = await self._wait_for_listings(user_id, [*asked, *left], wanted.mockup_id)
        if along := [row for row in rows if row["item_id"] in left]:
            notes.insert(0, taken_along(along))
        rows = [row | {"already": (row["item_id"], row["generation"]) in before} for row in rows]
        return await self._told(in_a_shop(rows, wanted.target), set(asked), uploads, notes)

    async def _not_asked(self, user_id: UUID, design_ids: Set[UUID], template: ListingTemplate) -> list[str]:
        if not design_ids:
            return []
        return await asyncio.to_thread(self.sessions.not_asked, user_id, list(design_ids), template)

    async def _told(
        self, rows: list[dict[str, Any]], asked: Set[UUID], uploads: Sequence[UUID], notes: Sequence[str]
    ) -> dict[str, Any]:
        """What became of these listings and of the files of these uploads, once its last frame is out.

        Of an upload some of whose designs were asked for, only these: its other files are no answer to that.
        """
        items = []
        for session_id in dict.fromkeys([*uploads, *(row["session_id"] for row in rows if row["item_id"] in asked)]):
            of_session = await self.watcher.ask(self.sessions.items, session_id)
            items += [item for item in of_session if session_id in uploads or item["id"] in asked]
        story = tell(items, rows, notes)
        stand = standing(rows)
        listed = stand["listed"]
        done = DONE_IN_A_DRY_RUN if all_in_a_dry_run(rows) else DONE
        message = done if 0 < listed == len(rows) and not stand["already_listed"] else story.split("\n", 1)[0]
        await self._let_frames_out(list(dict.fromkeys(row["session_id"] for row in rows)))
        return _answer(message, story, stand, success=bool(listed))

    async def cancel(self, session: Session, item_id: UUID | None) -> Cancelled | None:
        """Cancel what is unfinished of a session, or of one of its files. None: it has no such file."""
        done = await asyncio.to_thread(self.sessions.cancel, session.user_id, session.id, item_id)
        self.lanes.bell.ring()
        return done

    async def _empty_upload(self, user_id: UUID, wanted: Wanted) -> Session | None:
        choice = (wanted.template.template_id, wanted.mockup_id)
        return await asyncio.to_thread(self.sessions.last_without_designs, user_id, *choice)

    async def _nothing_to_list(self, empty: Session | None, wanted: Wanted) -> dict[str, Any]:
        """The upload before this call left no design: say why, as this is all that its user gets to read."""
        items = await asyncio.to_thread(self.sessions.items, empty.id) if empty else []
        if empty and empty.cancelled_at is not None:
            summary, *lines = of_cancelled(items).split("\n")
            return unlisted(summary, lines)
        notes = [] if wanted.target else [NO_SHOP]
        told = f"No new designs, so no listings were created: {tell(items, [], notes)}"
        story = told if items else "\n".join([NOTHING, *notes])
        return _answer(story.split("\n", 1)[0], story, standing([]), success=True)

    async def _wait_for_listings(self, user_id: UUID, designs: Sequence[UUID], mockup_id: UUID) -> list[dict[str, Any]]:
        """The listings, when each has its end state or the waiting time is over."""
        deadline = asyncio.get_running_loop().time() + self.wait_s
        rows = await self.watcher.ask(self.sessions.listings_of, user_id, designs, mockup_id)
        for session_id in dict.fromkeys(row["session_id"] for row in rows):
            with self.watcher.watch(session_id) as watch:
                while True:
                    rows = await self.watcher.ask(self.sessions.listings_of, user_id, designs, mockup_id)
                    pending = any(row["session_id"] == session_id and row["state"] in LISTING_IN_WORK for row in rows)
                    left = deadline - asyncio.get_running_loop().time()
                    if not pending or left <= 0 or self.watcher.stopping.is_set():
                        break
                    await watch.wait(left)
        return rows

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

    async def _let_frames_out(self, session_ids: Sequence[UUID]) -> None:
        """The client closes its stream as soon as the last call answers, so the last frame goes first.

        It may be connected to another replica: give that one's next look the time it takes.
        """
        await asyncio.sleep(POLL_S * 1.5)
        for session_id in session_ids:
            await self.watcher.ended(session_id, FRAMES_OUT_S)


def unlisted(reason: str, details: Sequence[str] = ()) -> dict[str, Any]:
    """What the call for listings answers when nothing could be listed: `reason` and `details` say why."""
    return _answer(reason, "\n".join([reason, *details]), standing([]), success=False)


def _answer(message: str, story: str, listings: dict[str, int], *, success: bool) -> dict[str, Any]:
    """What the call for listings answers. `story` is what the client shows to its user."""
    return {
        "success": success,
        "success_code": 200 if success else 400,
        "message": message,
        "result": {"message": story, "digital_message": None},
        "listings": listings,
    }
