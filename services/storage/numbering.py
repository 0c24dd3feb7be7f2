"""Which designs may get a number, and when: in upload order, none before it is sure that it comes next. Pure."""

import itertools
from collections.abc import Iterable, Mapping
from enum import StrEnum


class Standing(StrEnum):
    """How far an item of a session has come, as far as numbers go."""

    PENDING = "pending"
    """No verdict yet, or accepted and its file not yet safe on the NAS."""
    SETTLED = "settled"
    """Duplicate, rejected or failed: it has no file. Tried anew, it stays so until its file is placed."""
    PLACED = "placed"
    """Its file lies verified on the NAS, under a hidden name, and waits for its number."""
    NUMBERED = "numbered"
    """It has its number, and its file perhaps has its name already."""


def items_due(standings: Mapping[int, Standing], first: int = 0) -> list[int]:
    """The indexes of the items that may get a number now, in the order in which they get it.

    An item is due once it is placed and no earlier item of its session is pending. An index that nobody has heard of
    yet counts as pending: messages about later items may come first. Before `first`, all are settled or numbered. Which
    number an item gets, its sequence says (`allotment.py`).
    """
    due = []
    for index in itertools.count(first):
        standing = standings.get(index, Standing.PENDING)
        if standing is Standing.PENDING:
            break
        if standing is Standing.PLACED:
            due.append(index)
    return due


def first_free(taken: Iterable[int]) -> int:
    """The number after the greatest that is taken; 0 when none is.

    Numbers missing below the greatest stay unused: the designs are deleted, but listings and orders still name them.
    """
    return max(taken, default=-1) + 1
