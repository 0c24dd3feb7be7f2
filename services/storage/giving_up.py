"""What a message that an item will have no file means for its row: a case for each sentence of decision 4. Pure."""

from enum import Enum, auto
from typing import Any

from sqlalchemy import Row

from services.storage.design import GIVEN_UP, NUMBERED, SETTLED, UNNUMBERED
from shared.contracts import DuplicateFound, ImageFailed, ImageRejected

Ending = DuplicateFound | ImageRejected | ImageFailed


class GivingUp(Enum):
    """A number is a promise: what is numbered or stored stays so, whoever gives it up."""

    ENDS = auto()
    """It has no number, and has none to come. Dedup waits for no word of that, or is told by an earlier message."""
    MUST_BE_HEARD = auto()
    """The same, and dedup, which had accepted it, must hear that: this message answers for it."""
    TOLD_ONCE_MORE = auto()
    """It has its number, of which the sender may not know: this message answers for it, under its own generation."""
    CHANGES_NOTHING = auto()
    """It has its end or its number, and who gives it up knows of that or will; or a later generation is under way."""

    @classmethod
    def of(cls, row: Row[Any], event: Ending, state: str) -> "GivingUp":
        """What it means that the item of this row is to end in this state."""
        if _ends(row, event):
            # Of a duplicate dedup knows; and one message answers for a failure, the first that there was.
            unheard = state in GIVEN_UP and row.accepted and not row.cause_type
            return cls.MUST_BE_HEARD if unheard else cls.ENDS
        return cls.TOLD_ONCE_MORE if _is_news_to_sender(row, event) else cls.CHANGES_NOTHING


def _ends(row: Row[Any], event: Ending) -> bool:
    """Only a later generation ends anew what has ended."""
    if row.generation < event.generation:
        return row.state in (*UNNUMBERED, *SETTLED)
    return row.generation == event.generation and row.state in UNNUMBERED


def _is_news_to_sender(row: Row[Any], event: Ending) -> bool:
    """Whether the item has a number that the sender, who says that it gets none, may not know of.

    Our answer to an earlier message may have been lost, or overtaken by this one.
    """
    if row.state not in NUMBERED:
        return False
    if isinstance(event, ImageFailed) and event.failed_stage == "storage":  # cancelled, perhaps
        return bool(row.generation <= event.generation)
    return isinstance(event, DuplicateFound) and bool(row.generation < event.generation)
