"""The ledger sees what it is there to see: books are falsified one after the other, and it must say so each time."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from tests.chaos.conftest import Case, Worlds
from tests.chaos.findings import Finding
from tests.chaos.ledger import Books, Ledger
from tests.chaos.work import Work
from tests.chaos.world import World

pytestmark = pytest.mark.chaos_short

FALSE_ROWS = {
    "lost": "UPDATE ingest.items SET state = 'accepted' WHERE id = :item",
    "gap": "DELETE FROM ingest.session_events WHERE seq = 3 AND session_id = :session",
    "wrong": "UPDATE ingest.sessions SET stored = stored + 1 WHERE id = :session",
    "doubled": """
        WITH grown AS (UPDATE ingest.sessions SET last_seq = last_seq + 1 WHERE id = :session RETURNING last_seq)
        INSERT INTO ingest.session_events (session_id, seq, type, item_id, payload)
        SELECT session_id, grown.last_seq, type, item_id, payload || '{"percent": 100}'
        FROM ingest.session_events, grown WHERE session_id = :session AND item_id = :item AND type = 'listed'""",
    "owed": """
        INSERT INTO ingest.outbox (id, lane, session_id, type, data)
        VALUES (gen_random_uuid(), 'comprehensive', :session, 'BatchSubmitted', '{}')""",
}


@pytest.fixture(scope="module")
def finished(worlds: Worlds) -> Iterator[Work]:
    """An upload that nothing happened to."""
    world = worlds.current()
    case = Case(world, "ledger")
    work = case.begin(case.files(4))
    case.balance(work)
    yield work
    world.works.remove(work)  # its books are false now


def findings(work: Work) -> list[Finding]:
    return Books(work.world, work).findings()


def kinds(work: Work) -> set[str]:
    return {finding.kind for finding in findings(work)}


def a_file(work: Work) -> Path:
    item = work.seller.receipt(work.session_id)["items"][1]
    return work.world.nas / item["path"]


def test_books_of_an_undisturbed_upload_agree(finished: Work) -> None:
    Ledger(finished.world).balance(finished)


@pytest.mark.parametrize("kind", FALSE_ROWS)
def test_a_false_row_is_found(finished: Work, kind: str) -> None:
    query = """
        SELECT i.id, s.id FROM ingest.items i JOIN ingest.sessions s ON s.id = i.session_id
        WHERE s.client_key = :key ORDER BY i.index LIMIT 1"""
    item, session = finished.world.rows(query, key=finished.session_id)[0]
    with finished.world.engine.connect() as connection:
        connection.execute(text(FALSE_ROWS[kind]), {"session": session, "item": item})
        # read through the same transaction, which is never committed
        seen = Books(_Within(finished.world, connection), finished).findings()  # type: ignore[arg-type]
        connection.rollback()
    assert {"owed": "lost"}.get(kind, kind) in {finding.kind for finding in seen}
    assert findings(finished) == []


def test_a_missing_and_a_changed_file_are_found(finished: Work) -> None:
    path = a_file(finished)
    content = path.read_bytes()
    path.unlink()
    assert kinds(finished) == {"lost"}
    path.write_bytes(content[:-1])
    assert kinds(finished) == {"lost"}
    path.write_bytes(content)
    assert kinds(finished) == set()


def test_two_designs_that_changed_places_are_found_though_every_row_agrees(finished: Work) -> None:
    one, other = (
        finished.world.nas / item["path"] for item in finished.seller.receipt(finished.session_id)["items"][:2]
    )
    swap = """
        UPDATE {table} AS mine SET {column} = other.{column} FROM {table} AS other, ingest.sessions s
        WHERE s.client_key = :key AND mine.session_id = s.id AND other.session_id = s.id
        AND mine.index < 2 AND other.index = 1 - mine.index"""
    contents = one.read_bytes(), other.read_bytes()
    with finished.world.engine.connect() as connection:
        for table, column in (("ingest.items", "print_sha256"), ("storage.designs", "sha256")):
            connection.execute(text(swap.format(table=table, column=column)), {"key": finished.session_id})
        one.write_bytes(contents[1])
        other.write_bytes(contents[0])
        seen = Books(_Within(finished.world, connection), finished).findings()  # type: ignore[arg-type]
        connection.rollback()
    one.write_bytes(contents[0])
    other.write_bytes(contents[1])
    assert [(finding.kind, "not what was uploaded" in finding.words) for finding in seen] == 2 * [("wrong", True)]
    assert findings(finished) == []


def test_a_second_copy_is_found(finished: Work) -> None:
    path = a_file(finished)
    copy = path.with_name("UV 999 UVDTF_16oz_999.png")
    shutil.copy(path, copy)
    assert kinds(finished) == {"doubled"}
    copy.unlink()


def test_a_second_and_an_empty_listing_are_found(finished: Work) -> None:
    item = finished.seller.receipt(finished.session_id)["items"][0]
    folder = finished.world.running.listings_dir / item["listing_id"]
    copy = folder.with_name("again")
    shutil.copytree(folder, copy)
    assert "doubled" in kinds(finished)
    shutil.rmtree(copy)
    shutil.move(folder / "images", folder / "elsewhere")
    assert kinds(finished) == {"lost"}
    shutil.move(folder / "elsewhere", folder / "images")
    assert kinds(finished) == set()


class _Within:
    """The world as one open transaction sees it."""

    def __init__(self, world: World, connection: object) -> None:
        self._world, self._connection = world, connection

    def __getattr__(self, name: str) -> object:
        return getattr(self._world, name)

    def rows(self, query: str, **values: object) -> list[object]:
        return list(self._connection.execute(text(query), values))  # type: ignore[attr-defined]
