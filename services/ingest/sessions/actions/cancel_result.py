"""What was cancelled: how many files and listings, how their rows are known by it, and what people are told."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, Row

from services.ingest.sessions.states import CANCELLED
from services.ingest.sessions.tables import items
from services.plurals import counted

FACTS = {"code": CANCELLED, "failed_stage": "storage"}
"""What a cancelled file's row says, wherever the file was. Whoever tells of its failure again (`failed_before`) tells
storage the same as `WorkCancelled` did: as if storage had given it up, so that storage answers for all that the file's
messages had begun. And `resume` starts no file anew that has a `failed_stage`.
"""
WAS_CANCELLED: ColumnElement[bool] = (items.c.state == "failed") & items.c.facts["code"].astext.is_not_distinct_from(
    CANCELLED
)
"""`states.is_cancelled` in SQL, of a row of `items`."""


@dataclass(frozen=True)
class Cancelled:
    """How much was cancelled by one call, or would be."""

    files: int
    listings: int
    stored: int
    """Designs of the session, or the one file, that were stored before."""
    at_hand: int = 0
    """Of these files, how many storage may have been writing just then: they are further than we know, perhaps."""
    at_shop: int = 0
    """Of these listings, how many the shop may have been making just then."""
    ended: bool = False
    """Whether an upload of which nothing was in work ended by it: its files had not come, or it waited to be listed."""

    def __str__(self) -> str:
        stay = f"; {counted(self.stored, 'design')} stored before {_stay(self.stored)} stored" if self.stored else ""
        if self.ended and not self.what:
            why = " before its listings were asked for" if self.stored else ": its files had not come yet"
            return f"The upload is cancelled{why}{stay}."
        if not self.what:
            return f"Nothing is left to cancel{stay}."
        late = "; what is being written just now may still be stored" if self.at_hand else ""
        late += "; what is at the shop just now may still be listed" if self.at_shop else ""
        return f"Cancelled: {self.what}{late}{stay}."

    @property
    def what(self) -> str:
        """As in "2 files and 1 listing"; empty: nothing."""
        counts = {"file": self.files, "listing": self.listings}
        return " and ".join(counted(number, noun) for noun, number in counts.items() if number)


def cancel_reason(by: str, at: datetime | None = None) -> str:
    """The reason that each file and listing gets that this person cancels now."""
    at = (at or datetime.now(UTC)).astimezone(UTC)
    return f"cancelled by {by} on {at.day} {at:%B %Y at %H:%M} UTC"


def reason_of(file: Row[Any], reason: str) -> str:
    """The reason as this file gets it: a duplicate's also says what it is a copy of."""
    if file.state != "duplicate":
        return reason
    return f"{reason}; it is a copy of {file.facts['match']['filename']}, which was not stored by then"


def _stay(number: int) -> str:
    return "stays" if number == 1 else "stay"
