"""Asked twice, at once, or by somebody else: one listing, and the first answer."""

from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy

from services.ingest.sessions.serving.outcome_text import was_listed
from shared.errors import Unavailable
from tests.integration.publisher.conftest import Publisher
from tests.unit.publisher.events import template

WAIT_S = 20


def test_redelivery_gives_the_first_answer_and_calls_no_shop(publisher: Publisher) -> None:
    event = publisher.event()
    first = publisher.publish(event)
    calls = list(publisher.shop.calls)

    assert publisher.publish(event) == first
    assert publisher.shop.calls == calls


def test_the_same_message_twice_at_once_makes_one_listing_and_one_answer(publisher: Publisher) -> None:
    event = publisher.event()
    creating, waiting = Event(), Event()

    def hold() -> None:
        creating.set()
        assert waiting.wait(WAIT_S)

    def note_lock(*call: Any) -> None:
        if "pg_advisory_lock" in call[2] and creating.is_set():
            waiting.set()

    publisher.shop.before["create"] = hold
    sqlalchemy.event.listen(publisher.engine, "before_cursor_execute", note_lock)
    with ThreadPoolExecutor(2) as threads:
        one = threads.submit(publisher.publish, event)
        assert creating.wait(WAIT_S)
        two = threads.submit(publisher.publish, event)

        assert one.result(WAIT_S) == two.result(WAIT_S)
    assert publisher.shop.count("create") == 1
    assert len(publisher.folders()) == 1


def test_two_sessions_asking_for_one_design_share_the_listing(publisher: Publisher, other_session: UUID) -> None:
    first = publisher.publish(publisher.event())
    item = UUID(int=7)

    second = publisher.publish(publisher.event(session_id=other_session, item_id=item, filename="again.png", index=4))

    assert second.listing_id == first.listing_id
    assert (second.session_id, second.item_id, second.filename, second.index) == (other_session, item, "again.png", 4)
    assert [w for w in second.warnings if w not in first.warnings] == [
        f"already listed as {first.listing_id}: no second listing was made"
    ]
    assert publisher.shop.count("create") == 1


def test_a_print_that_two_designs_came_to_is_listed_as_the_first_of_them(publisher: Publisher) -> None:
    first = publisher.publish(publisher.event())
    other = {"item_id": UUID(int=7), "number": 101, "design_name": "UV 101 UVDTF_16oz_101.png"}

    second = publisher.publish(publisher.event(**other))

    assert second.listing_id == first.listing_id
    assert second.warnings[-1] == (
        f"its print is the same as that of UV 100, which is listed as {first.listing_id}: a second listing of the same "
        "picture is not made"
    )
    assert was_listed({"state": "listed", "warnings": second.warnings}), "so that nobody counts it as created"
    assert publisher.publish(publisher.event(generation=1)).warnings[-1].startswith("already listed as")
    assert publisher.shop.count("create") == 1


def test_the_second_asker_gets_its_own_answer_again_too(publisher: Publisher, other_session: UUID) -> None:
    publisher.publish(publisher.event())
    event = publisher.event(session_id=other_session)

    assert publisher.publish(event) == publisher.publish(event)


def test_texts_that_changed_since_are_not_listed_but_said(publisher: Publisher) -> None:
    publisher.publish(publisher.event())

    answer = publisher.publish(publisher.event(template=template(title="| New words"), generation=1))

    assert "changes since then are not in it" in answer.warnings[-1]
    assert publisher.shop.count("create") == 1


def test_a_busy_shop_keeps_others_out_and_its_neighbour_open(publisher: Publisher) -> None:
    outcomes: list[object] = []

    def meanwhile() -> None:
        with pytest.raises(Unavailable, match="another publisher is still writing to NorthCups"):
            publisher.handle(publisher.event(b"other"), lock_wait_s=0.05)
        outcomes.append(publisher.publish(publisher.event(shop="SouthCups")).listing_id)

    publisher.shop.before["put_picture 1"] = meanwhile
    publisher.publish(publisher.event())

    assert len(outcomes) == 1
    assert len(publisher.folders("SouthCups")) == 1


def test_no_transaction_is_open_while_the_shop_is_called(publisher: Publisher) -> None:
    states: list[str] = []

    def look() -> None:
        states.extend(
            publisher.of_locks("(SELECT state FROM pg_stat_activity WHERE pg_stat_activity.pid = pg_locks.pid)")
        )

    publisher.shop.before |= dict.fromkeys(("create", "put_picture 1", "finish"), look)
    publisher.publish(publisher.event())

    assert states == ["idle"] * 3


def test_the_lock_is_free_afterwards(publisher: Publisher) -> None:
    publisher.publish(publisher.event())

    assert publisher.of_locks("pid") == []


def test_a_design_under_another_target_is_another_listing(publisher: Publisher) -> None:
    publisher.publish(publisher.event())
    publisher.shop.name = "another target"

    publisher.publish(publisher.event())

    assert publisher.shop.count("create") == 2
