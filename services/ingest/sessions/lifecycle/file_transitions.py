"""What an event says of a file, and the file's row as one such event after the other changes it. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from services.ingest.sessions.lifecycle.session_transitions import Happening
from services.ingest.sessions.progress.workload import weight
from services.ingest.sessions.states import KEEP, RANKS, UNSTORED, WAITING, is_cancelled
from shared.contracts import ItemEvent

TOLD_AGAIN = "told_again"
OF_ITS_STATE = ("code", TOLD_AGAIN)
"""Facts that are over with the state that they are about."""
ASKED = ("review", "pair")


@dataclass(frozen=True)
class StateReport:
    """What an event says: the file came to this state, for this reason; `columns` and `facts` are new in its row."""

    event: ItemEvent
    state: str
    reason: str | None = None
    columns: Mapping[str, Any] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass
class File:
    """A row of `items`, locked. `changes` are the columns that are another than they were."""

    id: UUID
    row: Row[Any]
    state: str
    stage_rank: int
    generation: int
    reason: str | None
    facts: Mapping[str, Any]
    asked: Mapping[str, Any]
    changes: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, row: Row[Any]) -> "File":
        asked = {name: row._mapping[name] for name in ASKED}
        return cls(row.id, row, row.state, row.stage_rank, row.generation, row.reason, row.facts, asked)

    def take(self, report: StateReport) -> Happening | None:
        """Come to the state that is reported. None: there is nothing to tell.

        What is repeated, late or overtaken changes nothing. A file that comes to the same end once more, with the same
        reason and facts, as one may that is decided about anew, only has a later generation.
        """
        event, state = report.event, report.state
        if (event.generation, RANKS[state]) <= (self.generation, self.stage_rank) or self._cancelled(state):
            return None
        is_news, was_cancelled = self._is_news(report), is_cancelled(self.state, self.facts)
        changes = count_changes(None if self.state == "received" else self.state, state)
        changes |= self._ask({name: report.columns.get(name) for name in ASKED})
        self._become(report)
        if more := is_cancelled(state, self.facts) - was_cancelled:
            changes |= {"cancelled": more}
        if not is_news and not changes:
            return None
        facts = told_of(event, state=state, reason=report.reason) | dict(report.facts)
        if self.asked["review"] == WAITING:
            facts["needs_review"] = True
        return Happening(state, changes, self.id, facts, weight(self.row.size))

    def _is_news(self, report: StateReport) -> bool:
        """Whether it says more than that the file came to the same end once more."""
        if report.state != self.state or report.state not in UNSTORED:
            return True
        known = (self.reason, {name: self.facts.get(name) for name in report.facts})
        return known != (report.reason, dict(report.facts))

    def _become(self, report: StateReport) -> None:
        self.state, self.stage_rank = report.state, RANKS[report.state]
        self.generation, self.reason = report.event.generation, report.reason
        self.facts = {**{name: fact for name, fact in self.facts.items() if name not in OF_ITS_STATE}, **report.facts}
        self.changes |= {"state": self.state, "stage_rank": self.stage_rank, "generation": self.generation}
        self.changes |= {"reason": self.reason, "facts": self.facts, **report.columns, **self.asked}

    def _ask(self, now: Mapping[str, Any]) -> dict[str, int]:
        """What is asked about a near duplicate is over with its state; that it is to be kept is not."""
        before = self.asked
        self.asked = before if before["review"] == KEEP else now
        more = (self.asked["review"] == WAITING) - (before["review"] == WAITING)
        return {"to_review": more} if more else {}

    def _cancelled(self, state: str) -> bool:
        """Whether it was cancelled, and this was still under way then. A design that reached the NAS is stored."""
        return is_cancelled(self.state, self.facts) and state != "stored"


def told_of(file: Row[*tuple[Any, ...]] | ItemEvent, **facts: object) -> dict[str, Any]:
    """What is told of something that happened to a file or its listing: always which file, then these facts."""
    return {"index": file.index, "filename": file.filename, **facts}


def count_changes(before: str | None, now: str) -> dict[str, int]:
    """How the counts change. A later generation may come to the state that the one before it had: none changes then."""
    return {} if before == now else {now: 1} | ({} if before is None else {before: -1})
