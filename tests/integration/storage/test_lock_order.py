"""Who changes several designs in one transaction locks them in the order of their ids (docs/reliability.md)."""

from collections.abc import Iterator
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Engine, Executable, insert, make_url, select, update

from services.storage.comparing import Listing
from services.storage.design import Design
from services.storage.scan_rows import Scanned
from services.storage.store import Designs, _Named
from services.storage.tables import designs, scanned
from shared.contracts import ShopScanRequested
from shared.database import engine_of, transaction
from tests.integration.ingest.test_lock_order import as_they_lie, between, row
from tests.integration.storage.workshop import Upload, Workshop


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """As in a table of many designs, each is found by its id, and not by reading all of them."""
    many = {"options": "-c enable_seqscan=off -c enable_hashjoin=off -c enable_mergejoin=off"}
    made = engine_of(make_url(database_url).update_query_dict(many).render_as_string(False), pool_size=8)
    yield made
    made.dispose()


@pytest.fixture
def unsorted(database_url: str) -> Iterator[Engine]:
    yield from as_they_lie(database_url)


@pytest.fixture
def workshop(engine: Engine, tmp_path: Path) -> Workshop:
    return Workshop(engine, tmp_path)


def numbered(engine: Engine, workshop: Workshop, count: int) -> list[Design]:
    """Of one upload, in the order of their ids; all answered for by the message of the last."""
    upload = Upload()
    events = [workshop.accepted(upload, index) for index in range(count)]
    store = Designs(engine)
    for each in events:
        assert store.accept(each)
    by_id = sorted(events, key=lambda each: each.item_id)
    with transaction(engine) as connection:
        for number, each in reversed([*enumerate(by_id)]):  # so lie their rows
            of = {"state": "numbered", "number": number, "cause_type": "ImageAccepted", "cause_generation": 0}
            of |= {"cause_item_id": by_id[-1].item_id}
            connection.execute(update(designs).where(designs.c.item_id == each.item_id).values(**of))
    return [Design(each, "numbered", number) for number, each in enumerate(by_id)]


def ends(found: list[Design]) -> list[Executable]:
    return [row(designs.c.item_id, design.event.item_id) for design in found]


def test_designs_that_are_stored_together_are_locked_in_order(engine: Engine, workshop: Workshop) -> None:
    found = numbered(engine, workshop, 2)
    first, last = ends(found)
    named = [_Named(design) for design in reversed(found)]
    between(engine, first, lambda: Designs(engine)._store_all(named), last)
    assert [each.is_stored for each in named] == [True, True]


def test_designs_that_a_message_takes_over_are_locked_in_order(engine: Engine, workshop: Workshop) -> None:
    found = numbered(engine, workshop, 2)
    first, last = ends(found)
    again = found[-1].event.model_copy(update={"generation": 1})
    between(engine, first, lambda: Designs(engine).adopt(again), last)
    with engine.connect() as connection:
        assert set(connection.execute(select(designs.c.cause_generation)).scalars()) == {1}


@pytest.fixture
def in_hand(engine: Engine) -> tuple[UUID, UUID]:
    """Two files of a seller that a scan has sent to the hashers: whose they are, and the scan. The last lies first."""
    tenant, cause = uuid4(), uuid4()
    sent = {"tenant_id": tenant, "cause": cause, "state": "sent", "size": 1, "modified_ns": 1, "turn": 0}
    with transaction(engine) as connection:
        for path in ("s/b.png", "s/a.png"):
            connection.execute(insert(scanned).values(**sent, path=path, ticket=uuid4()))
    return tenant, cause


def paths() -> list[Executable]:
    return [row(scanned.c.path, path) for path in ("s/a.png", "s/b.png")]


def test_files_that_are_put_back_are_locked_in_order(unsorted: Engine, in_hand: tuple[UUID, UUID]) -> None:
    _, cause = in_hand
    first, last = paths()
    between(unsorted, first, lambda: Scanned(unsorted, 5).put_back(cause, ()), last)
    with unsorted.connect() as connection:
        assert set(connection.execute(select(scanned.c.state)).scalars()) == {"waiting"}


def test_files_that_a_repeated_scan_answers_for_are_locked_in_order(
    unsorted: Engine, in_hand: tuple[UUID, UUID]
) -> None:
    tenant, _ = in_hand
    scan = ShopScanRequested(tenant_id=tenant, shop="s", scan_id=uuid4())
    rows, nothing = Scanned(unsorted, 5), Listing({}, {})
    rows.note(scan, nothing)
    first, last = paths()
    between(unsorted, first, lambda: rows.note(scan, nothing), last)
    with unsorted.connect() as connection:
        assert set(connection.execute(select(scanned.c.cause)).scalars()) == {scan.scan_id}
