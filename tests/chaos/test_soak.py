"""What takes long: whatever runs is killed at random, Etsy fails in all its ways, the NAS is away for an hour.

`make soak` runs all three; `make soak ARGS='-k s2' DESIGNS=20` the second with few designs, `make soak ARGS='-k s3'
OUTAGE=2` the third with an outage of two minutes.
"""

import os
import time
from collections import Counter
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from services.etsy_fake.faults import Fault
from tests.chaos import broker_control as control
from tests.chaos.conftest import Case
from tests.chaos.etsy import TIMEOUT_S, Stand
from tests.chaos.nas import reached_by_sftp, spool_bytes
from tests.chaos.outage import Outage
from tests.chaos.work import Work
from tests.etsy.books import ANYWHERE, OF_ONE_CALL, every_fault
from tests.waiting import until

KILLS = int(os.environ.get("CHAOS_KILLS", "100"))
FILES = int(os.environ.get("CHAOS_FILES", "500"))
DESIGNS = int(os.environ.get("CHAOS_DESIGNS", "200"))
OUTAGE_S = 60 * float(os.environ.get("CHAOS_OUTAGE_MINUTES", "60"))
ROOM_BYTES, UPLOADS, FILES_EACH = 800_000, 20, 5
DEATHS, RATE = 20, 0.01  # of the publisher; of each fault at each call
MOST_RETRIES = 5
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


@pytest.mark.timeout(3600, method="signal")
def test_s2_every_fault_of_etsy_at_once(case: Case) -> None:
    """With the real pauses: what Etsy may have made unseen is made again after a minute and a half, not before."""
    world, seller = case.world, case.seller(photographs=3)
    with world.listing_at_etsy() as etsy:
        etsy.connect(world.engine, UUID(seller.user_id))
        for fault in every_fault(
            case.chance.randrange(10**6), RATE, stall_s=2 * TIMEOUT_S, lag_s=2 * TIMEOUT_S, pause_s=1
        ):
            etsy.arm(fault)
        work = case.begin(case.files(DESIGNS), seller, dead_letters=None)
        until(lambda: work.heard("listed"), within_s=600, what="nothing was listed")
        for _ in range(DEATHS):
            case.pause(8.0)
            world.kill("publisher")
            world.revive()
        a_day_without_calls(case, etsy, work)
        for _ in range(MOST_RETRIES):
            work.finish(within_s=1800)
            if not tried_again(case, etsy, work):
                break
        case.balance(work, within_s=1800)
        assert set(etsy.met()) >= {*ANYWHERE, *OF_ONE_CALL}


@pytest.mark.timeout(OUTAGE_S + 1800, method="signal")
def test_s3_an_outage_of_the_nas(case: Case, tmp_path: Path) -> None:
    """Silent at first, then off. Sellers go on uploading, until there is no more room; one storage process dies."""
    world, (north, south) = case.world, (case.seller(), case.seller(shop_name="SouthCups"))
    before = case.begin(case.files(FILES_EACH), north)
    before.finish()
    outage = Outage(case, spool_bytes(world) + ROOM_BYTES)
    with reached_by_sftp(world, tmp_path, MAX_SPOOL_BYTES=str(outage.limit_bytes)) as line:
        aside = control.repeated(world.broker)["aside"]
        outage.upload(FILES_EACH, north)
        outage.works[0].until_heard("stored")
        line.swallow()
        began = time.monotonic()
        outage.upload(FILES_EACH, south)
        outage.until_all_say_so()
        line.refuse()
        for number in range(UPLOADS):
            outage.upload(FILES_EACH, (north, south)[number % 2])
            outage.watch((began + OUTAGE_S - time.monotonic()) / (UPLOADS - number))
            if number == UPLOADS // 2:
                world.kill("storage")
        outage.until_all_say_so()
        assert control.repeated(world.broker)["aside"] == aside, "waiting has cost an attempt, or a place in the queue"
        line.release()
        line.accept()
        back = time.monotonic()
        for work in outage.works:
            work.finish(within_s=600)
            work.told_by_receipt()
        drained_s = time.monotonic() - back
        case.balance(before, *outage.works)
    print(outage.figures(back - began, drained_s))  # noqa: T201
    assert outage.most_bytes <= outage.limit_bytes + ROOM_BYTES, "what was let in has prints as well"
    assert len(outage.works) > 2, "there was room for some"
    assert outage.refusals
    assert not outage.quiet
    assert not outage.out_of_order()


def a_day_without_calls(case: Case, etsy: Stand, work: Work) -> None:
    """The key's calls are used up before all is listed, if it is not by now; all wait, and a day passes."""
    if work.heard("listed") < DESIGNS:
        etsy.arm(Fault(operation="updateListing", kind="quota"))
        until(lambda: etsy.a_day_passes(case.world.engine) or work.listed_all, within_s=900)


def tried_again(case: Case, etsy: Stand, work: Work) -> list[Any]:
    """What failed, each with its reason, as its seller tries it again; who must connect the shop anew does so first."""
    query = """
        SELECT l.reason FROM ingest.listings l JOIN ingest.sessions s ON s.id = l.session_id
        WHERE s.client_key = :key AND l.state = 'failed'"""
    failed = case.world.rows(query, key=work.session_id)
    assert all(row.reason for row in failed), failed
    if any("connect the Etsy shop again" in row.reason for row in failed):
        etsy.connect(case.world.engine, UUID(work.seller.user_id))
    if failed:
        work.seller.http.post(f"/api/v1/sessions/{work.session_id}/retry").raise_for_status()
    print(f"{len(failed)} failed: {Counter(row.reason for row in failed)}; met {Counter(etsy.met())}")  # noqa: T201
    return failed
