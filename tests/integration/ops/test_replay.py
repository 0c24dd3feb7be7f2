"""A service gives up, somebody mends the cause and replays: the files go on to where they were to go."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tests.integration.ingest import artworks
from tests.integration.ingest.artworks import print_names
from tests.integration.ingest.embedded import eventually
from tests.integration.ingest.frontend import Shop
from tests.integration.ops.pipeline import System


def sound(shop: Shop, session: str) -> dict[str, Any]:
    """The receipt of a session, whose events have no gap and whose counts add up."""
    receipt = shop.get(session, "/receipt")
    parts = ("stored", "duplicate", "rejected", "failed", "in_progress")
    assert receipt["received"] == sum(receipt[part] for part in parts)
    events = shop.get(session, "/events?limit=5000")["events"]
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    return receipt


def ended(shop: Shop, session: str, **wanted: int) -> dict[str, Any]:
    """The receipt, once it says so."""

    def look() -> dict[str, Any] | None:
        receipt = sound(shop, session)
        return receipt if all(receipt[name] == count for name, count in wanted.items()) else None

    found: dict[str, Any] = eventually(look)
    return found


def placed(*names: str) -> str:
    """When storage is to fail: as soon as one of these files lies on the NAS."""
    return f"NEW.state = 'placed' AND NEW.filename IN ({', '.join(repr(name) for name in names)})"


def test_what_storage_gave_up_is_replayed_to_its_end_once_the_cause_is_mended(system: System, shop: Shop) -> None:
    files = artworks.fresh(4)
    broken = files[1][0]
    session = shop.start()
    with system.failing("storage.designs", placed(broken)):
        designs = shop.uploaded(files, session)["designs"]
        assert len(designs) == 3
        (letter,) = system.letters(session)
    assert shop.list_designs([design["id"] for design in designs]).json()["success"]
    before = ended(shop, session, stored=3, failed=1, listed=3)
    assert before["state"] == "finished"
    assert "storage gave up" in before["items"][1]["reason"]
    said = system.command("dead", "replay", "--session", session, "--yes", "--wait").output
    assert f"{broken} is being worked on again" in said
    after = ended(shop, session, stored=4, failed=0)
    assert after["items"][1]["number"] == 103, "a replayed failure takes the next free number"
    assert system.server.place.designs(shop.folder) == print_names(100, 101, 102, 103)
    assert [row["status"] for row in system.letters(session)] == ["resolved"]
    assert letter["id"] == system.letters(session)[0]["id"]
