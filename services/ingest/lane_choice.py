"""The two lanes: why an upload takes one, as it is kept with it, and the lot that sends some to the other one. Pure."""

import hashlib
from dataclasses import dataclass
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


@dataclass(frozen=True)
class LaneRule:
    """Chooses the lane of each upload when its files are submitted. It never changes, so no file is worked on twice."""

    embedded: bool
    use_comprehensive: bool
    min_files: int
    compared: float = 0.0
    """Share of the uploads that would take the comprehensive lane, and take the other one to compare them."""

    def choose(self, files: int, user_id: UUID, key: str, *, connected: bool) -> Lane:
        """The lane for an upload of so many files, now. `key` is its client's id of it, equal when it is sent again."""
        if self.embedded:
            return Lane(ORIGINAL, EMBEDDED)
        if not self.use_comprehensive:
            return Lane(ORIGINAL, SWITCHED_OFF)
        if files < self.min_files:
            return Lane(ORIGINAL, FEW)
        if not connected:
            return Lane(ORIGINAL, AWAY)
        compared = drawn(user_id, key) < self.compared
        return Lane(ORIGINAL, COMPARED) if compared else Lane(COMPREHENSIVE, DEFAULT)


def loose_lane(*, embedded: bool) -> str:
    """The lane of what belongs to no session: over the broker, if there is one."""
    return ORIGINAL if embedded else COMPREHENSIVE


def drawn(user_id: UUID, key: str) -> float:
    """A lot from 0 up to 1: the same for the same upload, sent again to whichever process."""
    digest = hashlib.sha256(f"{user_id}:{key}".encode()).digest()
    return int.from_bytes(digest[:4]) / 2**32
