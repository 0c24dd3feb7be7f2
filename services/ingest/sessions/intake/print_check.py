"""Whether the NAS still has the prints of designs that are to be listed: what is sold must be there to be printed."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import Row, exists, func, select

from services.ingest.sessions.intake.listing_requests import elsewhere
from services.ingest.sessions.intake.print_files import Prints
from services.ingest.sessions.lifecycle.records import Wanted
from services.ingest.sessions.outgoing.outbox import owe
from services.ingest.sessions.tables import items, listings
from shared.contracts import Blob, StoreFile
from shared.database import transaction
from shared.errors import Permanent, Retryable, Unavailable

log = structlog.get_logger()

FRESH = timedelta(hours=1)
"""Storage has just read back what was stored since then; most listings are asked for within it."""
LOOKING_S = 10.0
"""A seller waits for this. What is not looked at by then is listed unseen, as `presswork nas verify` reads it all."""


@dataclass(frozen=True)
class PrintCheck:
    """Looks at prints on the NAS, and has those that are gone put back. `lane`: of what is about no session."""

    prints: Prints
    lane: str

    def faults(self, user_id: UUID, design_ids: Sequence[UUID], wanted: Wanted) -> dict[UUID, str]:
        """Which of these designs can't be listed, as their print is gone or not what was stored, and that in words.

        While the NAS is away nothing is known, and nothing is a fault: listings are made from the server's own copy.

        Raises:
            Unavailable: blob store or database are away.
        """
        rows = self._to_look_at(user_id, design_ids, wanted)
        try:
            return {row.id: f"{row.name}: not listed: {words}" for row, words in self._looked_at(rows)}
        except Unavailable as error:
            log.warning("prints on the NAS were not looked at", cause=str(error))
            return {}

    def _to_look_at(self, user_id: UUID, design_ids: Sequence[UUID], wanted: Wanted) -> Sequence[Row[Any]]:
        this = (listings.c.item_id == items.c.id, listings.c.mockup_id == wanted.mockup_id)
        under_way = exists().where(*this, listings.c.state != "failed", ~elsewhere(wanted))
        mine = (items.c.user_id == user_id, items.c.id.in_(design_ids), items.c.state == "stored", items.c.is_active)
        whole = (items.c.path.is_not(None), items.c.print_sha256.is_not(None))
        known = select(items).where(*mine, *whole, ~under_way, items.c.updated_at < func.now() - FRESH)
        with transaction(self.prints.engine) as connection:
            return connection.execute(known.order_by(items.c.session_id, items.c.index)).all()

    def _looked_at(self, rows: Sequence[Row[Any]]) -> Iterator[tuple[Row[Any], str]]:
        """Those with a fault. First whether each is there, which costs little; then what is in them."""
        until, there = time.monotonic() + LOOKING_S, []
        for row in rows:
            if time.monotonic() >= until:
                log.warning("too many prints to look at all of them before they are listed", designs=len(rows))
                return
            found = self.prints.nas.stat(row.path)
            if found is None:
                if words := self._put_back(row):
                    yield row, words
            elif found.is_directory or found.size != row.print_size:
                yield row, self._changed(row)
            else:
                there.append(row)
        for row in there:
            if time.monotonic() >= until:
                return
            if not self._is_sound(row):
                yield row, self._changed(row)

    def _is_sound(self, row: Row[Any]) -> bool:
        try:
            return self.prints.nas.verify(row.path, row.print_sha256, row.print_size)
        except Unavailable:
            raise
        except (Permanent, Retryable) as error:
            log.warning("a print on the NAS can't be read", path=row.path, cause=str(error))
            return False

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

    def _changed(self, row: Row[Any]) -> str:
        log.warning("a print on the NAS is not what was stored", path=row.path)
        words = f"its print '{row.path}' on the NAS is not what was stored: it was changed there, or is damaged; "
        if self.prints.sound(Blob(sha256=row.print_sha256, size=row.print_size)):
            return f"{words}rename or remove it and ask again, and the server puts its own copy there"
        return f"{words}put the stored one back from a backup, or delete the design and upload it again"
