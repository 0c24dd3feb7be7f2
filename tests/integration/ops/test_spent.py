"""Whose use has ended among the prints, where two files have the same one. Rows only."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Engine, insert, update

from services.dedup.tables import verdicts
from services.ingest.sessions.tables import items, listings, sessions
from services.ops.spent import spent
from services.storage.tables import designs, scanned
from shared.database import transaction
from tests.integration.ops.letterbox import Letterbox

PRINT = "cd" * 32
LONG_AGO = datetime.now(UTC) - timedelta(days=40)
A_MONTH_AGO = datetime.now(UTC) - timedelta(days=30)


@pytest.fixture
def listed(engine: Engine, box: Letterbox) -> UUID:
    """A design that was stored and listed forty days ago."""
    session = box.submitted("rose.png")
    item_id: UUID = box.about(session, 0)["item_id"]
    listing = {"item_id": item_id, "mockup_id": uuid4(), "session_id": session.id, "user_id": box.tenant}
    listing |= {"template_id": uuid4(), "state": "listed", "request": {}, "updated_at": LONG_AGO}
    with transaction(engine) as connection:
        connection.execute(insert(listings).values(listing))
        stored = {"state": "stored", "print_sha256": PRINT, "print_size": 1, "updated_at": LONG_AGO}
        connection.execute(update(items).where(items.c.id == item_id).values(stored))
        ended = {"state": "finished", "finished_at": LONG_AGO}
        connection.execute(update(sessions).where(sessions.c.id == session.id).values(ended))
    return item_id


def is_spent(engine: Engine) -> bool:
    """Whether the print may go."""
    with transaction(engine) as connection:
        return PRINT in spent(connection, A_MONTH_AGO)


def judged(engine: Engine, box: Letterbox, item_id: UUID, matched: UUID | None = None) -> None:
    """Dedup has decided about a file that came to the same print."""
    row = {"item_id": item_id, "generation": 0, "tenant_id": box.tenant, "session_id": uuid4(), "index": 0}
    row |= {"hashed": {"print_file": {"sha256": PRINT, "size": 1}}, "matched_item_id": matched}
    with transaction(engine) as connection:
        connection.execute(insert(verdicts).values(row))


def test_a_print_goes_when_all_of_its_listings_are_made(engine: Engine, listed: UUID) -> None:
    assert listed
    assert is_spent(engine)


def test_a_print_that_a_file_in_work_came_to_as_well_stays(engine: Engine, box: Letterbox, listed: UUID) -> None:
    """It was remembered and not made anew, and the NAS has been away since."""
    judged(engine, box, listed)
    assert is_spent(engine), "its own verdict needs it no more"
    judged(engine, box, box.about(box.submitted("again.png"), 0)["item_id"])
    assert not is_spent(engine)


@pytest.mark.parametrize(
    ("state", "stays"), [("accepted", True), ("placed", True), ("numbered", True), ("stored", False)]
)
def test_a_print_that_storage_has_yet_to_bring_to_the_nas_stays(
    engine: Engine, listed: UUID, state: str, *, stays: bool
) -> None:
    row = {"item_id": uuid4(), "tenant_id": uuid4(), "session_id": uuid4(), "index": 0, "generation": 0}
    with transaction(engine) as connection:
        connection.execute(insert(designs).values(row | {"filename": "rose.png", "state": state, "sha256": PRINT}))
    assert listed
    assert is_spent(engine) is not stays


@pytest.mark.parametrize(("state", "stays"), [("requested", True), ("rendered", True), ("failed", False)])
def test_a_print_that_is_the_photograph_of_a_listing_in_work_stays(
    engine: Engine, box: Letterbox, listed: UUID, state: str, *, stays: bool
) -> None:
    """Its group may have another photograph by now."""
    session = box.submitted("another.png")
    listing = {"item_id": box.about(session, 0)["item_id"], "mockup_id": uuid4(), "session_id": session.id}
    listing |= {"user_id": box.tenant, "template_id": uuid4(), "state": state}
    with transaction(engine) as connection:
        request = {"backgrounds": [{"image": {"sha256": PRINT, "size": 1}}]}
        connection.execute(insert(listings).values(listing | {"request": request}))
    assert listed
    assert is_spent(engine) is not stays


@pytest.mark.parametrize(("state", "stays"), [("sent", True), ("known", False)])
def test_a_print_whose_bytes_lie_on_the_nas_too_stays_while_a_hasher_reads_them(
    engine: Engine, listed: UUID, state: str, *, stays: bool
) -> None:
    row = {"path": "a/copy.png", "tenant_id": uuid4(), "size": 1, "modified_ns": 1, "turn": 0}
    with transaction(engine) as connection:
        connection.execute(insert(scanned).values(row | {"state": state, "copied": PRINT}))
    assert listed
    assert is_spent(engine) is not stays


@pytest.mark.parametrize(("state", "stays"), [("stored", False), ("failed", True)])
def test_a_duplicates_print_stays_while_its_original_may_fail(
    engine: Engine, box: Letterbox, listed: UUID, state: str, *, stays: bool
) -> None:
    session = box.submitted("original.png", "copy.png")
    original, copy = (box.about(session, index)["item_id"] for index in range(2))
    judged(engine, box, copy, original)
    with transaction(engine) as connection:
        for item_id, end in ((original, state), (copy, "duplicate")):
            ended = {"state": end, "updated_at": LONG_AGO}
            connection.execute(update(items).where(items.c.id == item_id).values(ended))
        ended = {"state": "finished", "finished_at": LONG_AGO}
        connection.execute(update(sessions).where(sessions.c.id == session.id).values(ended))
    assert listed
    assert is_spent(engine) is not stays
