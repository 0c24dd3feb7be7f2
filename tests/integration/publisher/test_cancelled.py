"""A cancelled listing is not made, unless the shop has something of it already, or it is asked for anew."""

from services.publisher.handlers import on_work_cancelled
from services.publisher.store import Ledger
from shared.contracts import ListingFailed, ListingPublished, MockupsRendered, WorkCancelled
from tests.integration.publisher.conftest import Publisher


def cancel(publisher: Publisher, event: MockupsRendered) -> None:
    told = WorkCancelled(
        tenant_id=event.tenant_id,
        session_id=event.session_id,
        reason="cancelled by you",
        listings=((event.item_id, event.mockup_id, event.generation),),
    )
    for _ in range(2):
        on_work_cancelled(told, Ledger(publisher.engine))


def test_a_cancelled_listing_is_not_made(publisher: Publisher) -> None:
    event = publisher.event()
    cancel(publisher, event)
    answer = publisher.handle(event)
    assert isinstance(answer, ListingFailed)
    assert answer.reason == "cancelled by you"
    assert publisher.shop.count("create") == 0
    assert publisher.handle(event) == answer


def test_asked_for_anew_it_is_made(publisher: Publisher) -> None:
    event = publisher.event()
    cancel(publisher, event)
    publisher.handle(event)
    assert isinstance(publisher.publish(event.model_copy(update={"generation": 1})), ListingPublished)
    assert publisher.shop.count("create") == 1


def test_cancelled_twice_it_stays_so_whichever_news_comes_last(publisher: Publisher) -> None:
    event = publisher.event()
    again = event.model_copy(update={"generation": 1})
    cancel(publisher, again)
    cancel(publisher, event)
    assert isinstance(publisher.handle(again), ListingFailed)
    assert publisher.shop.count("create") == 0


def test_a_listing_that_exists_stays(publisher: Publisher) -> None:
    event = publisher.event()
    first = publisher.publish(event)
    cancel(publisher, event)
    assert publisher.publish(event) == first
