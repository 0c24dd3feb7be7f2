"""The NAS and the shop fail, or seem to."""

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import func, update

from services.etsy_fake.faults import Fault
from services.publisher.etsy.client import SENT_WITHIN_S
from services.publisher.limits import ETSY
from services.publisher.store import listings
from tests.chaos import broker_control as control
from tests.chaos.conftest import Case
from tests.chaos.etsy import TIMEOUT_S, Stand
from tests.chaos.failpoints import ETSY_CREATE, ETSY_PICTURE, NAS_DIGEST, NAS_RENAME, NAS_WRITE
from tests.chaos.world import World
from tests.waiting import until

SETTLES = timedelta(seconds=ETSY.settles_after_s)
CALLED_FOR = timedelta(seconds=SENT_WITHIN_S + TIMEOUT_S)

# place, moment, what happens there
NAS_FAULTS = {
    "EIO": (NAS_WRITE, "before", "oserror:EIO"),
    "ESTALE": (NAS_WRITE, "before", "oserror:ESTALE"),
    "ENOSPC": (NAS_WRITE, "before", "oserror:ENOSPC"),
    "torn write": (NAS_WRITE, "before", "torn"),
    "error after the write": (NAS_WRITE, "after", "oserror:EIO"),
    "unreadable": (NAS_DIGEST, "before", "oserror:EIO"),
    "error after the rename": (NAS_RENAME, "after", "oserror:EIO"),
    "killed before the rename": (NAS_RENAME, "before", "kill"),
    "killed after the rename": (NAS_RENAME, "after", "kill"),
}
# what the stand-in does, at which call
SHOP_FAULTS = {
    "500 after create": ("error-after", "createDraftListing"),
    "timeout before create": ("stall-before", "createDraftListing"),
    "timeout after create": ("stall-after", "createDraftListing"),
    "429": ("too-many", "createDraftListing"),
    "401": ("unauthorised", "createDraftListing"),
    "502 page": ("html", "uploadListingImage"),
    "reset in a picture": ("reset", "uploadListingImage"),
    "500 after a picture": ("error-after", "uploadListingImage"),
    "order": ("bad-order", "uploadListingImage"),
}
# where the publisher dies
SHOP_DEATHS = {
    "killed before create": (ETSY_CREATE, "before"),
    "killed after create": (ETSY_CREATE, "after"),
    "killed after a picture": (ETSY_PICTURE, "after"),
}
NOT_MADE = {"timeout before create", "killed before create"}


@pytest.mark.parametrize("fault", NAS_FAULTS)
def test_f26_nas(case: Case, fault: str) -> None:
    place, moment, action = NAS_FAULTS[fault]
    shots = [
        case.world.points.arm(place, moment, action, service="storage", skip=case.chance.randrange(4))
        for _ in range(1 if action == "kill" else 3)
    ]
    work = case.begin()
    before = control.repeated(case.world.broker)
    case.balance(work)
    for shot in shots:
        shot.wait()
    if fault == "ENOSPC":  # nobody's file is at fault: it waits for room, and uses up no attempt
        assert control.repeated(case.world.broker) == before


@pytest.mark.parametrize("fault", [*SHOP_FAULTS, *SHOP_DEATHS])
def test_f27_shop(case: Case, fault: str) -> None:
    seller, skip = case.seller(photographs=3), case.chance.randrange(3)
    with case.world.listing_at_etsy() as etsy:
        etsy.connect(case.world.engine, UUID(seller.user_id))
        happened = armed(case, etsy, fault, skip)
        work = case.begin(case.files(5), seller)
        until(happened, what=f"{fault} did not happen")
        if fault in NOT_MADE:
            until(lambda: time_passes(case.world, died=fault in SHOP_DEATHS), what="no create is in doubt")
        case.balance(work)


def armed(case: Case, etsy: Stand, fault: str, skip: int) -> Callable[[], bool]:
    """The fault, and whether it has happened."""
    if fault in SHOP_DEATHS:
        shot = case.world.points.arm(*SHOP_DEATHS[fault], "kill", service="publisher", skip=skip)
        return lambda: shot.fired > 0
    kind, operation = SHOP_FAULTS[fault]
    etsy.arm(Fault.model_validate({"operation": operation, "kind": kind, "skip": skip, "seconds": 2 * TIMEOUT_S}))
    return lambda: kind in etsy.met()


def time_passes(world: World, *, died: bool) -> int:
    """So much that Etsy shows what it has, and what is not there may be made; how many waited for that.

    Only a create that is in doubt already is older afterwards: not one that is still waiting for its answer.
    """
    age = SETTLES + CALLED_FOR if died else SETTLES
    in_doubt = listings.c.listing_id.is_(None) & (listings.c.status == ("pending" if died else "unknown"))
    with world.engine.begin() as connection:
        earlier = update(listings).where(in_doubt, listings.c.tried_at > func.now() - age)
        return connection.execute(earlier.values(tried_at=listings.c.tried_at - age)).rowcount
