"""The rows of what scans have met on the NAS: how far each file has come, and what is in the hashers' hands."""

import contextlib
from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Engine, Row, and_, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert

from services.storage.comparing import ABSENT, LOOK_AGAIN, Difference, Listing, Met, compare, unlisted
from services.storage.tables import CLOCK, designs, scanned, scans
from shared.contracts import PictureHashed, ShopScanRequested
from shared.database import transaction

LATE = timedelta(hours=1)
"""After so long without an answer a file is sent once more: a broker may have lost its disk."""
GONE_KEPT = timedelta(hours=2)  # told again at each scan for so long, in case nobody heard it
SCANS_KEPT = timedelta(days=30)
AT_ONCE = 1000
"""Rows in one statement: PostgreSQL takes 65,535 parameters, a row has some ten; longer statements gain nothing."""
OLD = CLOCK - LATE
FOLDER = func.split_part(scanned.c.path, "/", 1)
"""The shop's folder, with which every path begins."""


class Scanned:
    """The rows. Every method is a transaction of its own, and repeating it changes nothing.

    `here` says by a shop's folder whether it is on the NAS whose turn it is: each NAS has a window of its own, so that
    the files of one that is away stand in nobody else's way.
    """

    def __init__(self, engine: Engine, window: int, here: Callable[[str], bool] = lambda _: True) -> None:
        self.engine = engine
        self.window = window
        self.here = here

    def unlisted(self, event: ShopScanRequested, listing: Listing) -> list[str]:
        """Designs of ours that a listing lacks, and that are not known to be missing."""
        with transaction(self.engine) as connection:
            stored = _stored(connection, event.shop, designs.c.tenant_id == event.tenant_id)
            return sorted(unlisted(listing, _met(connection, event), stored))

    def note(self, event: ShopScanRequested, listing: Listing, missing: Sequence[str] = ()) -> list[tuple[str, str]]:
        """Note what a scan has found, and which designs of ours are missing; a repeat finds nothing new.

        Returns paths and states of what is gone, or missing, and was told for less than two hours.
        A repeat also answers for what was sent before it: this message lay in a process's memory, which died.
        """
        with transaction(self.engine) as connection:
            key = func.hashtextextended(f"scan:{event.tenant_id}", 0)  # the tenant's: docs/reliability.md, "Locks"
            connection.execute(select(func.pg_advisory_xact_lock(key)))
            _lock_sent(connection, scanned.c.tenant_id == event.tenant_id)
            again = connection.execute(select(scans.c.scan_id).where(scans.c.scan_id == event.scan_id)).first()
            _tidy(connection, event.tenant_id)
            met, stored = _met(connection, event), _stored(connection, event.shop)
            found = compare(listing, met, stored, anew=event.anew and not again)
            _set_waiting(connection, event, found)
            _set_gone(connection, found.gone)
            _set_missing(connection, event, missing)
            if again:
                ours = and_(scanned.c.tenant_id == event.tenant_id, scanned.c.state == "sent")
                connection.execute(update(scanned).where(ours).values(cause=event.scan_id))
            _write_down(connection, event, found, listing, len(missing))
            told = (scanned.c.state.in_(ABSENT), scanned.c.changed_at > CLOCK - GONE_KEPT)
            absent = select(scanned.c.path, scanned.c.state).where(scanned.c.tenant_id == event.tenant_id, *told)
            return [(row.path, row.state) for row in connection.execute(absent.order_by(scanned.c.path))]

    def take(self, cause: UUID) -> Sequence[Row[Any]]:
        """What this cause has sent and nobody has answered, with as many more as there is room for in the window."""
        with transaction(self.engine) as connection:
            key = func.hashtextextended("scan", 0)  # everybody's, as the window is: docs/reliability.md, "Locks"
            connection.execute(select(func.pg_advisory_xact_lock(key)))
            met = select(FOLDER).where(scanned.c.state.in_(("waiting", "sent"))).distinct()
            here = FOLDER.in_([folder for folder in connection.execute(met).scalars() if self.here(folder)])
            in_hand = select(func.count()).where(scanned.c.state == "sent", scanned.c.changed_at > OLD, here)
            room = self.window - connection.execute(in_hand).scalar_one()
            if room > 0:
                waiting = select(scanned.c.path).where(scanned.c.state == "waiting", here)
                these = waiting.order_by(scanned.c.turn, scanned.c.path).limit(room).with_for_update(skip_locked=True)
                sent = {"state": "sent", "ticket": func.gen_random_uuid(), "cause": cause, "changed_at": CLOCK}
                connection.execute(update(scanned).where(scanned.c.path.in_(these.scalar_subquery())).values(**sent))
            mine = select(scanned).where(scanned.c.state == "sent", scanned.c.cause == cause)
            return connection.execute(mine.order_by(scanned.c.turn, scanned.c.path)).all()

    def put_back(self, cause: UUID, but: Collection[UUID]) -> None:
        """Let what was taken for this cause wait again, but for these tickets: whoever has room next takes it."""
        with transaction(self.engine) as connection:
            taken = (scanned.c.state == "sent", scanned.c.cause == cause, scanned.c.ticket.not_in(but))
            _lock_sent(connection, *taken)
            back = {"state": "waiting", "ticket": None, "cause": None, "copied": None, "changed_at": CLOCK}
            connection.execute(update(scanned).where(*taken).values(**back))

    def copied(self, ticket: UUID, sha256: str) -> None:
        """Note, before it lies in the blob store, that the file's copy for the hashers has this content."""
        with transaction(self.engine) as connection:
            _lock_copy(connection, sha256)
            _change(connection, ticket, copied=sha256)

    def settle(self, ticket: UUID, state: str, **facts: object) -> None:
        """Note the state in which the file ends: it is in no hasher's hands any more."""
        with transaction(self.engine) as connection:
            _change(connection, ticket, state=state, ticket=None, cause=None, copied=None, **facts)

    def look_again(self, ticket: UUID, reason: str) -> None:
        """Note that the file could not be read as it was listed: the next scan tries it once more, as if new."""
        self.settle(ticket, "unusable", reason=reason, modified_ns=LOOK_AGAIN, sha256=None)

    def answered(self, event: PictureHashed) -> bool:
        """Note what the hashers say of a file; False when that file is there no more, and nobody must match it."""
        if event.problem or event.phash:
            facts = {"sha256": event.content.sha256, "reason": event.problem or None}
            self.settle(event.ticket, "unusable" if event.problem else "known", **facts)
        else:
            self.look_again(event.ticket, "its copy for the hashers was lost")
        here = select(scanned.c.path).where(scanned.c.path == event.path, scanned.c.state.not_in(ABSENT))
        with transaction(self.engine) as connection:
            return connection.execute(here).first() is not None

    @contextlib.contextmanager
    def unneeded(self, sha256: str, but: UUID | None = None) -> Iterator[bool]:
        """Whether no file but this ticket's has a copy with this content that waits for a hasher.

        It stays so to the end of the block: who notes a double's copy waits for that, and lays it there afterwards.
        """
        same = (scanned.c.state == "sent", scanned.c.copied == sha256, scanned.c.ticket != but)
        with transaction(self.engine) as connection:
            _lock_copy(connection, sha256)
            yield connection.execute(select(scanned.c.path).where(*same).limit(1)).first() is None


def _lock_copy(connection: Connection, sha256: str) -> None:
    key = func.hashtextextended(f"scanned:{sha256}", 0)  # the copy's: docs/reliability.md, "Locks"
    connection.execute(select(func.pg_advisory_xact_lock(key)))


def _change(connection: Connection, ticket: UUID, /, **facts: object) -> None:
    this = and_(scanned.c.ticket == ticket, scanned.c.state == "sent")
    connection.execute(update(scanned).where(this).values(changed_at=CLOCK, **facts))


def _lock_sent(connection: Connection, *which: ColumnElement[bool]) -> None:
    """Lock what is in the hashers' hands in the order of the paths: several may change some of it at a time."""
    sent = select(scanned.c.path).where(scanned.c.state == "sent", *which)
    connection.execute(sent.order_by(scanned.c.path).with_for_update())


def _tidy(connection: Connection, tenant_id: UUID) -> None:
    gone = (scanned.c.tenant_id == tenant_id, scanned.c.state == "gone", scanned.c.changed_at < CLOCK - GONE_KEPT)
    connection.execute(delete(scanned).where(*gone))
    connection.execute(delete(scans).where(scans.c.tenant_id == tenant_id, scans.c.listed_at < CLOCK - SCANS_KEPT))


def _met(connection: Connection, event: ShopScanRequested) -> dict[str, Met]:
    of_tenant = select(
        scanned.c.path, scanned.c.size, scanned.c.modified_ns, scanned.c.state, scanned.c.changed_at <= OLD
    ).where(scanned.c.tenant_id == event.tenant_id)
    return {path: Met(*facts) for path, *facts in connection.execute(of_tenant)}


def _stored(connection: Connection, shop: str, *which: ColumnElement[bool]) -> dict[str, int]:
    below = designs.c.path.startswith(f"{shop}/", autoescape=True)
    ours = select(designs.c.path, designs.c.size).where(designs.c.state == "stored", below, *which)
    return {row.path: row.size for row in connection.execute(ours)}


def _set_waiting(connection: Connection, event: ShopScanRequested, found: Difference) -> None:
    for start in range(0, len(found.to_hash), AT_ONCE):
        rows = [
            {
                "path": file.path,
                "tenant_id": event.tenant_id,
                "size": file.size,
                "modified_ns": file.modified_ns,
                "state": "waiting",
                "turn": start + place,
            }
            for place, file in enumerate(found.to_hash[start : start + AT_ONCE])
        ]
        new = insert(scanned).values(rows)
        facts: dict[str, Any] = {name: new.excluded[name] for name in rows[0] if name != "path"}
        facts |= {"ticket": None, "cause": None, "copied": None, "changed_at": CLOCK}
        facts |= {"sha256": None} if event.anew else {}
        connection.execute(new.on_conflict_do_update(index_elements=["path"], set_=facts))


def _set_gone(connection: Connection, paths: Sequence[str]) -> None:
    facts = {"state": "gone", "ticket": None, "cause": None, "copied": None, "sha256": None, "changed_at": CLOCK}
    for start in range(0, len(paths), AT_ONCE):
        these = scanned.c.path.in_(paths[start : start + AT_ONCE])
        connection.execute(update(scanned).where(these).values(**facts))


def _set_missing(connection: Connection, event: ShopScanRequested, paths: Sequence[str]) -> None:
    nothing = {"state": "missing", "ticket": None, "cause": None, "copied": None, "sha256": None, "reason": None}
    facts = {"tenant_id": event.tenant_id, "size": 0, "modified_ns": LOOK_AGAIN, "turn": 0, **nothing}
    for start in range(0, len(paths), AT_ONCE):
        new = insert(scanned).values([{"path": path, **facts} for path in paths[start : start + AT_ONCE]])
        connection.execute(new.on_conflict_do_update(index_elements=["path"], set_={**facts, "changed_at": CLOCK}))


def _write_down(
    connection: Connection, event: ShopScanRequested, found: Difference, listing: Listing, missing: int
) -> None:
    counts = {"pictures": found.pictures, "to_hash": len(found.to_hash), "ours": found.ours}
    counts["gone"] = len(found.gone) + missing
    new = insert(scans).values(
        scan_id=event.scan_id, tenant_id=event.tenant_id, shop=event.shop, unread=dict(listing.unread), **counts
    )
    connection.execute(new.on_conflict_do_nothing())
