"""What happens in a session, and how the session is after each of several things: counts, work, percent, end. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from itertools import accumulate
from typing import Any, NamedTuple
from uuid import UUID

from services.ingest.sessions.progress.totals import Totals, percent
from services.ingest.sessions.progress.workload import Workload

COUNTS = tuple(field.name for field in fields(Totals))


@dataclass(frozen=True)
class Happening:
    """Something that happened in a session: what it is called, which counts it changes, what is told of it.

    `weighs` is the weight of the file that it happened to, or of all files that were submitted.
    """

    kind: str
    changes: Mapping[str, int] = field(default_factory=dict)
    item_id: UUID | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)
    weighs: int = 0


class After(NamedTuple):
    """A session after one thing that happened."""

    what: Happening
    totals: Totals
    workload: Workload
    done: bool
    """Nothing is left to do, and nothing more is expected of the user."""
    still_ended: bool
    """Whether it had ended before this, and this leaves its end as it is."""


def after_each(
    totals: Totals, workload: Workload, happenings: Sequence[Happening], at: float, *, ended: bool, cancelled: bool
) -> list[After]:
    """The session after each of them. `at`: when they happened, in seconds, like the paces of its workload.

    `ended`, `cancelled`: whether it was before. What is taken up again is neither any more.
    """
    found = []
    for what in happenings:
        before = totals
        totals = Totals(**{name: getattr(totals, name) + what.changes.get(name, 0) for name in COUNTS})
        workload = workload_after(workload, before, totals, what, at)
        if ended and not at_rest(totals):
            ended = cancelled = False
        found.append(After(what, totals, workload, _complete(totals, cancelled), ended))
    return found


def percents(shown: float, after: Sequence[After], *, ended: bool) -> list[float]:
    """The percent to show after each, where `shown` was before: it goes back only where an end is taken back."""
    true = [percent(each.totals, each.workload, finished=each.still_ended) for each in after]
    if not ended:
        return list(accumulate(true, max, initial=shown))[1:]
    # Each file that is taken up again lowers it. It goes back once, at the first, to where all of them leave it.
    before = sum(each.still_ended for each in after)
    return true[:before] + list(accumulate(reversed(true[before:]), min))[::-1]


def workload_after(workload: Workload, before: Totals, after: Totals, what: Happening, at: float) -> Workload:
    """The work after this. Where there was nothing to do until now a new pace begins: a pause tells nothing of it."""
    files = bool(after.in_progress and not before.in_progress)
    listings = not before.listings_in_progress and after.listings_in_progress > 0
    return workload.changed(what.weighs, what.changes, at).begun(at, files=files, listings=listings)


def at_rest(totals: Totals) -> bool:
    """Whether nothing is left to do."""
    return not (totals.in_progress or totals.listings_in_progress)


def _complete(totals: Totals, cancelled: bool) -> bool:
    """Nothing is left to do, and nothing more is expected of the user."""
    if not totals.received or not at_rest(totals):
        return False
    return bool(totals.requested) or cancelled or totals.stored == 0
