"""The result table: one row per fault, in the terminal, as JSON and as markdown in `var/chaos/`."""

import json
import subprocess
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "var" / "chaos"


@dataclass
class Row:
    """What all rounds of one fault showed. `failed` are rounds that did not end as they should, for any reason."""

    fault: str
    title: str
    rounds: int = 0
    lost: int = 0
    doubled: int = 0
    gaps: int = 0
    wrong: int = 0
    failed: int = 0
    seconds: float = 0
    commit: str = ""
    at: str = ""


def _commit() -> str:
    """Which state of the code it is; "dirty" with changes that are not committed."""
    found = subprocess.run(
        ["git", "describe", "--always", "--dirty"], capture_output=True, text=True, check=False, cwd=ROOT
    )
    return found.stdout.strip()


@dataclass
class Table:
    """The rows of this run."""

    rows: dict[str, Row] = field(default_factory=dict)
    commit: str = field(default_factory=_commit)

    def add(self, fault: str, title: str, counts: Mapping[str, int], seconds: float, *, failed: bool) -> None:
        row = self.rows.setdefault(title, Row(fault, title))
        row.rounds += 1
        for name, count in counts.items():
            setattr(row, name, getattr(row, name) + count)
        row.failed += failed
        row.seconds = round(row.seconds + seconds, 1)

    def write(self) -> Path:
        """Keep the rows beside those of earlier runs of other faults; returns the markdown file."""
        FOLDER.mkdir(parents=True, exist_ok=True)
        path = FOLDER / "results.json"
        known = {row["title"]: row for row in json.loads(path.read_text())} if path.exists() else {}
        about = {"commit": self.commit, "at": datetime.now(UTC).isoformat(timespec="seconds")}
        known |= {title: {**asdict(row), **about} for title, row in self.rows.items()}
        rows = sorted(known.values(), key=lambda row: (row["fault"][0], int(row["fault"][1:] or 0), row["title"]))
        path.write_text(json.dumps(rows, indent=2) + "\n")
        page = FOLDER / "results.md"
        found = [Row(**row) for row in rows]
        page.write_text("\n".join([*markdown(by_fault(found)), "", *markdown(found)]) + "\n")
        return page


def keep_failure(name: str, words: str) -> None:
    """What a round that failed said, at once: the run may take hours more."""
    folder = FOLDER / "failures"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.txt").write_text(words)


def by_fault(rows: list[Row]) -> list[Row]:
    """All variants of a fault together."""
    found: dict[str, Row] = {}
    for row in rows:
        total = found.setdefault(row.fault, Row(row.fault, ""))
        plain = row.title.split(" (")[0]
        total.title = "; ".join(dict.fromkeys([*filter(None, total.title.split("; ")), plain]))
        for name in ("rounds", "lost", "doubled", "gaps", "wrong", "failed", "seconds"):
            setattr(total, name, getattr(total, name) + getattr(row, name))
    return list(found.values())


def markdown(rows: list[Row]) -> list[str]:
    """The table as people read it."""
    lines = ["| fault | what | rounds | lost | doubled | gaps | other | failed | seconds |", "|---|---|" + "--:|" * 7]
    for row in rows:
        figures = (row.rounds, row.lost, row.doubled, row.gaps, row.wrong, row.failed, round(row.seconds))
        lines.append(f"| {row.fault} | {row.title} | {' | '.join(map(str, figures))} |")
    return lines
