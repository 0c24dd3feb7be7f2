"""The database dies or is away."""

import threading
import time

import httpx
import pytest

from services.ingest.settings import Settings
from services.ingest.sweeping import SWEEP_EVERY_S
from tests.chaos import broker_control as control
from tests.chaos.conftest import Case
from tests.chaos.world import wait_s
from tests.waiting import until

GRACE_S = float(Settings.model_fields["listing_grace_seconds"].default)
"""How long a session without listings waits for somebody to ask for them."""


@pytest.mark.chaos_short
def test_f11_postmaster_killed_in_a_commit_storm(case: Case) -> None:
    works = [case.begin(case.files(12)), case.begin(case.files(12))]
    works[0].until_heard("submitted")
    case.pause(1.5)
    case.world.database.kill()
    case.world.database.start()
    case.balance(*works)


def test_f12_away(case: Case) -> None:
    work = case.begin(case.files(12))
    work.until_heard("submitted")
    case.pause(1.0)
    case.world.database.proxy.refuse()
    try:
        until(lambda: case.world.state().get("database") == "away")
        wait_s(1)  # the broker counts every half second
        before = control.repeated(case.world.broker)
        stays_unready(case, case.outage_s())
        assert control.repeated(case.world.broker) == before, "what waits for the database came again, or was put aside"
    finally:
        case.world.database.proxy.accept()
    case.balance(work)


def test_f12_away_before_listings_are_asked_for(case: Case) -> None:
    """An outage longer than the time that a seller has for it takes nothing of that time."""
    back = threading.Event()
    work = case.begin(case.files(3), before_listing=back.wait)
    try:
        work.until_heard("stored", 3)
        case.world.database.proxy.refuse()
        try:
            until(lambda: case.world.state().get("database") == "away")
            stays_unready(case, GRACE_S)
        finally:
            case.world.database.proxy.accept()
        case.world.until_ready()
        wait_s(2 * SWEEP_EVERY_S)  # so that ingest looks for what it can end before the seller asks
    finally:
        back.set()
    case.balance(work)


def stays_unready(case: Case, seconds: float) -> None:
    """Let the outage last; whoever asks for readiness meanwhile hears that there is none."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        answer = httpx.get(f"{case.world.base_url}/ready", trust_env=False, timeout=20)
        assert (answer.status_code, answer.json()["database"]) == (503, "away")
        wait_s(0.5)
