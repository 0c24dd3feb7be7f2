"""More callers at a time than the pages have connections to the database: each still comes to its end."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from itertools import count

import pytest

from services.publisher.etsy import activating
from services.publisher.etsy.shop import EtsyShop
from services.publisher.etsy.wiring import etsy
from services.publisher.service import ledger_of
from services.publisher.shop import RemoteRef
from services.publisher.store import Ledger
from tests.integration.publisher.etsy.conftest import World
from tests.unit.publisher.events import TENANT
from tests.waiting import somebody_waits, until

CALLERS = 2


@pytest.fixture
def ledger(world: World) -> Iterator[Ledger]:
    """As the pages have it, with fewer connections."""
    url = world.engine.url.render_as_string(hide_password=False)
    settings = world.settings.model_copy(update={"database_url": url})
    ledger = ledger_of(settings, pool_size=CALLERS, lock_wait_s=3)
    yield ledger
    ledger.engine.dispose()
    ledger.locks.dispose()


def test_who_waits_for_a_shop_keeps_no_connection_from_who_has_it(
    world: World, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its holder asks for tokens and turns on another one: a seller who tried ten listings again stopped everybody."""
    listed = [world.publish(world.event()), world.publish(world.event(mockup_id=TENANT))]
    target, read, calls = etsy(world.settings, ledger), EtsyShop.state, count(1)

    def state(shop: EtsyShop, ref: RemoteRef) -> RemoteRef:
        if next(calls) == 1:
            until(lambda: somebody_waits(world.engine))
        return read(shop, ref)

    monkeypatch.setattr(EtsyShop, "state", state)
    with closing(target.http), ThreadPoolExecutor(CALLERS) as pool:
        asked = [pool.submit(activating.deleted, ledger, target, TENANT, [one.listing_id]) for one in listed]
        assert [each.result(60) for each in asked] == [[], []]
