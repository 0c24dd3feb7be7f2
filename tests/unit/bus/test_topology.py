"""Queues and bindings as they follow from the services."""

from collections.abc import Iterator
from uuid import UUID

import pytest

from services.ops.queues import DELIVERY_LIMIT, Queue, topology
from shared.bus.delivery import KEEP_S
from shared.bus.rabbit import RETURNS
from shared.bus.service import Service
from shared.bus.topology import Route, routes, routing_key
from shared.contracts import Blob, ImageRejected, ListingFailed, MockupFailed, StoreFile

ID = UUID(int=1)


def on_store_file(message: StoreFile) -> Iterator[ImageRejected]:
    yield from ()


def on_image_rejected(event: ImageRejected) -> None: ...


def queue(name: str, *services: Service) -> Queue:
    return next(queue for queue in topology(services).queues if queue.name == name)


def test_an_inbox_can_not_lose_a_message() -> None:
    service = Service("storage")
    service.on(on_store_file)
    assert dict(queue("presswork.storage", service).arguments) == {
        "x-queue-type": "quorum",
        "x-dead-letter-exchange": "presswork.dead",
        "x-dead-letter-routing-key": "storage",
        "x-dead-letter-strategy": "at-least-once",
        "x-overflow": "reject-publish",
        "x-delivery-limit": 10,
    }
    assert Route("presswork.events", "store.file") in queue("presswork.storage", service).bindings


def test_a_retry_queue_gives_back_under_the_same_key() -> None:
    arguments = queue("presswork.retry.5000ms", Service("storage")).arguments
    assert arguments["x-message-ttl"] == 5000
    assert "x-dead-letter-routing-key" not in arguments


def test_looking_at_dead_letters_does_not_use_them_up() -> None:
    arguments = dict(queue("presswork.storage.dead", Service("storage")).arguments)
    # RabbitMQ 4 would drop one at its twentieth delivery
    assert arguments == {"x-queue-type": "quorum", "x-delivery-limit": 1_000_000}


def test_who_follows_progress_hears_every_item_event_once() -> None:
    service = Service("ingest", follows_progress=True)
    service.on(on_image_rejected)
    assert queue("presswork.ingest", service).bindings == (
        Route("presswork.redeliver", "*.ingest"),
        Route("presswork.progress", "progress.#"),
    )


def test_an_item_event_is_work_and_progress() -> None:
    event = ImageRejected(
        tenant_id=ID, session_id=ID, item_id=ID, index=0, filename="a.png", code="empty", reason="empty"
    )
    assert routes(event) == (
        Route("presswork.events", "image.rejected"),
        Route("presswork.progress", f"progress.{ID}.hasher.rejected"),
    )


@pytest.mark.parametrize("message_type", [MockupFailed, ListingFailed])
def test_an_end_is_progress_alone(message_type: type[ListingFailed]) -> None:
    event = message_type(tenant_id=ID, session_id=ID, item_id=ID, index=0, filename="a", mockup_id=ID, reason="r")
    assert [route.exchange for route in routes(event)] == ["presswork.progress"]


def test_a_command_is_work_alone() -> None:
    command = StoreFile(tenant_id=ID, shop="s", path="p", content=Blob(sha256="0" * 64, size=0))
    assert routes(command) == (Route("presswork.events", routing_key(StoreFile)),)


def test_two_handlers_for_one_message_are_refused() -> None:
    service = Service("storage")
    service.on(on_store_file)
    with pytest.raises(TypeError, match="two handlers for StoreFile"):
        service.on(on_store_file)


def test_a_signature_says_what_a_handler_may_emit() -> None:
    service = Service("storage")
    service.on(on_store_file)
    assert service.handlers[StoreFile].emits == (ImageRejected,)


def test_an_hours_outage_costs_no_message_its_place_and_leaves_deliveries_for_deaths() -> None:
    assert RETURNS * KEEP_S >= 3600
    assert DELIVERY_LIMIT - RETURNS >= 4
