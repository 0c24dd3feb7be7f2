"""Designs of the old system as stored items: those of an account are one session, which has no uploads."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

from sqlalchemy import Connection, func, select, update

from services.ingest.imports.ledger import WRITTEN, Ledger, Outcome, Row
from services.ingest.sessions.intake import submitting
from services.ingest.sessions.lifecycle import timeline
from services.ingest.sessions.states import RANKS
from services.ingest.sessions.tables import items, sessions

WORDS = "copied from the old system"


@dataclass(frozen=True)
class Revised:
    """A design as it is now: whether it is in use, and how often that has changed."""

    is_active: bool
    revision: int


@dataclass(frozen=True)
class OldDesigns:
    """The designs of one account. Used inside a transaction."""

    connection: Connection
    user_id: UUID
    lane: str

    @property
    def session_id(self) -> UUID:
        """The session that stands for the old system's uploads."""
        return uuid5(self.user_id, "designs of the old system")

    def plan(self, rows: Sequence[Row]) -> dict[UUID, Outcome]:
        """What is to become of each."""
        return Ledger(self.connection, items, (items.c.session_id, items.c.index)).plan(rows)

    def write(
        self, rows: Sequence[Row], plan: Mapping[UUID, Outcome], made: Mapping[UUID, datetime]
    ) -> dict[UUID, Revised]:
        """Do what is planned, and return how those that were written stand. `made` is when each was uploaded."""
        new = [row["id"] for row in rows if plan[row["id"]] is Outcome.COPIED]
        if new:
            self._open()
        self._count_changes([row for row in rows if plan[row["id"]] is Outcome.UPDATED])
        first = self._next_index()
        once = {design: self._once(first + place, made[design]) for place, design in enumerate(new)}
        Ledger(self.connection, items).write(rows, plan, once)
        if new:
            changes, facts = {"received": len(new), "stored": len(new)}, {"designs": len(new)}
            timeline.append(self.connection, self.session_id, "imported", changes, facts=facts)
        return self._now([row["id"] for row in rows if plan[row["id"]] in WRITTEN])

    def finish(self) -> None:
        """End the session that holds them; a later run that brings more takes it up again."""
        if self.connection.execute(select(sessions.c.id).where(sessions.c.id == self.session_id)).first():
            timeline.finish(self.connection, self.session_id)

    def _open(self) -> None:
        submitting.create(self.connection, self.session_id, self.user_id, str(self.session_id), 0, 0)
        mine = update(sessions).where(sessions.c.id == self.session_id)
        self.connection.execute(mine.values(lane=self.lane, lane_reason=WORDS))

    def _count_changes(self, rows: Sequence[Row]) -> None:
        """A design that goes out of use or comes back has a new revision, as if its user had done it."""
        for row in rows:
            turned = update(items).where(items.c.id == row["id"], items.c.is_active != row["is_active"])
            self.connection.execute(turned.values(revision=items.c.revision + 1))

    def _next_index(self) -> int:
        last = select(func.max(items.c.index)).where(items.c.session_id == self.session_id)
        found = self.connection.execute(last).scalar_one()
        return 0 if found is None else int(found) + 1

    def _once(self, index: int, made: datetime) -> dict[str, Any]:
        facts = {"session_id": self.session_id, "user_id": self.user_id, "index": index, "size": 0}
        return facts | {"state": "stored", "stage_rank": RANKS["stored"], "created_at": made, "updated_at": made}

    def _now(self, ids: Sequence[UUID]) -> dict[UUID, Revised]:
        found = select(items.c.id, items.c.is_active, items.c.revision).where(items.c.id.in_(ids))
        return {row.id: Revised(row.is_active, row.revision) for row in self.connection.execute(found)}
