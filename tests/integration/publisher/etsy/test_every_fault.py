"""Everything goes wrong at once, by chance, and the publisher dies of it: in the end each listing is there once.

The same over RabbitMQ, with processes that are really killed and with the real pauses: `make soak ARGS='-k s2'`.
"""

import heapq
import itertools
import random
import time
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import select

from services.publisher.limits import ETSY
from services.publisher.listing import draft_of, publish_key
from services.publisher.store import Journal, listings
from shared.contracts import ListingPublished, MockupsRendered
from shared.errors import Permanent, Retryable, Unavailable
from tests.chaos.findings import Finding
from tests.etsy.books import ANYWHERE, OF_ONE_CALL, Asked, differences, every_fault, strangers
from tests.integration.publisher.etsy.conftest import World
from tests.integration.publisher.shops import Crash

SEED, DESIGNS, TWINS = 1, 20, 4
RATE, DEATHS = 0.01, 0.02
DELAYS_S = (0.05, 0.3, 1, 1, 1)  # of the retry policy, which takes a hundred times as long
SETTLES_S, LAG_S, TIMEOUT_S, STALL_S = 0.5, 0.2, 0.2, 0.3
STEPS = ("intend", "drafted", "uploaded", "images_done", "published")


@dataclass
class Run:
    """A publisher's queue: what fails comes again later, and is buried in the end; what is buried is replayed."""

    world: World
    events: list[MockupsRendered]
    failures: list[str] = field(default_factory=list)
    deliveries: int = 0

    def to_the_end(self, within_s: float) -> None:
        """Until each is listed."""
        numbers, end = itertools.count(), time.monotonic() + within_s
        due: list[tuple[float, int, int, MockupsRendered]] = []
        for event in self.events:
            heapq.heappush(due, (0.0, next(numbers), 1, event))
        while due:
            assert time.monotonic() < end, f"{len(due)} have not ended: {self.failures[-5:]}"
            at, _, attempt, event = heapq.heappop(due)
            time.sleep(max(0, at - time.monotonic()))
            if again := self.delivered(event, attempt):
                heapq.heappush(due, (time.monotonic() + again[0], next(numbers), again[1], again[2]))

    def delivered(self, event: MockupsRendered, attempt: int) -> tuple[float, int, MockupsRendered] | None:
        """When it comes again, if it does."""
        self.deliveries += 1
        try:
            answer = self.world.handle(event)
        except (Unavailable, Crash):
            return 0.01, attempt, event
        except Retryable as error:
            if attempt <= len(DELAYS_S):
                return DELAYS_S[attempt - 1], attempt + 1, event
            self.failures.append(f"buried: {error}")
            return 0, 1, event
        except Permanent as error:
            self.failures.append(f"buried: {error}")
            return 0, 1, event
        if isinstance(answer, ListingPublished):
            return None
        self.failures.append(answer.reason)
        return 0, 1, event.model_copy(update={"generation": event.generation + 1})


def designs(world: World) -> list[MockupsRendered]:
    """Some have the words of others, as another mockup group of the same design has."""
    found = [event(world, number, number) for number in range(DESIGNS - TWINS)]
    return found + [event(world, number, 100 + number) for number in range(TWINS)]


def event(world: World, number: int, group: int) -> MockupsRendered:
    images = [f"{number}/{group}/{rank}".encode() for rank in range(2)]
    names = {"design_name": f"UV {100 + number} UVDTF_16oz_{100 + number}.png", "index": group}
    return world.event(*images, **names, item_id=UUID(int=number + 1), mockup_id=UUID(int=group + 1))


def asked(event: MockupsRendered) -> Asked:
    draft = draft_of(event, ETSY)
    images = tuple(picture.image.sha256 for picture in draft.pictures)
    return Asked(publish_key(draft, event.design), draft.title, draft.price, draft.quantity, images)


def dying(patch: pytest.MonkeyPatch, chance: random.Random, rate: float) -> None:
    """The process dies by chance before or after it has written a step down."""
    for name in STEPS:
        step = getattr(Journal, name)

        def dies(*args: Any, _step: Any = step, **how: Any) -> Any:
            if chance.random() < rate:
                raise Crash
            answer = _step(*args, **how)
            if chance.random() < rate:
                raise Crash
            return answer

        patch.setattr(Journal, name, dies)


def found(world: World, events: list[MockupsRendered]) -> list[Finding]:
    with world.engine.connect() as connection:
        rows = [dict(row) for row in connection.execute(select(listings)).mappings()]
    there = httpx.get(f"{world.url}/_fake/state", trust_env=False).json()["listings"]
    return [*differences(there, rows, map(asked, events)), *strangers(there, rows)]


def test_with_every_fault_at_once_each_listing_is_there_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.http.timeout = TIMEOUT_S
    world.target = replace(world.target, create_takes_s=TIMEOUT_S, settles_after_s=SETTLES_S)
    events = designs(world)
    for fault in every_fault(SEED, RATE, stall_s=STALL_S, lag_s=LAG_S, pause_s=0.1):
        world.etsy.faults.arm(fault)
    dying(monkeypatch, random.Random(SEED), DEATHS)
    run = Run(world, events)

    run.to_the_end(within_s=60)

    assert found(world, events) == []
    assert {each["kind"] for each in world.etsy.faults.met} >= {*ANYWHERE, *OF_ONE_CALL}
    assert run.failures == [], "none of these faults is a listing's own"
