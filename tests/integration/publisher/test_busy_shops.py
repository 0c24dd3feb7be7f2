"""Who finds its shop in other hands gives way: one publisher works for all shops."""

import asyncio
from queue import SimpleQueue
from uuid import UUID, uuid4

from services.publisher.handlers import on_mockups_rendered
from services.publisher.store import Ledger
from shared.bus.envelope import Envelope
from shared.bus.memory import MemoryBus
from shared.bus.retry import RetryPolicy
from shared.bus.service import Service
from shared.contracts import ListingPublished, MockupsRendered
from tests.integration.publisher.conftest import Publisher

WITHIN_S = 30


def test_a_listing_whose_shop_is_in_other_hands_lets_those_behind_it_go_first(publisher: Publisher) -> None:
    ledger, listed = Ledger(publisher.engine, lock_wait_s=0.05), SimpleQueue[str]()
    north, south = publisher.event(), publisher.event(shop="SouthCups", item_id=UUID(int=7))

    def on_listing_published(event: ListingPublished) -> None:
        listed.put(event.listing_id.partition("/")[0])

    def on_mockups(event: MockupsRendered) -> None:
        """All events of a session are told."""

    one, progress = Service("publisher", RetryPolicy((0.1,))), Service("ingest", follows_progress=True)
    one.on(on_mockups_rendered, ledger=ledger, target=publisher.shop, blobs=publisher.blobs)
    progress.on(on_listing_published)
    progress.on(on_mockups)

    async def scenario() -> None:
        bus = MemoryBus()
        for service in (one, progress):
            await bus.consume(service)
        with ledger.writing(publisher.shop.name, "NorthCups", "another listing"):
            for event in (north, south):
                await bus.publish(Envelope(uuid4(), event, "mockup", str(event.session_id)))
            assert await asyncio.to_thread(listed.get, timeout=WITHIN_S) == "SouthCups"
        await asyncio.wait_for(bus.idle(), WITHIN_S)
        await bus.stop(5)

    asyncio.run(scenario())
    assert listed.get(timeout=WITHIN_S) == "NorthCups"
