"""Who did what with which dead letters, when, and what came of it: written in the transaction that did it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Connection, insert, literal, select, update

from services.ingest.ops.tables import audit


@dataclass(frozen=True)
class Run:
    """One command of one person."""

    who: str
    action: str
    id: UUID = field(default_factory=uuid4)

    def begin(self, connection: Connection, wanted: Mapping[str, Any], matched: int) -> None:
        """Before anything is done."""
        row = {"id": self.id, "run_id": self.id, "who": self.who, "action": self.action}
        connection.execute(insert(audit).values(**row, filter=dict(wanted), counts={"matched": matched}))

    def note(self, connection: Connection, letter_id: UUID, result: str, words: str) -> None:
        """What came of one letter."""
        row = {"id": uuid4(), "run_id": self.id, "letter_id": letter_id, "who": self.who, "action": self.action}
        connection.execute(insert(audit).values(**row, result=result, words=words))

    def end(self, connection: Connection, counts: Mapping[str, int], words: str = "") -> None:
        """When it is through; a run without this was killed, and its letters' own rows say how far it came."""
        mine = update(audit).where(audit.c.id == self.id)
        added = audit.c.counts.op("||")(literal(dict(counts), audit.c.counts.type))
        connection.execute(mine.values(counts=added, result="ended", words=words))


def runs(connection: Connection, limit: int) -> list[dict[str, Any]]:
    """The commands, newest first."""
    newest = select(audit).where(audit.c.letter_id.is_(None)).order_by(audit.c.at.desc()).limit(limit)
    return [dict(row) for row in connection.execute(newest).mappings()]


def results(connection: Connection, run_id: UUID) -> list[dict[str, Any]]:
    """What one command did to each letter."""
    of_run = select(audit).where(audit.c.run_id == run_id, audit.c.letter_id.is_not(None)).order_by(audit.c.at)
    return [dict(row) for row in connection.execute(of_run).mappings()]
