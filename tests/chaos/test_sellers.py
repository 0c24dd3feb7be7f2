"""Sellers change their minds: files that are twins are cancelled and tried again while what works on them dies."""

from typing import Any

import httpx
import pytest

from tests.chaos.conftest import Case
from tests.chaos.failpoints import NAS_DIGEST, NAS_RENAME
from tests.chaos.work import Work
from tests.waiting import until

PAIRS = 4
VICTIMS = ("ingest", "dedup", "storage")
COME_AGAIN = {502, 503, 504}

# what holds the first file of a pair between its number and its name when it is cancelled
HOLDS = {
    "killed": (NAS_RENAME, "before", "kill"),
    "unreadable": (NAS_DIGEST, "before", "oserror:EIO"),
    "slow": (NAS_RENAME, "before", "sleep:3"),
}


@pytest.mark.parametrize("hold", HOLDS)
def test_f36_twins_cancelled_and_tried_again(case: Case, hold: str) -> None:
    """Of each pair one is stored, whichever was cancelled, when, and whoever died of it."""
    point, when, action = HOLDS[hold]
    shot = case.world.points.arm(point, when, action, "/UV 1", service="storage", skip=case.chance.randrange(2))
    files = [(f"twin-{place}.png", data) for place, (_, data) in enumerate(2 * case.files(PAIRS))]
    work = case.begin(files, listed=False)
    shot.wait()
    for place in [*numbered(work), *case.chance.sample(range(2 * PAIRS), 2)]:
        asked(case, work, f"/items/{item_id(work, place)}/cancel")
        case.world.kill(case.chance.choice(VICTIMS))
        case.world.revive()
    case.pause(1.0)
    asked(case, work, "/retry")
    work.finish()
    until(lambda: one_of_each_pair(work), what=f"not one of each pair is stored: {states(work)}")
    work.expected = {place: state for place, state in enumerate(states(work)) if state != "stored"}
    work.told_by_receipt()
    case.balance(work)


def asked(case: Case, work: Work, what: str) -> dict[str, Any]:
    """The server's answer to a seller who asks until there is one."""

    def ask() -> dict[str, Any] | None:
        case.world.revive()
        try:
            response = work.seller.http.post(f"/api/v1/sessions/{work.session_id}{what}")
        except httpx.TransportError:
            return None
        if response.status_code in COME_AGAIN:
            return None
        assert response.is_success, f"{what}: {response.status_code} {response.text}"
        return dict(response.json())

    return until(ask, what=f"{what} was never answered")


def item_id(work: Work, place: int) -> str:
    return next(str(row.id) for row in rows(work) if row.index == place)


def numbered(work: Work) -> list[int]:
    """What has its number at this moment and not its name."""
    query = """
        SELECT d."index" FROM storage.designs d JOIN ingest.sessions s ON s.id = d.session_id
        WHERE s.client_key = :key AND d.state = 'numbered'"""
    return [row.index for row in work.world.rows(query, key=work.session_id)]


def rows(work: Work) -> list[Any]:
    query = """
        SELECT i.id, i."index", i.state FROM ingest.items i JOIN ingest.sessions s ON s.id = i.session_id
        WHERE s.client_key = :key ORDER BY i."index" """
    return work.world.rows(query, key=work.session_id)


def states(work: Work) -> list[str]:
    return [row.state for row in rows(work)]


def one_of_each_pair(work: Work) -> bool:
    now = states(work)
    pairs = [sorted(pair) for pair in zip(now[:PAIRS], now[PAIRS:], strict=True)]
    return pairs == PAIRS * [["duplicate", "stored"]]
