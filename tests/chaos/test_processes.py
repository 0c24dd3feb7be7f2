"""Processes die, are stopped, multiplied, paused, or have a wrong clock, in the middle of an upload."""

import os
import signal
import time
from itertools import accumulate

import pytest

from tests.chaos.broker_control import consumers, until_each_consumes
from tests.chaos.conftest import FILES, Case
from tests.chaos.failpoints import ACK, DECIDE, PREPARE, PUBLISH, Shot
from tests.chaos.stitching import Stitched
from tests.chaos.work import Work
from tests.waiting import until

SERVICES = ("hasher", "dedup", "storage", "mockup", "publisher", "ingest")


def test_f1_hasher_killed_at_random(case: Case) -> None:
    work = case.begin(case.files(16))
    work.until_heard("submitted")
    for _ in range(3):
        case.pause(0.5)
        case.world.kill("hasher", which=case.chance.randrange(1, 3))
        case.world.revive()
    case.balance(work)


@pytest.mark.chaos_short
def test_f1_hasher_killed_within_an_image(case: Case) -> None:
    """Once: a file that its process dies of twice is taken for the cause, and refused (F19)."""
    when = case.chance.choice(("before", "after"))
    shot = case.world.points.arm(PREPARE, when, "kill", skip=case.chance.randrange(3))
    work = case.begin()
    case.balance(work)
    shot.wait()


@pytest.mark.parametrize("service", SERVICES[1:])
def test_f1_other_service_killed_at_random(case: Case, service: str) -> None:
    work = case.begin()
    work.until_heard("submitted")
    for _ in range(2):
        case.pause(1.0)
        case.world.kill(service)
        case.world.revive()
    case.balance(work)


def test_f25_two_deciders_give_one_verdict(case: Case) -> None:
    case.world.start("dedup", 2)
    try:
        asleep = case.world.points.arm(DECIDE, "before", "sleep:2", skip=case.chance.randrange(3))
        files = [(f"twin-{n}.png", data) for n, (_, data) in enumerate(2 * case.files(4))]
        work = case.begin(files)
        states = [item["state"] for item in work.finish()["items"]]
        asleep.wait()
        work.expected = {index: state for index, state in enumerate(states) if state != "stored"}
        assert [sorted(pair) for pair in zip(states[:4], states[4:], strict=True)] == 4 * [["duplicate", "stored"]]
        case.balance(work)
    finally:
        case.world.retire("dedup", 2)


def test_f28_rolling_restart_of_everything(case: Case) -> None:
    # counted when it begins: who is stopped within a picture never comes to its end, and another one begins it anew
    begun = case.world.points.arm(PREPARE, "before", "pass", lasting=True)
    works = [case.begin(), case.begin()]
    for work in works:
        work.until_heard("submitted")
    everything = list(case.world.running.processes.children)
    case.chance.shuffle(everything)
    for service, number in everything:
        case.world.restart(service, number)
    case.balance(*works)
    assert begun.fired == 2 * FILES, "a hasher was stopped in the middle of what it had begun"


@pytest.mark.parametrize("service", SERVICES)
def test_f28_stopped_while_the_broker_is_away(case: Case, service: str) -> None:
    work = case.begin()
    work.until_heard("submitted")
    case.world.broker.proxy.refuse()
    try:
        until(lambda: case.world.state().get("broker") == "away")
        case.pause(3.0)
        began = time.monotonic()
        case.world.restart(service, 1)
        stopped_s = time.monotonic() - began
    finally:
        case.world.broker.proxy.accept()
    case.balance(work)
    assert stopped_s < 20, f"{service} took {stopped_s:.0f} s to stop"


def test_f30_stitched_progress_is_gap_free(case: Case) -> None:
    work = case.begin()
    with Stitched(work, case.chance) as stitched:
        for _ in range(2):
            case.pause(1.5)
            case.world.kill("ingest")
            case.world.revive()
        case.balance(work)
        seqs = stitched.to_the_end()
    assert seqs == list(range(1, len(seqs) + 1))
    assert stitched.connections > 1


def test_f33_hashers_from_one_to_eight_to_two(case: Case) -> None:
    world, seller = case.world, case.seller()
    began = world.points.arm(PREPARE, "before", "sleep:1", lasting=True)  # small pictures, few and busy cores
    ended = world.points.arm(PREPARE, "after", "pass", lasting=True)

    def upload() -> Work:
        return case.begin(case.files(16), seller, listed=False)

    with world.set("ingest", COMPREHENSIVE_WORKFLOW_MAX_THREADS="8"):  # so many batches make one upload
        world.retire("hasher", 2)
        works = [upload()]
        until(lambda: ended.fired > 2)
        one = time.monotonic_ns()
        for number in range(2, 9):
            world.start("hasher", number)
        until_each_consumes(world)
        eight = time.monotonic_ns()
        works += [upload(), upload()]
        until(lambda: ended.fired > 30)
        less = time.monotonic_ns()
        for number in range(3, 9):
            world.retire("hasher", number)
        two = time.monotonic_ns()
        works.append(upload())
        case.balance(*works)
    at_once = [most_at_once(began, ended, *span) for span in ((0, one), (eight, less), (two, time.monotonic_ns()))]
    assert at_once[0] == 1, at_once
    assert 2 < at_once[1] <= 8, at_once
    assert 0 < at_once[2] <= 2, at_once


def most_at_once(began: Shot, ended: Shot, since: int, until_: int) -> int:
    """How many were at work at one moment of a span, at most."""
    changes = sorted([(at, 1) for at in began.times()] + [(at, -1) for at in ended.times()])
    counts = [(at, count) for (at, _), count in zip(changes, accumulate(by for _, by in changes), strict=True)]
    return max((count for at, count in counts if since <= at <= until_), default=0)


def test_f34_clock_an_hour_ahead(case: Case) -> None:
    service = case.chance.choice(SERVICES)
    case.world.kill(service, which=1)
    case.world.start(service, 1, CLOCK_AHEAD_S="3600")
    try:
        case.world.until_ready()
        case.world.points.arm(DECIDE, "before", "raise:shared.errors:Retryable")
        work = case.begin()
        case.pause(1.0)
        case.world.kill("storage")
        case.balance(work)
    finally:
        case.world.restart(service, 1)


def test_f35_process_frozen_and_thawed(case: Case) -> None:
    service = case.chance.choice(SERVICES[:-1])
    work = case.begin()
    work.until_heard("submitted")
    pid = case.world.pids(service)[0]
    os.kill(pid, signal.SIGSTOP)
    try:
        case.pause(8.0)
    finally:
        os.kill(pid, signal.SIGCONT)
    case.balance(work)


@pytest.mark.parametrize("point", [ACK, PUBLISH], ids=["before an ack", "before a publish"])
def test_f35_frozen_until_others_have_its_work(case: Case, point: str) -> None:
    """The broker misses its heartbeats, and hands what it had to another; what it does when it thaws comes too late."""
    world, service = case.world, case.chance.choice(SERVICES[:-1])
    if service != "hasher":  # of which there are two
        world.start(service, 2)
    until_each_consumes(world)
    slow = world.points.arm(point, "before", "sleep:5", service=service, lasting=True)
    work = case.begin()
    pid = until(lambda: next(iter(slow.pids()), None), what=f"no {service} came by")
    os.kill(pid, signal.SIGSTOP)
    try:
        world.points.disarm()
        missed = len(world.pids(service)) - 1
        until(lambda: consumers(world, service) == missed, within_s=90, what="it was not missed")
        work.finish(within_s=90)
    finally:
        os.kill(pid, signal.SIGCONT)
    until_each_consumes(world)
    case.balance(work)
    if service != "hasher":
        world.retire(service, 2)
