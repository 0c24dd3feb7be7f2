"""Two people, or two tabs, ask for things of one upload at the same moment: nothing that is in work is left unsent."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Event
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Engine, text

from services.ingest.sessions.actions.cancel_result import Cancelled
from services.ingest.sessions.actions.reopening import reopen
from services.ingest.sessions.intake import listing_requests
from services.ingest.sessions.lifecycle.records import Wanted
from services.ingest.sessions.recovery.unfinished import Unfinished
from services.ingest.sessions.serving.store import Sessions
from shared.bus.envelope import Envelope
from shared.database import transaction
from tests.integration.uploads import (
    LISTING,
    MOCKUP,
    USER,
    account,
    failed,
    project,
    requests,
    stored,
    submitted,
)
from tests.waiting import somebody_waits, until

WANTED = Wanted("NorthCups", LISTING, MOCKUP, ())


def meanwhile(engine: Engine, first: Callable[[Connection], object], then: Callable[[], Any]) -> Any:
    """What `then` answers, which somebody asks when `first` is done but for its commit."""

    with ThreadPoolExecutor(1) as pool:
        with transaction(engine) as connection:
            first(connection)
            asked: Future[Any] = pool.submit(then)
            until(lambda: asked.done() or somebody_waits(engine))
        return asked.result(30)


def in_work(engine: Engine, session_id: UUID) -> int:
    """Files and listings that have no end yet."""
    query = text(
        "SELECT (SELECT count(*) FROM ingest.items WHERE session_id = :it AND state NOT IN ('stored', 'failed'))"
        " + (SELECT count(*) FROM ingest.listings WHERE session_id = :it AND state <> 'failed')"
    )
    with engine.connect() as connection:
        return int(connection.execute(query, {"it": session_id}).scalar_one())


def test_listings_that_are_asked_for_while_their_upload_is_cancelled_are_cancelled_too(
    engine: Engine, sessions: Sessions
) -> None:
    session, files = submitted(sessions, "a.png", "b.png")
    project(engine, *stored(session, files[0]))
    ids = [file.item_id for file in files]

    def ask(connection: Connection) -> None:
        assert listing_requests.ask_listings(connection, USER, ids[:1], WANTED) == ids[:1]

    done: Cancelled = meanwhile(engine, ask, lambda: sessions.cancel(USER, session.id, None))
    assert (done.files, done.listings) == (1, 1), "or its message would be deleted, and nobody would ever make it"
    assert in_work(engine, session.id) == 0
    assert account(engine, sessions, session.id).finished


def test_what_is_tried_again_while_its_upload_is_cancelled_is_cancelled_too(engine: Engine, sessions: Sessions) -> None:
    session, files = submitted(sessions, "a.png", "b.png")
    project(engine, *failed(session, files[0]), *stored(session, files[1]))

    def retry(connection: Connection) -> None:
        assert reopen(connection, session.id, 2, "ana").files

    done: Cancelled = meanwhile(engine, retry, lambda: sessions.cancel(USER, session.id, None))
    assert done.files == 1, "or its batch would be deleted, and nobody would ever look at it"
    assert in_work(engine, session.id) == 0
    assert account(engine, sessions, session.id).finished


@dataclass(frozen=True)
class Interrupted(Unfinished):
    """One that does nothing with what it read before somebody else has committed, unless these wait for it."""

    read: Event = field(default_factory=Event)
    committed: Event = field(default_factory=Event)

    def _messages(self, connection: Connection, session_id: UUID) -> Iterator[Envelope]:
        found = list(super()._messages(connection, session_id))
        self.read.set()
        assert self.committed.wait(30)
        yield from found


def test_listings_that_are_asked_for_while_a_worker_takes_its_upload_up_again_are_sent(
    engine: Engine, sessions: Sessions
) -> None:
    session, files = submitted(sessions, "a.png", lane="original")
    project(engine, *stored(session, files[0]))
    unfinished = Interrupted(engine, 2)
    with ThreadPoolExecutor(1) as pool:
        with transaction(engine) as connection:
            listing_requests.ask_listings(connection, USER, [files[0].item_id], WANTED)
            taken_up = pool.submit(unfinished.take_up, session.id, by_another=False)
            until(lambda: unfinished.read.is_set() or somebody_waits(engine))
        unfinished.committed.set()
        taken_up.result(30)
    assert [request.item_id for request in requests(engine)] == [files[0].item_id], "or nobody would ever make it"
