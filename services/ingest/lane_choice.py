"""The two lanes: why an upload takes one, as it is kept with it, and the lot that sends some to the other one. Pure."""

import hashlib
from typing import NamedTuple
from uuid import UUID

ORIGINAL, COMPREHENSIVE = "original", "comprehensive"
"""In one process, one service after the other; or over the broker (`lanes.py`)."""

DEFAULT = "the default"
EMBEDDED = "there is no broker"
SWITCHED_OFF = "USE_COMPREHENSIVE_WORKFLOW is off"
FEW = "few files"
AWAY = "the broker was away"
COMPARED = "to compare the lanes"


class Lane(NamedTuple):
    """The lane that an upload takes, and why."""

    name: str
    reason: str


def loose_lane(*, embedded: bool) -> str:
    """The lane of what belongs to no session: over the broker, if there is one."""
    return ORIGINAL if embedded else COMPREHENSIVE


def drawn(user_id: UUID, key: str) -> float:
    """A lot from 0 up to 1: the same for the same upload, sent again to whichever process."""
    digest = hashlib.sha256(f"{user_id}:{key}".encode()).digest()
    return int.from_bytes(digest[:4]) / 2**32
