"""Which designs get which numbers, and when: in upload order, without gap or reuse. Pure."""

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
    """It has its number for good."""


def numbers_due(standings: Mapping[int, Standing], next_number: int) -> dict[int, int]:
    """The numbers to give now, by item index.

    An item is due once it is placed and no earlier item of its session is pending. An index that nobody has heard of
    yet counts as pending: messages about later items may come first.
    """
    due: dict[int, int] = {}
    for index in itertools.count():
        standing = standings.get(index, Standing.PENDING)
        if standing is Standing.PENDING:
            break
        if standing is Standing.PLACED:
            due[index] = next_number + len(due)
    return due


def first_free(floor: int, taken: Iterable[int]) -> int:
    """The number after the greatest that is taken, in our tables or on the NAS; never below the floor.

    Numbers missing below the greatest stay unused: the designs are deleted, but listings and orders still name them.
    """
    return max((floor, *(number + 1 for number in taken)))
