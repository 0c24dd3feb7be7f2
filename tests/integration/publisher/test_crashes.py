"""The publisher dies at a chosen moment; the message comes again; there is one listing with each picture once."""

from typing import Any

import pytest
import sqlalchemy
from sqlalchemy import text

from shared.errors import Permanent, Retryable, Unavailable
from tests.integration.publisher.conftest import Publisher
from tests.integration.publisher.shops import Crash, raising

ALL = [b"first", b"second", b"third"]


@pytest.mark.parametrize(
    "moment",
    ["create", "put_picture 1", "put_picture 2", "put_picture 3", "finish"],
)
@pytest.mark.parametrize("side", ["before", "after"])
def test_a_crash_around_any_call_ends_in_one_whole_listing(publisher: Publisher, moment: str, side: str) -> None:
    event = publisher.event()
    getattr(publisher.shop, side)[moment] = raising(Crash())
    with pytest.raises(Crash):
        publisher.handle(event)

    answer = publisher.publish(event)

    assert publisher.images() == ALL
    assert publisher.status() == "published"
    assert answer == publisher.publish(event)


def test_a_crash_between_create_and_record_is_looked_up_and_never_created_again(publisher: Publisher) -> None:
    event = publisher.event()
    publisher.shop.after["create"] = raising(Crash())
    with pytest.raises(Crash):
        publisher.handle(event)
    assert publisher.status() == "pending"

    publisher.publish(event)

    assert publisher.shop.calls[:2] == ["create", "find"]
    assert publisher.shop.count("create") == 1
    assert len(publisher.folders()) == 1


def test_the_intent_is_on_record_before_create_is_called(publisher: Publisher) -> None:
    seen: list[tuple[str, bool]] = []

    def look() -> None:
        with publisher.engine.connect() as connection:
            row = connection.execute(text("SELECT status, intent_at IS NOT NULL FROM publisher.listings")).one()
            seen.append((row[0], row[1]))

    publisher.shop.before["create"] = look

    publisher.publish(publisher.event())

    assert seen == [("pending", True)]


def test_a_crash_after_picture_2_uploads_picture_1_once(publisher: Publisher) -> None:
    event = publisher.event()
    publisher.shop.after["put_picture 2"] = raising(Crash())
    with pytest.raises(Crash):
        publisher.handle(event)

    publisher.publish(event)

    assert publisher.images() == ALL
    assert [publisher.shop.count(f"put_picture {rank}") for rank in (1, 2, 3)] == [1, 2, 1]
    assert publisher.shop.count("create") == 1


def test_a_session_that_was_killed_during_create_can_not_write_and_the_next_adopts(publisher: Publisher) -> None:
    event = publisher.event()

    def kill() -> None:
        assert publisher.of_locks("pg_terminate_backend(pid)") == [True]

    publisher.shop.after["create"] = kill
    with pytest.raises(Unavailable):
        publisher.handle(event)

    publisher.publish(event)

    assert publisher.shop.count("create") == 1
    assert publisher.images() == ALL


def test_pictures_that_an_earlier_try_left_over_are_removed(publisher: Publisher) -> None:
    publisher.shop.before["finish"] = raising(Crash())
    with pytest.raises(Crash):
        publisher.handle(publisher.event())

    answer = publisher.publish(publisher.event(b"new first", b"second"))

    assert publisher.images() == [b"new first", b"second"]
    assert any("earlier try" in warning for warning in answer.warnings)


def test_a_picture_that_is_not_in_the_blob_store_is_no_reason_to_try_for_ever(publisher: Publisher) -> None:
    event = publisher.event()
    publisher.blobs.path(event.mockups[2].image).unlink()

    with pytest.raises(Permanent, match="gone from the blob store"):
        publisher.handle(event)


def test_a_young_create_is_not_repeated_before_the_shop_s_reads_have_settled(publisher: Publisher) -> None:
    event = publisher.event()
    publisher.shop.before["create"] = raising(Crash())
    with pytest.raises(Crash):
        publisher.handle(event)
    publisher.shop.settles_after(3600)

    with pytest.raises(Retryable, match="looked up again"):
        publisher.handle(event)

    assert publisher.shop.calls == ["create", "find"]


def test_a_create_that_died_with_its_process_is_given_the_time_of_a_call_before_that(publisher: Publisher) -> None:
    event = publisher.event()
    publisher.shop.before["create"] = raising(Crash())
    with pytest.raises(Crash):
        publisher.handle(event)
    publisher.shop.settles_after(3600, create_takes_s=1800)

    publisher.passes(3700)
    with pytest.raises(Retryable, match="looked up again"):
        publisher.handle(event)
    publisher.passes(1800)
    publisher.publish(event)

    assert publisher.shop.calls[:4] == ["create", "find", "find", "create"]


def test_the_intent_keeps_the_time_of_the_first_try(publisher: Publisher) -> None:
    event = publisher.event()
    publisher.shop.before["create"] = raising(Crash())
    with pytest.raises(Crash):
        publisher.handle(event)
    with publisher.engine.connect() as connection:
        first = connection.execute(text("SELECT intent_at FROM publisher.listings")).scalar_one()

    publisher.publish(event)

    with publisher.engine.connect() as connection:
        row = connection.execute(text("SELECT intent_at, tried_at > intent_at FROM publisher.listings")).one()
    assert tuple(row) == (first, True)


@pytest.mark.parametrize(("moment", "statement"), [("after", "pg_advisory_lock"), ("before", "pg_advisory_unlock")])
def test_what_breaks_around_the_lock_leaves_no_session_that_keeps_the_shop_for_ever(
    publisher: Publisher, moment: str, statement: str
) -> None:
    breaks = [Crash()]

    def on_statement(*call: Any) -> None:
        if statement in call[2] and breaks:
            raise breaks.pop()

    sqlalchemy.event.listen(publisher.engine, f"{moment}_cursor_execute", on_statement)
    with pytest.raises(Crash):
        publisher.handle(publisher.event())

    with publisher.engine.connect():  # the session that comes back first is in use: the next one is another
        publisher.handle(publisher.event(), lock_wait_s=5)
