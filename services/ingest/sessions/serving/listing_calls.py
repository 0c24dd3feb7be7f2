"""What the call for listings does between reading a request and answering it: ask, take along, wait, tell."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from services.ingest.bell import Bell
from services.ingest.sessions.intake.print_check import PrintCheck
from services.ingest.sessions.intake.print_files import Prints
from services.ingest.sessions.lifecycle.records import Session, Wanted
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
from services.ingest.sessions.serving.uncompared import ScanOf, uncompared
from services.ingest.sessions.serving.watching import Watcher
from services.ingest.sessions.states import LISTING_IN_WORK
from shared.database import transaction

DONE = "Successfully processed mockup files and created Etsy listings."
DONE_IN_A_DRY_RUN = "Successfully processed mockup files and created listings in a dry run."
NOTHING = "No designs available for processing. No Etsy listings created."

Rows = list[dict[str, Any]]
WantedNow = Callable[[], Wanted | None]
"""What listings with the same template and mockup group would be made of now; None: they can't be made any more."""


@dataclass
class Order:
    """One call for listings, as far as it has come."""

    user_id: UUID
    wanted: Wanted
    named: list[UUID] = field(default_factory=list)
    """Of the designs that the call names, those whose listings were asked for."""
    uploads: list[UUID] = field(default_factory=list)
    """The uploads that are listed as a whole: all of their files are answered for."""
    along: list[UUID] = field(default_factory=list)
    """Designs of earlier uploads that these brought again, and that nobody had listed."""
    faults: dict[UUID, str] = field(default_factory=dict)
    """Designs that can't be listed, as their print on the NAS is gone or not what was stored; and that in words."""
    listed_before: set[Asking] = field(default_factory=set)
    notes: list[str] = field(default_factory=list)

    @property
    def designs(self) -> list[UUID]:
        return [*self.named, *self.along]


@dataclass(frozen=True)
class ListingCalls:
    """Takes requests for listings; waits for them without holding a thread."""

    sessions: Sessions
    prints: Prints
    print_check: PrintCheck
    bell: Bell
    watcher: Watcher
    wait_s: float
    scan_of: ScanOf

    async def list_designs(
        self, user_id: UUID, design_ids: Sequence[UUID], wanted: Wanted, wanted_now: WantedNow
    ) -> dict[str, Any]:
        """Ask for listings, wait for them, and tell what became of each file of their sessions.

        Without ids, the upload before this call left no design. What it brought again of an earlier upload that was
        never listed is listed now. So it is where the ids are all of an upload's: of one with new files and known ones,
        the frontend names only the new.
        """
        order = Order(user_id, wanted)
        empty = None
        if design_ids:
            await asyncio.to_thread(self._ask_for_named, order, design_ids)
            if not order.named:
                return unlisted(NOTHING, order.notes)
        else:
            empty = await asyncio.to_thread(self._empty_upload, order)
        await asyncio.to_thread(self._take_along, order, empty)
        if not order.designs and order.faults:
            return unlisted(NOTHING, order.notes)
        if not order.designs:
            return await self._nothing_to_list(empty, wanted)
        self.bell.ring()
        await asyncio.to_thread(self._note_uncompared, order)
        rows = await self._wait_for_listings(order)
        await self.watcher.ask(self._note_outdated, order, wanted_now)
        return await self._outcome(order, rows)

    def _ask_for_named(self, order: Order, design_ids: Sequence[UUID]) -> None:
        """Ask for the listings of the designs that the call names; of those that can't be listed, note why."""
        order.named = self._ask(order, design_ids)
        if left_out := set(design_ids) - set(order.named) - order.faults.keys():
            order.notes += self.sessions.not_asked(order.user_id, list(left_out), order.wanted.template)

    def _empty_upload(self, order: Order) -> Session | None:
        """The upload before this call, of which no design came."""
        choice = (order.wanted.template.template_id, order.wanted.mockup_id)
        return self.sessions.last_without_designs(order.user_id, *choice)

    def _take_along(self, order: Order, empty: Session | None) -> None:
        """Ask, too, for what the uploads brought again of earlier ones, and nobody had listed."""
        order.uploads = [empty.id] if empty else self.sessions.whole_uploads(order.user_id, order.named)
        left = self.sessions.left_unlisted(order.user_id, order.named, order.uploads, order.wanted)
        order.along = self._ask(order, left) if left else []

    def _ask(self, order: Order, design_ids: Sequence[UUID]) -> list[UUID]:
        """Ask for these listings, having noted which there are; return the designs that can be listed."""
        self.prints.bring_back(order.user_id, design_ids)
        faults = self.print_check.faults(order.user_id, design_ids, order.wanted)
        order.faults |= faults
        order.notes += faults.values()
        order.listed_before |= self.sessions.listed(order.user_id, design_ids, order.wanted.mockup_id)
        return self.sessions.ask_listings(
            order.user_id, [each for each in design_ids if each not in faults], order.wanted
        )

    def _note_outdated(self, order: Order, wanted_now: WantedNow) -> None:
        """Note how many of these listings have been asked for with what was chosen then: by an earlier call, or by this
        one, and somebody has moved a mask while they were made.
        """
        if older := self.sessions.outdated(order.user_id, order.designs, wanted_now() or order.wanted):
            order.notes.append(changed_since(older))

    def _note_uncompared(self, order: Order) -> None:
        """Note that copies of what lies on the NAS may be among these, if its scan has not come to all of that."""
        found = [self.sessions.get(order.user_id, session_id) for session_id in order.uploads]
        with transaction(self.sessions.engine) as connection:
            notes = [note for session in found if session for note in uncompared(connection, session, self.scan_of)]
        order.notes += dict.fromkeys(notes)

    async def _wait_for_listings(self, order: Order) -> Rows:
        """The listings, when each has its end state or the waiting time is over."""
        these = (order.user_id, order.designs, order.wanted.mockup_id)
        deadline = asyncio.get_running_loop().time() + self.wait_s
        rows = await self.watcher.ask(self.sessions.listings_of, *these)
        for session_id in dict.fromkeys(row["session_id"] for row in rows):
            with self.watcher.watch(session_id) as watch:
                while True:
                    rows = await self.watcher.ask(self.sessions.listings_of, *these)
                    pending = any(row["session_id"] == session_id and row["state"] in LISTING_IN_WORK for row in rows)
                    left = deadline - asyncio.get_running_loop().time()
                    if not pending or left <= 0 or self.watcher.stopping.is_set():
                        break
                    await watch.wait(left)
        return rows

    async def _outcome(self, order: Order, rows: Rows) -> dict[str, Any]:
        """What became of these listings and of the files of their uploads, once their last frames are out."""
        rows = [row | {"already": (row["item_id"], row["generation"]) in order.listed_before} for row in rows]
        rows = in_a_shop(rows, order.wanted.target)
        along = taken_along([row for row in rows if row["item_id"] in order.along])
        notes = [along, *order.notes] if along else order.notes
        story = tell(await self._files(order, rows), rows, notes)
        stand = standing(rows)
        listed = stand["listed"]
        done = DONE_IN_A_DRY_RUN if all_in_a_dry_run(rows) else DONE
        message = done if 0 < listed == len(rows) and not stand["already_listed"] else story.split("\n", 1)[0]
        await self.watcher.let_frames_out(list(dict.fromkeys(row["session_id"] for row in rows)))
        return _answer(message, story, stand, success=bool(listed))

    async def _files(self, order: Order, rows: Rows) -> Rows:
        """The files that are answered for: all of a whole upload, and of any other those that were named.

        The others of an upload, some of whose designs were named, are no answer to that.
        """
        files: Rows = []
        partly = [row["session_id"] for row in rows if row["item_id"] in order.named]
        for session_id in dict.fromkeys([*order.uploads, *partly]):
            session = await self.watcher.ask(self.sessions.get, order.user_id, session_id)
            of_session = await self.watcher.ask(self.sessions.items, session) if session else []
            files += [file for file in of_session if session_id in order.uploads or file["id"] in order.named]
        return files

    async def _nothing_to_list(self, empty: Session | None, wanted: Wanted) -> dict[str, Any]:
        """The upload before this call left no design: say why, as this is all that its user gets to read."""
        files = await asyncio.to_thread(self.sessions.items, empty) if empty else []
        if empty and empty.cancelled_at is not None:
            summary, *lines = of_cancelled(files).split("\n")
            return unlisted(summary, lines)
        if files:
            notes = [] if wanted.target else [NO_SHOP]
            story = f"No new designs, so no listings were created: {tell(files, [], notes)}"
        else:
            story = "\n".join([NOTHING] if wanted.target else [NOTHING, NO_SHOP])
        return _answer(story.split("\n", 1)[0], story, standing([]), success=True)


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
