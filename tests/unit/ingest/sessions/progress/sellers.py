"""Several sellers' uploads on one simulated system (see `simulated.py`): in each of its queues they take turns."""

import heapq
import random
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from uuid import UUID

from services.ingest.sessions.progress.earlier_uploads import learnt
from services.ingest.sessions.progress.slowdown import Left, Load
from services.ingest.sessions.progress.time_left import TimeLeft, time_left
from services.ingest.sessions.progress.totals import Totals
from services.ingest.sessions.progress.workload import Costs, Workload, weight
from tests.unit.ingest.sessions.progress.simulated import (
    ASKING_S,
    CONNECTIONS,
    CORES,
    DAY,
    MOMENTS,
    PAINTERS,
    USER,
    Changes,
    System,
    Upload,
    told,
)

SERVERS = {"hash": CORES, "store": CONNECTIONS, "paint": PAINTERS, "publish": 1}
NEXT = {"hash": "store", "paint": "publish"}
HAPPENS: dict[str, Changes] = {
    "hash": {"hashed": 1},
    "store": {"hashed": -1, "stored": 1},
    "paint": {"rendered": 1},
    "publish": {"rendered": -1, "listed": 1},
}

State = tuple[float, float, Totals, Workload]


@dataclass
class Seller:
    """One upload, and when it begins: seconds since the first of all began."""

    sizes: Sequence[int]
    begins: float = 0.0
    stored: int = 0
    upload: Upload = field(init=False)

    def __post_init__(self) -> None:
        self.upload = Upload(self.sizes)


class Together:
    """Fills in what happens to each seller's upload. Times of each piece of work scatter by a third."""

    def __init__(self, system: System, sellers: Sequence[Seller], seed: int) -> None:
        self.seconds = {"paint": system.paint_s, "publish": system.publish_s}
        self.by_weight = {"hash": system.hash_s, "store": system.store_s}
        self.sellers = sellers
        self.chance = random.Random(seed)
        self.order = count()
        self.coming: list[tuple[float, int, str, int, int]] = []
        self.waiting = {stage: [deque[int]() for _ in sellers] for stage in SERVERS}
        self.served = {stage: [-1] * len(sellers) for stage in SERVERS}
        self.free = dict(SERVERS)

    def run(self) -> None:
        for who, seller in enumerate(self.sellers):
            self._comes(seller.begins, "begin", who)
        while self.coming:
            at, _, what, who, index = heapq.heappop(self.coming)
            self._happens(at, what, who, index)
            for stage in SERVERS:
                self._serve(stage, at)

    def _comes(self, at: float, what: str, who: int, index: int = 0) -> None:
        heapq.heappush(self.coming, (at, next(self.order), what, who, index))

    def _happens(self, at: float, what: str, who: int, index: int) -> None:
        seller, every = self.sellers[who], range(len(self.sellers[who].sizes))
        if what == "begin":
            seller.upload.happened.append((at, 0, {"received": len(every)}))
            self.waiting["hash"][who].extend(every)
        elif what == "ask":
            seller.upload.happened += [(at, each, {"requested": 1}) for each in every]
            self.waiting["paint"][who].extend(every)
        else:
            seller.upload.happened.append((at, index, HAPPENS[what]))
            self.free[what] += 1
            if what in NEXT:
                self.waiting[NEXT[what]][who].append(index)
            seller.stored += what == "store"
            if what == "store" and seller.stored == len(every):
                self._comes(at + ASKING_S, "ask", who)

    def _serve(self, stage: str, at: float) -> None:
        while self.free[stage] and any(self.waiting[stage]):
            waits = [who for who, queue in enumerate(self.waiting[stage]) if queue]
            who = min(waits, key=self.served[stage].__getitem__)
            self.served[stage][who] = next(self.order)
            index = self.waiting[stage][who].popleft()
            self.free[stage] -= 1
            known = self.by_weight.get(stage, 0.0) * weight(self.sellers[who].sizes[index])
            takes = (known or self.seconds[stage]) * self.chance.lognormvariate(0, 0.3)
            self._comes(at + takes, stage, who, index)


def past_together(system: System, sellers: Sequence[Seller], seed: int) -> Costs:
    """What eight pairs of sellers who uploaded such files at the same time had shown on this system before."""
    rows = []
    for number in range(8):
        pair = [Seller(seller.sizes, seller.begins) for seller in (*sellers, *sellers)[:2]]
        Together(system, pair, seed + number).run()
        rows += [each.upload.row(DAY + timedelta(number), UUID(int=who)) for who, each in enumerate(pair, 2)]
    return learnt(rows, USER, sellers[0].upload.work)


def asked(sellers: Sequence[Seller], costs: Costs) -> Iterator[tuple[float, TimeLeft, float]]:
    """Ask at even moments how long the first one's upload takes: at which share of it, what is told, and the truth."""
    mine = sellers[0]
    states = [list(told(seller.upload, costs)) for seller in sellers]
    whole = mine.upload.end - mine.begins
    for number in range(MOMENTS):
        at = mine.begins + whole * number / MOMENTS
        (_, _, totals, workload), *others = (_at(each, at) for each in states)
        load = Load(others=[_left(other) for other in others if other[2].received])
        yield number / MOMENTS, time_left(totals, workload, at, load=load), mine.upload.end - at


def _at(states: Sequence[State], at: float) -> State:
    return next((state for state in reversed(states) if state[0] <= at), (0.0, 0.0, Totals(), Workload()))


def _left(state: State) -> Left:
    _, _, totals, workload = state
    return Left(workload.left, float((totals.requested or totals.received) - totals.listings_settled))
