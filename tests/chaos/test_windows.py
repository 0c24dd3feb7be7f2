"""A process dies between a commit, a publish and an ack: the windows that the order of effects has to survive."""

import pytest

from tests.chaos.conftest import Case
from tests.chaos.failpoints import ACK, DECIDE, PUBLISH, SUBMIT

# who dies, over which message, and what it had committed before
WINDOWS = {
    "hasher": "BatchSubmitted",
    "dedup": "ImageHashed",
    "storage": "ImageAccepted",
    "ingest": "DesignStored",
    "mockup": "MockupsRequested",
    "publisher": "MockupsRendered",
}


SHORT = {"storage"}  # of this fault, what runs with the ordinary tests


@pytest.mark.parametrize(
    "service", [pytest.param(name, marks=pytest.mark.chaos_short if name in SHORT else ()) for name in WINDOWS]
)
def test_f2_killed_between_commit_and_ack(case: Case, service: str) -> None:
    shot = case.world.points.arm(
        ACK, "before", "kill", f'"{WINDOWS[service]}"', service=service, skip=case.chance.randrange(2)
    )
    work = case.begin()
    case.balance(work)
    shot.wait()


@pytest.mark.parametrize("service", ["hasher", "dedup", "storage", "mockup", "publisher"])
def test_f2_killed_between_commit_and_publish(case: Case, service: str) -> None:
    shot = case.world.points.arm(PUBLISH, "before", "kill", service=service, skip=case.chance.randrange(4))
    work = case.begin()
    case.balance(work)
    shot.wait()


def test_f3_killed_between_outbox_and_publish(case: Case) -> None:
    shot = case.world.points.arm(PUBLISH, "before", "kill", '"BatchSubmitted"', service="ingest")
    work = case.begin()
    case.balance(work)
    shot.wait()


def test_f4_killed_between_confirm_and_mark(case: Case) -> None:
    shot = case.world.points.arm(PUBLISH, "after", "kill", '"BatchSubmitted"', service="ingest")
    work = case.begin()
    case.balance(work)
    shot.wait()


def test_f5_killed_between_retry_and_ack(case: Case) -> None:
    case.world.points.arm(DECIDE, "before", "raise:shared.errors:Retryable")
    shot = case.world.points.arm(PUBLISH, "after", "kill", "presswork.retry", service="dedup")
    work = case.begin()
    case.balance(work)
    shot.wait()


def test_f6_ingest_killed_between_blobs_and_commit(case: Case) -> None:
    shot = case.world.points.arm(SUBMIT, "before", "kill", service="ingest")
    work = case.begin()
    case.balance(work)
    shot.wait()
    assert work.refusals[0] >= 1
    sessions = case.world.rows("SELECT id FROM ingest.sessions WHERE user_id = :user", user=work.seller.user_id)
    assert len(sessions) == 1


@pytest.mark.chaos_short
def test_f7_ingest_killed_between_commit_and_answer(case: Case) -> None:
    shot = case.world.points.arm(SUBMIT, "after", "kill", service="ingest")
    work = case.begin()
    case.balance(work)
    shot.wait()
    assert work.refusals[0] >= 1
    sessions = case.world.rows("SELECT id FROM ingest.sessions WHERE user_id = :user", user=work.seller.user_id)
    assert len(sessions) == 1
