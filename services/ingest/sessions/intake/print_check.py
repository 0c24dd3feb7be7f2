"""Whether the NAS still has the prints of designs that are to be listed: what is sold must be there to be printed."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import Row, Select, exists, func, or_, select

from services.ingest.sessions.design_names import called
from services.ingest.sessions.intake.listing_requests import elsewhere
from services.ingest.sessions.intake.print_files import Prints
from services.ingest.sessions.lifecycle.records import Wanted
from services.ingest.sessions.outgoing.outbox import owe
from services.ingest.sessions.tables import items, listings, session_events
from shared.contracts import Blob, StoreFile
from shared.database import transaction
from shared.errors import Permanent, Retryable
from shared.nas.errors import NasUnavailable

log = structlog.get_logger()

FRESH = timedelta(hours=1)
"""Storage has just read back what was stored since then; most listings are asked for within it."""
LOOKING_S = 10.0
"""A seller waits for this. What is not looked at by then is listed unseen, as `presswork nas verify` reads it all."""


class Seen(Enum):
    """What lies in a print's place."""

    SOUND, GONE, CHANGED = range(3)


@dataclass(frozen=True)
class Unreadable:
    """What lies there can't be read: it is locked, say; `why` is in words."""

    why: str


Finding = Seen | Unreadable
"""What a look at a print shows."""


@dataclass(frozen=True)
class PrintCheck:
    """Looks at prints on the NAS, and has those that are gone put back. `lane`: of what is about no session."""

    prints: Prints
    lane: str

    def faults(self, user_id: UUID, design_ids: Sequence[UUID], wanted: Wanted) -> dict[UUID, str]:
        """Which of these designs can't be listed, as their print is gone or not what was stored, and that in words.

        Of what could not be looked at, as the NAS is away, nothing is known, and nothing is a fault: listings are made
        from the server's own copy.

        Raises:
            Unavailable: blob store or database are away.
        """
        found: dict[UUID, str] = {}
        try:
            for row, words in self._looked_at(self._to_look_at(user_id, design_ids, wanted)):
                found[row.id] = f"{called(row.filename, row.name)}: not listed: {words}"
        except NasUnavailable as error:
            log.warning("not all prints on the NAS were looked at", cause=str(error))
        return found

    def _to_look_at(self, user_id: UUID, design_ids: Sequence[UUID], wanted: Wanted) -> Sequence[Row[Any]]:
        its_listing = (listings.c.item_id == items.c.id, listings.c.mockup_id == wanted.mockup_id)
        under_way = exists().where(*its_listing, listings.c.state != "failed", ~elsewhere(wanted))
        stored = (items.c.user_id == user_id, items.c.id.in_(design_ids), items.c.state == "stored", items.c.is_active)
        whole = (items.c.path.is_not(None), items.c.print_sha256.is_not(None))
        # A row is also changed by who gives a design other words: that says nothing of its file.
        long_ago = or_(items.c.updated_at < func.now() - FRESH, ~items.c.id.in_(_just_stored(design_ids)))
        known = select(items).where(*stored, *whole, ~under_way, long_ago)
        with transaction(self.prints.engine) as connection:
            return connection.execute(known.order_by(items.c.session_id, items.c.index)).all()

    def _looked_at(self, rows: Sequence[Row[Any]]) -> Iterator[tuple[Row[Any], str]]:
        """The rows with a fault, and its words. First each is looked for, which costs little; then they are read."""
        until, there = time.monotonic() + LOOKING_S, []
        for row in rows:
            if _is_late(until, len(rows)):
                return
            found = _look(row, self._by_size)
            if found is Seen.SOUND:
                there.append(row)
            elif words := self._put_back(row) if found is Seen.GONE else self._fault(row, found):
                yield row, words
        for row in there:
            if _is_late(until, len(rows)):
                return
            if (found := _look(row, self._by_content)) is not Seen.SOUND:
                yield row, self._fault(row, found)

    def _by_size(self, row: Row[Any]) -> Seen:
        found = self.prints.nas.stat(row.path)
        if found is None:
            return Seen.GONE
        return Seen.CHANGED if found.is_directory or found.size != row.print_size else Seen.SOUND

    def _by_content(self, row: Row[Any]) -> Seen:
        same = self.prints.nas.verify(row.path, row.print_sha256, row.print_size)
        return Seen.SOUND if same else Seen.CHANGED

    def _put_back(self, row: Row[Any]) -> str | None:
        """Have storage put the server's own copy there; why not, if there is none."""
        blob = Blob(sha256=row.print_sha256, size=row.print_size)
        if not self.prints.sound(blob):
            return (
                f"its print '{row.path}' is gone from the NAS, and so is the server's copy: put it back from a backup, "
                "or delete the design and upload it again"
            )
        shop, _, path = row.path.partition("/")
        log.warning("a print is gone from the NAS: it is put back", path=row.path)
        with transaction(self.prints.engine) as connection:
            owe(connection, self.lane, StoreFile(tenant_id=row.user_id, shop=shop, path=path, content=blob))
        return None

    def _fault(self, row: Row[Any], found: Finding) -> str:
        """What is wrong in the print's place, and what to do: nobody but its owner may remove what lies there."""
        if isinstance(found, Unreadable):
            return f"its print '{row.path}' on the NAS can't be read: {found.why}; then ask again"
        log.warning("a print on the NAS is not what was stored", path=row.path)
        words = f"its print '{row.path}' on the NAS is not what was stored: it was changed there, or is damaged; "
        if self.prints.sound(Blob(sha256=row.print_sha256, size=row.print_size)):
            return f"{words}rename or remove it and ask again, and the server puts its own copy there"
        return f"{words}put the stored one back from a backup, or delete the design and upload it again"


def _is_late(until: float, prints: int) -> bool:
    late = time.monotonic() >= until
    if late:
        log.warning("too many prints to look at all of them before they are listed", designs=prints)
    return late


def _just_stored(design_ids: Sequence[UUID]) -> Select[tuple[UUID]]:
    """What storage has put on the NAS within FRESH, in the uploads that these designs are of."""
    uploads = select(items.c.session_id).where(items.c.id.in_(design_ids))
    of_them = (session_events.c.session_id.in_(uploads), session_events.c.item_id.is_not(None))
    lately = (session_events.c.type == "stored", session_events.c.created_at >= func.now() - FRESH)
    return select(session_events.c.item_id).where(*of_them, *lately)


def _look(row: Row[Any], see: Callable[[Row[Any]], Seen]) -> Finding:
    """See how a print is. One that can't be read holds up no other; a NAS that is away is no finding about any."""
    try:
        return see(row)
    except NasUnavailable:
        raise
    except (Permanent, Retryable) as error:
        log.warning("a print on the NAS can't be read", path=row.path, cause=str(error))
        return Unreadable(str(error))
