"""What was copied, and what was not and why, for the person who moves."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from services.ingest.imports.ledger import Outcome

SHOWN = 20
SKIPPED = "skipped"
JOINED = "joined to who registered here with the same e-mail"
ORDER = (*Outcome, JOINED, SKIPPED)


@dataclass
class Report:
    """Counts by kind, and lines by their reason, of which the first are shown."""

    counts: dict[str, Counter[str]] = field(default_factory=dict)
    notes: dict[str, list[str]] = field(default_factory=dict)
    noted: Counter[str] = field(default_factory=Counter)

    def count(self, kind: str, outcome: str) -> None:
        """One more row of a kind came to this."""
        self.counts.setdefault(kind, Counter())[outcome] += 1

    def skip(self, kind: str, name: object, why: str) -> None:
        """A row is not copied."""
        self.count(kind, SKIPPED)
        self.note(f"{kind} skipped: {why}", name)

    def note(self, what: str, name: object) -> None:
        """There is something to say of a row."""
        self.noted[what] += 1
        names = self.notes.setdefault(what, [])
        if len(names) < SHOWN:
            names.append(str(name))

    def outcome(self, kind: str, name: object, outcome: Outcome) -> None:
        """A row was dealt with; what somebody did to it here is named."""
        self.count(kind, outcome)
        if outcome in (Outcome.KEPT, Outcome.GONE):
            self.note(f"{kind} {outcome}", name)

    @property
    def complete(self) -> bool:
        """Whether every row is here now."""
        return not any(SKIPPED in outcomes for outcomes in self.counts.values())

    def lines(self) -> Iterator[str]:
        """All of it, to be read."""
        for kind, outcomes in self.counts.items():
            ordered = sorted(outcomes.items(), key=lambda pair: ORDER.index(pair[0]))
            yield f"{kind}: {', '.join(f'{count} {outcome}' for outcome, count in ordered)}"
        for what, names in self.notes.items():
            yield f"{what} ({self.noted[what]}):"
            yield from (f"  {name}" for name in names)
            if self.noted[what] > len(names):
                yield f"  ... and {self.noted[what] - len(names)} more"
