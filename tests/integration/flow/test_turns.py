"""Whose turn it is, read from the rows: listings as well as batches, in both lanes."""

from collections import Counter
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Engine, update

from services.ingest.service import build
from services.ingest.sessions.lifecycle.records import Session, Wanted
from services.ingest.sessions.outgoing.fairness import Windows
from services.ingest.sessions.recovery.unfinished import Unfinished
from services.ingest.sessions.serving.store import Sessions
from services.ingest.sessions.tables import items, outbox
from shared.bus.envelope import Envelope
from shared.contracts import BatchSubmitted, ListingPublished, MockupsRequested
from tests.integration.uploads import LISTING, MOCKUP, choice, received, relayed

WINDOWS = Windows(batches=4, listings=4, files=1000)


def submit(sessions: Sessions, tenant: UUID, files: int, lane: str = "comprehensive") -> Session:
    return sessions.submit(tenant, str(uuid4()), choice(), received(*(f"{n}.png" for n in range(files))), lane)[0]


def tenants(found: list[Envelope]) -> Counter[UUID]:
    return Counter(
        envelope.message.tenant_id
        for envelope in found
        if isinstance(envelope.message, BatchSubmitted | MockupsRequested)
    )


def looked_at(engine: Engine, found: list[Envelope]) -> None:
    """The hashers have done with these."""
    done = [file.item_id for envelope in found for file in envelope.message.files]  # type: ignore[attr-defined]
    with engine.begin() as connection:
        connection.execute(update(items).where(items.c.id.in_(done)).values(state="hashed"))


@pytest.mark.parametrize("lane", ["comprehensive", "original"])
def test_a_lone_tenant_has_the_whole_window_and_shares_it_with_who_comes(
    engine: Engine, sessions: Sessions, lane: str
) -> None:
    many, few = uuid4(), uuid4()
    submit(sessions, many, 200, lane)
    first = relayed(engine, lane, WINDOWS)
    assert tenants(first) == {many: 4}
    assert [envelope.message.batch for envelope in first] == [0, 1, 2, 3]  # type: ignore[attr-defined]
    submit(sessions, few, 20, lane)
    second = relayed(engine, lane, WINDOWS)
    assert tenants(second) == {few: 2}, "at once, though the window is full of the other's"
    looked_at(engine, first[:2])
    assert relayed(engine, lane, WINDOWS) == [], "each has their half"
    looked_at(engine, first[2:3])
    assert tenants(relayed(engine, lane, WINDOWS)) == {many: 1}
    looked_at(engine, second)
    assert tenants(relayed(engine, lane, WINDOWS)) == {few: 2, many: 2}, (
        "the few have no more to send, and leave the window"
    )


def test_a_batch_is_in_flight_until_each_of_its_files_was_looked_at(engine: Engine, sessions: Sessions) -> None:
    submit(sessions, uuid4(), 200)
    first = relayed(engine, windows=WINDOWS)
    files = first[0].message.files  # type: ignore[attr-defined]
    with engine.begin() as connection:
        all_but_one = [file.item_id for file in files[1:]]
        connection.execute(update(items).where(items.c.id.in_(all_but_one)).values(state="rejected"))
    assert relayed(engine, windows=WINDOWS) == []
    looked_at(engine, first[:1])
    assert len(relayed(engine, windows=WINDOWS)) == 1


def test_who_is_far_ahead_of_storage_waits(engine: Engine, sessions: Sessions) -> None:
    ahead, other = uuid4(), uuid4()
    submit(sessions, ahead, 40)
    submit(sessions, other, 40)
    with engine.begin() as connection:
        sql = "UPDATE ingest.sessions SET hashed = 20 WHERE user_id = %s"
        connection.exec_driver_sql(sql, (str(ahead),))
    assert set(tenants(relayed(engine, windows=Windows(batches=4, listings=4, files=20)))) == {other}


@pytest.mark.parametrize("lane", ["comprehensive", "original"])
@pytest.mark.parametrize("waiting", [range(20), range(5, 25)], ids=["the first", "those behind the first"])
def test_what_was_lost_is_sent_again_however_far_ahead_of_storage_its_tenant_is(
    engine: Engine, sessions: Sessions, lane: str, waiting: range
) -> None:
    """The NAS is away, and the process or the broker that had the work lost it: storage can't go on without it."""
    windows = Windows(batches=40, listings=4, files=20)
    session = submit(sessions, uuid4(), 60, lane)
    relayed(engine, lane, windows)
    with engine.begin() as connection:
        these = (items.c.session_id == session.id, items.c.index.in_(waiting))
        connection.execute(update(items).where(*these).values(state="accepted"))
        connection.exec_driver_sql("UPDATE ingest.sessions SET accepted = 20")
    unfinished = Unfinished(engine, sessions.hashers)
    unfinished.take_up(session.id) if lane == "original" else unfinished.resume(session.id)
    again = [file.index for found in relayed(engine, lane, windows) for file in found.message.files]  # type: ignore[attr-defined]
    assert set(range(waiting.stop)) <= set(again), "all that it had in hand"
    assert len(again) < 40, "and nothing new"


def test_many_listings_do_not_hold_up_few(engine: Engine, sessions: Sessions) -> None:
    many, few = uuid4(), uuid4()
    for tenant, files in ((many, 50), (few, 3)):
        session = submit(sessions, tenant, files)
        sql = (
            "UPDATE ingest.items SET state = 'stored', stage_rank = 40, name = 'n', number = index, "
            "print_sha256 = sha256, print_size = size WHERE session_id = %s"
        )
        with engine.begin() as connection:
            connection.exec_driver_sql(sql, (str(session.id),))
            connection.execute(outbox.delete().where(outbox.c.type == "BatchSubmitted"))
        designs = [row["id"] for row in sessions.items(session)]
        sessions.ask_listings(tenant, designs, Wanted("NorthCups", LISTING, MOCKUP, ()))
    first = relayed(engine, windows=WINDOWS)
    assert tenants(first) == {many: 2, few: 2}
    request = first[0].message
    assert isinstance(request, MockupsRequested)
    identity = {"tenant_id", "session_id", "item_id", "index", "generation", "filename", "mockup_id"}
    listed = ListingPublished(**request.model_dump(include=identity), target="dry-run", listing_id="1")
    list(build(engine).handlers[ListingPublished].call(listed) or ())
    assert len(relayed(engine, windows=WINDOWS)) == 1, "the next goes out when one is listed"
