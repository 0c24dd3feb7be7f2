"""The NAS and the shop fail, or seem to."""

import pytest

from tests.chaos import broker_control as control
from tests.chaos.conftest import Case
from tests.chaos.failpoints import CREATE, NAS_DIGEST, NAS_RENAME, NAS_WRITE, PICTURE

UNKNOWN = "raise:services.publisher.shop:OutcomeUnknown"
THROTTLED = "raise:services.publisher.shop:Throttled"

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
SHOP_FAULTS = {
    "500 after create": (CREATE, "after", UNKNOWN),
    "timeout before create": (CREATE, "before", UNKNOWN),
    "429": (CREATE, "before", THROTTLED),
    "killed before create": (CREATE, "before", "kill"),
    "killed after create": (CREATE, "after", "kill"),
    "killed after a picture": (PICTURE, "after", "kill"),
    "500 after a picture": (PICTURE, "after", UNKNOWN),
}


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


@pytest.mark.parametrize("fault", SHOP_FAULTS)
def test_f27_shop(case: Case, fault: str) -> None:
    place, moment, action = SHOP_FAULTS[fault]
    shot = case.world.points.arm(place, moment, action, service="publisher", skip=case.chance.randrange(3))
    work = case.begin(case.files(5))
    case.balance(work)
    shot.wait()
