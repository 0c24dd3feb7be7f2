"""Another shop of the same seller is connected in the middle of something."""

from services.publisher.etsy import activating
from services.publisher.store import Ledger
from tests.integration.publisher.etsy.conftest import World
from tests.unit.publisher.events import TENANT


def test_drafts_of_the_shop_before_are_neither_asked_for_nor_taken_for_deleted_ones(world: World) -> None:
    """`presswork etsy activate` asks a person between its look at the drafts and their publishing."""
    ledger = Ledger(world.engine)
    draft = world.publish(world.event())
    wanted = activating.drafts(ledger, world.target.of(TENANT), TENANT)
    ended = activating.activate(ledger, world.target, TENANT, wanted, cap_usd=1, why_not=lambda _: None)
    world.connect(user_id=78)

    (told,) = ended

    assert (told.draft.listing_id, told.gone, world.count("getListing")) == (draft.listing_id, False, 0)
    assert told.problem == "another shop was connected meanwhile (SouthCups): it stays a draft"
    assert world.listing().state == "draft"
