"""Rows are locked in the order that docs/reliability.md tells: whoever waits has nothing that the one ahead wants.

Most of these hold the row that comes first, let the code under test wait for it, and then take the row that comes last.
Were the code to have that one by then, PostgreSQL would find a circle and end one of the two.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Barrier, Lock
from typing import Any, TypeVar
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Column, Connection, Engine, Executable, event, insert, make_url, select, text, update

from services.ingest.imports.designs import OldDesigns
from services.ingest.imports.ledger import Outcome
from services.ingest.sessions.intake import submitting
from services.ingest.sessions.intake.listing_requests import GONE
from services.ingest.sessions.lifecycle.records import Session, Wanted
from services.ingest.sessions.progress.delays import EVERYBODY, Delays
from services.ingest.sessions.recovery.takeovers import AtWork
from services.ingest.sessions.serving.store import Sessions
from services.ingest.sessions.tables import delays, items, listings, sessions
from services.ingest.tables import mockups
from shared.contracts import ImageHashed, UploadedFile, WorkDelayed
from shared.database import engine_of, transaction
from tests.integration.ops.letterbox import Letterbox
from tests.integration.uploads import (
    LISTING,
    MOCKUP,
    PREPARED,
    TEMPLATE,
    USER,
    about,
    account,
    choice,
    listed,
    project,
    received,
    stored,
    submitted,
)
from tests.waiting import somebody_waits, until

T = TypeVar("T")


def as_they_lie(database_url: str) -> Iterator[Engine]:
    """Where nobody says in which order, rows are locked as they lie in the table: no index happens to sort them."""
    unsorted = {"options": "-c enable_indexscan=off -c enable_bitmapscan=off"}
    made = engine_of(make_url(database_url).update_query_dict(unsorted).render_as_string(False), pool_size=8)
    yield made
    made.dispose()


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    yield from as_they_lie(database_url)


@pytest.fixture
def store(engine: Engine) -> Sessions:
    return Sessions(engine, hashers=2)


@pytest.fixture
def box(engine: Engine) -> Letterbox:
    return Letterbox(engine, USER)


def row(column: Column[Any], value: object) -> Executable:
    return select(column).where(column == value).with_for_update()


def between(engine: Engine, first: Executable, work: Callable[[], T], last: Executable) -> T:
    """What `work` returns, which waits for what is `first` locked, by somebody who takes the `last` as well."""
    with ThreadPoolExecutor(1) as pool:
        with transaction(engine) as connection:
            connection.execute(first)
            asked = pool.submit(work)
            until(lambda: asked.done() or somebody_waits(engine))
            connection.execute(last)
        return asked.result(30)


@contextmanager
def before_each(engine: Engine, beginning: str, ending: str, do: Callable[[], object]) -> Iterator[None]:
    """Have something done before each statement that begins and ends so."""

    def look(_: Connection, __: Any, statement: str, *___: object) -> None:
        if statement.startswith(beginning) and statement.rstrip().endswith(ending):
            do()

    event.listen(engine, "before_cursor_execute", look)
    try:
        yield
    finally:
        event.remove(engine, "before_cursor_execute", look)


def two_uploads(engine: Engine, store: Sessions) -> list[tuple[Session, UploadedFile]]:
    """Each with a stored design; in the order of their sessions' ids."""
    found = sorted((submitted(store, "a.png") for _ in range(2)), key=lambda each: each[0].id)
    for session, (file,) in found:
        project(engine, *stored(session, file))
    return [(session, file) for session, (file,) in found]


def wanted(mockup_id: UUID = MOCKUP) -> Wanted:
    return Wanted("NorthCups", LISTING, mockup_id, ())


def test_listings_of_one_upload_are_asked_for_at_the_same_moment(engine: Engine, store: Sessions) -> None:
    session, files = submitted(store, "a.png", "b.png")
    project(engine, *stored(session, files[0]), *stored(session, files[1]))
    together = Barrier(2, timeout=10)  # both have their rows of listings, which refer to the session's

    def ask(file: UploadedFile) -> list[UUID]:
        return store.ask_listings(USER, [file.item_id], wanted())

    with before_each(engine, "SELECT ingest.sessions.id", "UPDATE", together.wait), ThreadPoolExecutor(2) as pool:
        assert list(pool.map(ask, files)) == [[file.item_id] for file in files]
    assert account(engine, store, session.id).totals.requested == 2


def test_listings_that_are_gone_lock_their_uploads_in_order(engine: Engine, store: Sessions) -> None:
    low, high = two_uploads(engine, store)
    for session, file in (high, low):  # so lie their rows
        store.ask_listings(USER, [file.item_id], wanted())
        project(engine, *listed(session, file))
    as_at_etsy(engine, {file.item_id: str(place) for place, (_, file) in enumerate((high, low))})
    first, last = (row(sessions.c.id, session.id) for session, _ in (low, high))
    between(engine, first, lambda: store.gone(USER, ["0", "1"]), last)
    with engine.connect() as connection:
        assert set(connection.execute(select(listings.c.reason)).scalars()) == {GONE}


def test_listings_that_are_gone_are_locked_in_order(engine: Engine, store: Sessions) -> None:
    session, (file,) = submitted(store, "a.png")
    project(engine, *stored(session, file))
    low, high = sorted((uuid4(), uuid4()))
    for mockup_id in (high, low):
        store.ask_listings(USER, [file.item_id], wanted(mockup_id))
    with transaction(engine) as connection:
        at_etsy = {"state": "listed", "target": "etsy:1", "listing_id": "7"}
        for mockup_id in (high, low):
            connection.execute(update(listings).where(listings.c.mockup_id == mockup_id).values(**at_etsy))
        connection.execute(update(sessions).values(listed=2))
    first, last = (row(listings.c.mockup_id, mockup_id) for mockup_id in (low, high))
    between(engine, first, lambda: store.gone(USER, ["7"]), last)


def as_at_etsy(engine: Engine, ids: dict[UUID, str]) -> None:
    with transaction(engine) as connection:
        for item_id, listing_id in ids.items():
            there = {"target": "etsy:1", "listing_id": listing_id}
            connection.execute(update(listings).where(listings.c.item_id == item_id).values(**there))


def test_an_upload_that_is_cancelled_while_it_is_submitted_waits_for_its_files_with_nothing_in_hand(
    engine: Engine, store: Sessions
) -> None:
    """One of them is hashed in the moment in which the cancellation has the session's row, and wants it, too."""
    with transaction(engine) as connection:
        announced = submitting.create(connection, uuid4(), USER, "key", 1, 1000)
    hashing: list[Any] = []
    begun = Lock()

    def hash_the_file() -> None:
        if not begun.acquire(blocking=False):  # the event's own statement may come before its future is at hand
            return
        with engine.connect() as connection:
            held = connection.execute(select(items).where(items.c.session_id == announced.id)).one()
        file = UploadedFile(item_id=held.id, index=0, filename=held.filename, upload=PREPARED["upload"])
        hashing.append(pool.submit(project, engine, ImageHashed(**about(announced, file), **PREPARED)))
        until(lambda: hashing[0].done() or somebody_waits(engine))

    locks_the_files = before_each(engine, "SELECT ingest.items.id", "ingest.items.index FOR UPDATE", hash_the_file)
    with locks_the_files, ThreadPoolExecutor(2) as pool:
        with transaction(engine) as connection:
            connection.execute(row(sessions.c.id, announced.id))
            cancelled = pool.submit(store.cancel, USER, announced.id, None)
            until(lambda: somebody_waits(engine))
            submitting.submit(connection, 2, USER, "key", choice(), received("a.png"), "comprehensive")
        assert cancelled.result(30)
        hashing[0].result(30)
    assert account(engine, store, announced.id).totals.failed == 1


def test_a_process_that_rests_from_one_upload_and_begins_another_locks_them_in_order(
    engine: Engine, store: Sessions
) -> None:
    low, high = sorted(submitted(store, "a.png", lane="original")[0].id for _ in range(2))
    at_work = AtWork(engine)
    at_work.note([high])
    between(engine, row(sessions.c.id, low), lambda: at_work.note([low]), row(sessions.c.id, high))
    assert at_work.sessions == {low}


def test_uploads_that_end_lock_their_mockup_groups_in_order(engine: Engine, store: Sessions) -> None:
    session, (file,) = submitted(store, "a.png")
    project(engine, *stored(session, file))
    low, high = sorted((uuid4(), uuid4()))
    with transaction(engine) as connection:
        connection.execute(text("SET LOCAL session_replication_role = replica"))  # whose they are does not matter here
        group = {"user_id": USER, "product_template_id": TEMPLATE, "name": "mug"}
        for mockup_id in (high, low):  # so lie their rows
            connection.execute(insert(mockups).values(**group, id=mockup_id))
    for mockup_id in (low, high):
        store.ask_listings(USER, [file.item_id], wanted(mockup_id))

    def finish() -> None:
        for mockup_id in (low, high):
            project(engine, *(each.model_copy(update={"mockup_id": mockup_id}) for each in listed(session, file)))

    between(engine, row(mockups.c.id, low), finish, row(mockups.c.id, high))
    with engine.connect() as connection:
        assert set(connection.execute(select(mockups.c.starting_name)).scalars()) == {101}


def test_what_is_told_again_and_what_was_told_long_ago_are_changed_apart(engine: Engine) -> None:
    long_ago = text("clock_timestamp() - interval '2 hours'")
    with transaction(engine) as connection:
        for service, until_when in (("dedup", long_ago), ("hasher", text("clock_timestamp()"))):
            row_ = {"service": service, "session_id": EVERYBODY, "cause": "OSError", "until": until_when}
            connection.execute(insert(delays).values(**row_))
    told = WorkDelayed(service="hasher", session_id=None, cause="OSError: again")
    first, last = (row(delays.c.service, service) for service in ("hasher", "dedup"))
    between(engine, first, lambda: Delays(engine).note(told), last)
    Delays(engine).note(told)
    with engine.connect() as connection:
        assert connection.execute(select(delays.c.service)).scalars().all() == ["hasher"], "the old one is forgotten"


def test_an_import_locks_designs_in_the_order_in_which_their_seller_does(engine: Engine, store: Sessions) -> None:
    _, files = submitted(store, "a.png", "b.png")
    with transaction(engine) as connection:
        for file in reversed(files):  # so lie their rows
            connection.execute(update(items).where(items.c.id == file.item_id).values(number=file.index))

    def plan() -> Counter[Outcome]:
        with transaction(engine) as connection:
            rows = [{"id": file.item_id, "number": 7} for file in files]
            return Counter(OldDesigns(connection, USER, "comprehensive").plan(rows).values())

    first, last = (row(items.c.id, file.item_id) for file in files)
    assert between(engine, first, plan, last) == {Outcome.KEPT: 2}
