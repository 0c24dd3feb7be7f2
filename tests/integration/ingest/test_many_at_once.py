"""What happens to many files in one go is told in one go: the statements hardly grow with the files."""

import contextlib
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Engine, event

from services.ingest.sessions.lifecycle.records import Session
from services.ingest.sessions.serving.store import Sessions
from shared.contracts import DuplicateFound, Match, Message
from shared.database import engine_of
from tests.integration.uploads import about, ask, failed, project, stored, submitted

FEW, MANY = 3, 12


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    engine = engine_of(database_url, pool_size=2)
    yield engine
    engine.dispose()


@contextlib.contextmanager
def counted(engine: Engine) -> Iterator[list[str]]:
    """The statements of the block."""
    said: list[str] = []

    def note(*args: Any) -> None:
        said.append(args[2])

    event.listen(engine, "before_cursor_execute", note)
    yield said
    event.remove(engine, "before_cursor_execute", note)


def upload(engine: Engine, count: int, what: str) -> tuple[Sessions, Session, list[UUID]]:
    """A session whose files have all come to the same end."""
    sessions = Sessions(engine, hashers=2)
    session, files = submitted(sessions, *(f"{number}.png" for number in range(count)))
    match = Match(source="database", filename="other.png")
    told: dict[str, Any] = {"kind": "near", "distance": 3, "match": match, "reason": "the same", "review": True}
    ends: list[Message] = []
    for file in files:
        if what == "failed":
            ends += failed(session, file)
        elif what == "stored":
            ends += stored(session, file)
        else:
            ends.append(DuplicateFound.model_validate(about(session, file) | told))
    project(engine, *ends)
    return sessions, session, [file.item_id for file in files]


def retried(engine: Engine, count: int) -> tuple[int, list[Any]]:
    sessions, session, items = upload(engine, count, "failed")
    with counted(engine) as said:
        assert len(sessions.retry(session, "ana").files) == count
    return len(said), told(sessions, session, "retried", items)


def skipped(engine: Engine, count: int) -> tuple[int, list[Any]]:
    sessions, session, items = upload(engine, count, "duplicate")
    with counted(engine) as said:
        sessions.decide(session, lambda _: dict.fromkeys(items, "skip"), "ana", lambda _: True)
    return len(said) - count, told(sessions, session, "skipped", items)  # but for the word to dedup about each pair


def asked(engine: Engine, count: int) -> tuple[int, list[Any]]:
    sessions, session, items = upload(engine, count, "stored")
    with counted(engine) as said:
        assert ask(sessions, *items) == items
    return len(said) - 2 * count, told(sessions, session, "listing_requested", items)  # a row and a message for each


def told(sessions: Sessions, session: Session, kind: str, items: list[UUID]) -> list[Any]:
    """The counts that the events tell one after the other, without gaps, each of its file."""
    events = sessions.events(session, 0)
    assert [event.seq for event in events] == list(range(1, len(events) + 1))
    these = [event for event in events if event.type == kind]
    assert [event.item_id for event in these] == items
    return [event.payload["totals"] for event in these]


def test_trying_again_is_told_file_by_file_in_few_statements(engine: Engine) -> None:
    (few, _), (many, totals) = retried(engine, FEW), retried(engine, MANY)
    assert [each["failed"] for each in totals] == list(reversed(range(MANY)))
    assert many - few < 6, "a batch has five files"


def test_skipping_is_told_file_by_file_in_few_statements(engine: Engine) -> None:
    (few, _), (many, totals) = skipped(engine, FEW), skipped(engine, MANY)
    assert [each["to_review"] for each in totals] == list(reversed(range(MANY)))
    assert many - few < 6


def test_asking_for_listings_is_told_file_by_file_in_few_statements(engine: Engine) -> None:
    (few, _), (many, totals) = asked(engine, FEW), asked(engine, MANY)
    assert [each["requested"] for each in totals] == list(range(1, MANY + 1))
    assert many - few < 6


def test_one_call_for_designs_of_several_uploads_tells_each_of_them(engine: Engine) -> None:
    sessions, one, mine = upload(engine, 2, "stored")
    _, other, theirs = upload(engine, 2, "stored")
    assert sorted(ask(sessions, theirs[1], mine[0], mine[1], theirs[0])) == sorted([*mine, *theirs])
    for session, items in ((one, mine), (other, theirs)):
        assert [each["requested"] for each in told(sessions, session, "listing_requested", items)] == [1, 2]
