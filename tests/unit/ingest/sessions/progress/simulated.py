"""Uploads that take their time on a simulated system: what happened, when, and what was told of the time left.

Eight hashers share two cores, four connections reach the NAS, two processes draw mockups, one publishes. Times of each
piece of work scatter by a third.
"""

import heapq
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from statistics import mean
from types import SimpleNamespace
from typing import Any
from uuid import UUID

from services.ingest.sessions.lifecycle.session_transitions import Happening, workload_after
from services.ingest.sessions.progress.earlier_uploads import learnt
from services.ingest.sessions.progress.time_left import time_left
from services.ingest.sessions.progress.totals import Totals, percent
from services.ingest.sessions.progress.workload import Costs, Workload, weight

USER = UUID(int=1)
DAY = datetime(2026, 1, 1, tzinfo=UTC)
CORES, HASHERS, CONNECTIONS, PAINTERS = 2, 8, 4, 2
MOMENTS = 40
ASKING_S = 0.5

Changes = dict[str, int]


@dataclass(frozen=True)
class System:
    """Seconds that work takes."""

    hash_s: float = 0.08e-6
    store_s: float = 0.02e-6
    paint_s: float = 0.4
    publish_s: float = 0.1
    slower_after: float = 1e9
    """From this moment on everything takes two and a half times as long."""


@dataclass
class Upload:
    """What became of one upload: moments in seconds, and what changed then."""

    sizes: Sequence[int]
    happened: list[tuple[float, int, Changes]] = field(default_factory=list)

    @property
    def end(self) -> float:
        return self.happened[-1][0]

    @property
    def work(self) -> int:
        return sum(weight(size) for size in self.sizes)

    def last(self, *names: str) -> float:
        """When such a thing happened for the last time."""
        return max(at for at, _, changes in self.happened if any(changes.get(name) == 1 for name in names))

    def row(self, day: datetime = DAY, user: UUID = USER) -> Any:
        """As the row of a finished session tells it that began on this day."""
        moments = {"hashed_at": self.last("hashed"), "settled_at": self.last("stored"), "finished_at": self.end}
        moments |= {
            "submitted_at": self.happened[0][0],
            "asked_at": self.last("requested"),
            "rendered_at": self.last("rendered"),
        }
        told = {name: day + timedelta(seconds=at) for name, at in moments.items()}
        count = len(self.sizes)
        return SimpleNamespace(work=self.work, user_id=user, stored=count, requested=count, **told)


def run(system: System, sizes: Sequence[int], seed: int) -> Upload:
    """An upload by itself, with listings of all of its designs."""
    chance = random.Random(seed)

    def takes(seconds: float, at: float) -> float:
        return seconds * chance.lognormvariate(0, 0.3) * (2.5 if at > system.slower_after else 1.0)

    upload = Upload(sizes, [(0.0, 0, {"received": len(sizes)})])
    cores, nas = [0.0] * CORES, [0.0] * CONNECTIONS
    for index in sorted(range(len(sizes)), key=lambda index: (index // HASHERS, index)):
        hashed = _done(cores, 0.0, system.hash_s * weight(sizes[index]), takes)
        stored = _done(nas, hashed, system.store_s * weight(sizes[index]), takes)
        upload.happened += [(hashed, index, {"hashed": 1}), (stored, index, {"hashed": -1, "stored": 1})]
    asked = upload.last("stored") + ASKING_S
    painters, publisher = [asked] * PAINTERS, [asked]
    for index in range(len(sizes)):
        painted = _done(painters, asked, system.paint_s, takes)
        listed = _done(publisher, painted, system.publish_s, takes)
        upload.happened += [(asked, index, {"requested": 1}), (painted, index, {"rendered": 1})]
        upload.happened.append((listed, index, {"rendered": -1, "listed": 1}))
    upload.happened.sort(key=lambda each: each[0])
    return upload


def _done(servers: list[float], ready: float, seconds: float, takes: Callable[[float, float], float]) -> float:
    """When the server that is free first has done it."""
    begins = max(heapq.heappop(servers), ready)
    ends = begins + takes(seconds, begins)
    heapq.heappush(servers, ends)
    return ends


def told(upload: Upload, costs: Costs) -> Iterator[tuple[float, float, Totals, Workload]]:
    """What is known after each change."""
    totals, workload, shown = Totals(), Workload(costs=costs), 0.0
    for at, index, changes in upload.happened:
        before = totals
        totals = replace(totals, **{name: getattr(totals, name) + change for name, change in changes.items()})
        weighs = upload.work if "received" in changes else weight(upload.sizes[index])
        workload = workload_after(workload, before, totals, Happening("", changes, weighs=weighs), at)
        shown = max(shown, percent(totals, workload, finished=False))
        yield at, shown, totals, workload


@dataclass(frozen=True)
class Judged:
    """How wrong the time left was, as a share of the whole, on average: ours, and elapsed / percent by counts.

    `covered` is how often the truth was within our range, where we told one, `bent` how far percent was from time
    on average, in percent.
    """

    ours: float
    simple: float
    covered: float
    bent: float
    simply_bent: float


def judged(upload: Upload, costs: Costs) -> Judged:
    """Ask at even moments, as somebody who looks now and then."""
    states, now, found, covered = list(told(upload, costs)), 0, [], []
    for number in range(MOMENTS):
        at = upload.end * number / MOMENTS
        while now + 1 < len(states) and states[now + 1][0] <= at:
            now += 1
        drawn, shown, totals, workload = states[now]
        left, truth = time_left(totals, workload, at), upload.end - at
        plain = simple_percent(totals)
        simple = drawn / plain * 100 - drawn if plain > 5 else max(60.0 - drawn, 0.0)
        if left.low is not None and left.high is not None:
            covered.append(left.low <= truth <= left.high)
        wrong = (abs(left.seconds - truth) / upload.end, abs(simple - truth) / upload.end)
        bent = (abs(shown - 100 * at / upload.end), abs(plain - 100 * at / upload.end))
        found.append((*wrong, *bent))
    ours, simple, *bends = (sum(column) / MOMENTS for column in zip(*found, strict=True))
    return Judged(ours, simple, mean(covered), *bends)


def simple_percent(totals: Totals) -> float:
    """By counts and fixed shares: 60 for designs, 39 for listings."""
    decided = totals.accepted + totals.settled
    design = (0.6 * (totals.hashed + decided) + 0.1 * decided + 0.3 * totals.settled) / totals.received
    rendered = totals.rendered + totals.listings_settled
    listing = (0.7 * rendered + 0.3 * totals.listings_settled) / totals.requested if totals.requested else 0.0
    return 60 * design + 39 * listing


def past(system: System, sizes: Sequence[int], seed: int) -> Costs:
    """What eight other uploads, of half to three times as many files, had shown on this system before."""
    chance = random.Random(seed)
    usual = replace(system, slower_after=1e9)
    earlier = [chance.choices(sizes, k=max(1, int(len(sizes) * chance.uniform(0.5, 3)))) for _ in range(8)]
    rows = [run(usual, files, seed + number).row(DAY + timedelta(number)) for number, files in enumerate(earlier)]
    return learnt(rows, USER, sum(map(weight, sizes)))
