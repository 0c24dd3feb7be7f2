"""What an acceptance means for an item that has a row already: a case for each sentence of the decision. Pure.

The decision is docs/decisions/0004-numbers.md: a number is a promise, and whoever accepted an item must hear its end.
"""

from enum import Enum, auto
from typing import Any

from sqlalchemy import Row

from services.storage.design import GIVEN_UP, NUMBERED
from shared.contracts import ImageAccepted, ItemEvent


class Acceptance(Enum):
    """Only a later generation opens a settled item again; all else finds it as it is, and may answer for it."""

    KEEPS_NUMBER = auto()
    """Tried anew with the same print file, and numbered or stored: it stays so, and this message answers for it."""
    OPENS_AGAIN = auto()
    """Tried anew otherwise: its file is yet to be placed. A number that no stored file has is left to the next."""
    MUST_HEAR_FAILURE = auto()
    """It was given up before this came, and dedup, which accepted it, must hear that: this message answers for it."""
    GIVES_NAME = auto()
    """It has its number and not its name: another message has left that to this one."""
    PLACES_FILE = auto()
    """This very acceptance, delivered again before its file was placed."""
    CHANGES_NOTHING = auto()
    """It is placed, settled or stored, or a later generation is under way."""

    @classmethod
    def of(cls, row: Row[Any], event: ImageAccepted) -> "Acceptance":
        """What the acceptance means for the item that the row is of."""
        if row.generation < event.generation:
            same_print = row.sha256 == event.print_file.sha256
            return cls.KEEPS_NUMBER if row.state in NUMBERED and same_print else cls.OPENS_AGAIN
        if row.state in GIVEN_UP and is_unheard(row, event):
            return cls.MUST_HEAR_FAILURE
        if row.generation > event.generation:
            return cls.CHANGES_NOTHING
        return {"numbered": cls.GIVES_NAME, "accepted": cls.PLACES_FILE}.get(row.state, cls.CHANGES_NOTHING)


def is_unheard(row: Row[Any], event: ItemEvent) -> bool:
    """Whether the row knows neither this acceptance nor a later one, so that an answer is still owed."""
    return row.accepted is None or bool(row.accepted["generation"] < event.generation)
