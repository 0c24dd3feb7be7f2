"""The blob store's disk: what arrived long ago goes, what may still be wanted stays or comes back."""

import os
import time
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from services.ops import spent as ops_spent
from shared.blobs import Blobs
from tests.integration.ingest import artworks
from tests.integration.ingest.frontend import Shop
from tests.integration.ops.pipeline import System
from tests.integration.ops.test_replay import ended, placed

LONG_AGO = time.time() - 40 * 86_400


def blob_dir(system: System) -> Path:
    return Path(system.environment["BLOB_DIR"])


def blobs(system: System) -> set[str]:
    """The names of all blobs."""
    return {path.name for path in blob_dir(system).glob("[0-9a-f][0-9a-f]/*")}


def age(system: System, session: str) -> None:
    """As if all of this upload had happened forty days ago."""
    ago = "now() - interval '40 days'"
    with system.engine.begin() as connection:
        for change in (
            f"sessions SET finished_at = {ago} WHERE id = :id",
            f"items SET created_at = {ago}, updated_at = {ago} WHERE session_id = :id",
            f"listings SET updated_at = {ago} WHERE session_id = :id",
        ):
            connection.execute(text(f"UPDATE ingest.{change}"), {"id": session})
    for path in blob_dir(system).glob("[0-9a-f][0-9a-f]/*"):
        os.utime(path, (LONG_AGO, LONG_AGO))


def items(system: System, session: str, state: str) -> list[dict[str, Any]]:
    query = "SELECT * FROM ingest.items WHERE session_id = :id AND state = :state ORDER BY index"
    return system.rows(query, id=session, state=state)


@pytest.fixture
def listed(system: System, shop: Shop) -> str:
    """An upload of forty days ago: two designs listed, one failed, one a duplicate."""
    files = artworks.fresh(3)
    session = shop.start()
    with system.failing("storage.designs", placed(files[1][0])):
        designs = shop.uploaded([*files, ("again.png", files[0][1])], session)["designs"]
        system.letters(session)
    shop.have_listed([design["id"] for design in designs])
    assert ended(shop, session, stored=2, failed=1, duplicate=1, listed=2)["state"] == "finished"
    age(system, session)
    return session


def test_what_arrived_goes_and_what_failed_stays(system: System, shop: Shop, listed: str) -> None:
    before = blobs(system)
    said = system.command("spool", "sweep", "--dry-run").output
    assert "would be removed" in said
    assert blobs(system) == before
    system.command("spool", "sweep")
    gone = before - blobs(system)
    stored, (failed,) = items(system, listed, "stored"), items(system, listed, "failed")
    assert {design[name] for design in stored for name in ("sha256", "print_sha256")} <= gone
    assert failed["sha256"] in blobs(system)
    assert len(gone) == 2 * 2 + 2, "two uploads (the duplicate is one of them), their prints and their mockups"
    shop.client.post(f"/api/v1/sessions/{listed}/retry")
    assert ended(shop, listed, stored=3, failed=0)["state"], "it is tried again from what was kept"


def test_two_sweeps_at_a_time_both_come_to_their_end(
    system: System, shop: Shop, listed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored, gone = items(system, listed, "stored"), list[Path]()
    look = Path.stat

    def and_then_it_is_gone(path: Path, **how: bool) -> os.stat_result:
        found = look(path, **how)
        if path.name == stored[0]["sha256"] and path not in gone:
            gone.append(path)
            path.unlink()
        return found

    monkeypatch.setattr(Path, "stat", and_then_it_is_gone)
    system.command("spool", "sweep")
    assert len(gone) == 1
    assert not {design["sha256"] for design in stored} & blobs(system)


def test_a_copy_that_made_way_for_its_original_keeps_no_print(system: System, shop: Shop, listed: str) -> None:
    """It was hashed before its original, as it goes with two hashers, and accepted until that came."""
    (copy,), (original, _) = items(system, listed, "duplicate"), items(system, listed, "stored")
    accepted = """
        INSERT INTO dedup.verdicts (item_id, generation, tenant_id, session_id, index, hashed, accepted)
        SELECT item_id, generation - 1, tenant_id, session_id, index, hashed, '{}' FROM dedup.verdicts
        WHERE item_id = :id
    """
    with system.engine.begin() as connection:
        connection.execute(text("UPDATE dedup.verdicts SET generation = 1 WHERE item_id = :id"), {"id": copy["id"]})
        connection.execute(text(accepted), {"id": copy["id"]})
    system.command("spool", "sweep")
    assert original["print_sha256"] not in blobs(system)


def test_a_young_upload_keeps_the_bytes_that_an_old_one_has_no_more_use_for(
    system: System, shop: Shop, listed: str
) -> None:
    first = items(system, listed, "stored")[0]
    path = blob_dir(system) / first["sha256"][:2] / first["sha256"]
    os.utime(path)  # as when the same bytes come again, before their rows are there
    system.command("spool", "sweep")
    assert path.exists()


def test_a_design_whose_print_was_swept_is_listed_again_from_the_nas(system: System, shop: Shop, listed: str) -> None:
    system.command("spool", "sweep")
    first = items(system, listed, "stored")[0]
    assert first["print_sha256"] not in blobs(system)
    with system.engine.begin() as connection:
        connection.execute(text("UPDATE ingest.listings SET state = 'failed' WHERE item_id = :id"), {"id": first["id"]})
    shop.have_listed([str(first["id"])])
    assert first["print_sha256"] in blobs(system)


def test_what_no_row_names_goes_when_it_is_asked_for_and_nothing_else(system: System, shop: Shop, listed: str) -> None:
    """Ingest was killed between the bytes and their rows, and the client never came back."""
    store = Blobs(blob_dir(system))
    orphan, young = store.put(b"nobody's"), store.put(b"somebody's in a moment")
    os.utime(store.path(orphan), (LONG_AGO, LONG_AGO))
    system.command("spool", "sweep")
    assert orphan.sha256 in blobs(system)
    before = blobs(system)
    system.command("spool", "sweep", "--orphans")
    assert {orphan.sha256} <= before - blobs(system)
    assert young.sha256 in blobs(system)
    canonicals = system.rows("SELECT canonical_sha256 FROM dedup.hashes WHERE session_id = :id", id=listed)
    assert {row["canonical_sha256"] for row in canonicals} <= blobs(system)
    shop.client.post(f"/api/v1/sessions/{listed}/retry")
    assert ended(shop, listed, stored=3, failed=0)["state"], "it is tried again from what was kept"


def test_nothing_is_called_an_orphan_while_an_old_upload_is_in_work(system: System, shop: Shop, listed: str) -> None:
    """What it needs may be named by a message only."""
    store = Blobs(blob_dir(system))
    orphan = store.put(b"nobody's, it seems")
    os.utime(store.path(orphan), (LONG_AGO, LONG_AGO))
    back = "UPDATE ingest.sessions SET state = :state, announced_at = now() - interval '40 days' WHERE id = :id"
    for state, stays in (("working", True), ("finished", False)):
        with system.engine.begin() as connection:
            connection.execute(text(back), {"id": listed, "state": state})
        system.command("spool", "sweep", "--orphans")
        assert (orphan.sha256 in blobs(system)) is stays


def test_a_near_copy_that_waits_for_a_decision_keeps_its_bytes(system: System, shop: Shop) -> None:
    (design,) = artworks.fresh(1)
    shop.uploaded([design])
    sessions = [shop.start(), shop.start()]
    for number, (session, policy) in enumerate(zip(sessions, ("review", "skip_near"), strict=True)):
        shop.upload([artworks.copy_of(design, "darker.png", 0.96 - 0.02 * number)], session, duplicates=policy)
        ended(shop, session, duplicate=1)
        age(system, session)
    system.command("spool", "sweep")
    waiting, unasked = sessions
    for session, status in ((waiting, 200), (unasked, 409)):
        wish = {"decisions": [{"item_id": shop.items(session)[0]["item_id"], "decision": "keep"}]}
        answer = shop.client.post(f"/api/v1/sessions/{session}/review", json=wish)
        assert answer.status_code == status, answer.text
    assert "its bytes are no longer on the server" in answer.json()["detail"]
    assert "its bytes are no longer on the server" in system.command("review", unasked, "--keep", "1", code=1).output
    ended(shop, waiting, stored=1)
    assert shop.items(unasked)[0]["state"] == "duplicate"


def test_what_is_asked_for_while_it_is_swept_stays(system: System, shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """A sweep has found that nobody needs an upload any more; before it goes, its seller keeps it after all."""
    (design,) = artworks.fresh(1)
    shop.uploaded([design])
    session = shop.start()
    shop.upload([artworks.copy_of(design, "darker.png", 0.96)], session, duplicates="skip_near")
    ended(shop, session, duplicate=1)
    age(system, session)
    (copy,) = items(system, session, "duplicate")
    find = ops_spent.spent

    def overtaken(*given: Any) -> list[str]:
        found = find(*given)
        wish = {"decisions": [{"item_id": str(copy["id"]), "decision": "keep"}]}
        answer = shop.client.post(f"/api/v1/sessions/{session}/review", json=wish)
        assert (answer.status_code, copy["sha256"] in found) == (200, True), answer.text
        return found

    monkeypatch.setattr(ops_spent, "spent", overtaken)
    system.command("spool", "sweep")

    assert copy["sha256"] in blobs(system), "nobody else has the bytes of an upload that was never stored"
    ended(shop, session, stored=1)
