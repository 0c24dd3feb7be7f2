"""Whatever runs is killed at random, again and again, during one large upload: `make soak`."""

import os
import time
from collections import Counter

import pytest

from tests.chaos.conftest import Case

KILLS = int(os.environ.get("CHAOS_KILLS", "100"))
FILES = int(os.environ.get("CHAOS_FILES", "500"))
SERVICES = ("hasher", "dedup", "storage", "mockup", "publisher", "ingest")
VICTIMS = (*2 * SERVICES, "hasher", "broker", "database")


@pytest.mark.timeout(3600, method="signal")
def test_s1_random_kills_during_a_large_upload(case: Case) -> None:
    seller = case.seller()
    works = [case.begin(case.files(FILES), seller)]
    killed: Counter[str] = Counter()
    began = time.monotonic()
    while killed.total() < KILLS:
        victim = case.chance.choice(VICTIMS)
        if victim in ("broker", "database"):
            server = getattr(case.world, victim)
            server.kill()
            server.start()
        else:
            case.world.kill(victim, which=case.chance.randrange(1, 3) if victim == "hasher" else 1)
        case.world.revive()
        killed[victim] += 1
        case.pause(1.5)
        if works[-1].listed_all:  # the kills are not for nothing
            works.append(case.begin(case.files(FILES), seller))
    case.balance(*works, within_s=1800)
    print(f"{killed} in {time.monotonic() - began:.0f} s, {len(works)} uploads of {FILES}")  # noqa: T201
