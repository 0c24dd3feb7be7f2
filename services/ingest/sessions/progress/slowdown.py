"""How much longer an upload takes because others have work in its lane: users take turns. Pure.

A slowdown is how many times as long work takes as it would by itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Left:
    """Work that is left to do: the weight of the files, and how many listings."""

    files: float = 0.0
    listings: float = 0.0


@dataclass(frozen=True)
class Load:
    """The work of others in an upload's lane: of the same user's earlier uploads, and of each other user.

    All of the earlier comes first. Of another user's work no more counts than one's own, as users take turns.
    """

    earlier: Left = Left()
    others: Sequence[Left] = ()

    def file_slowdown(self, left: float) -> float:
        """`left`: the weight of one's own files."""
        return _slowdown(left, self.earlier.files, [theirs.files for theirs in self.others])

    def listing_slowdown(self, left: Left, each: float) -> float:
        """Others' listings count as far as they are made at the same time as one's own.

        Who has fewer files left begins with listings sooner, and has made some alone before the other one begins.
        `each` is the weight of the files that take as long as one listing.
        """
        mine = self.earlier.files + left.files

        def at_the_same_time(theirs: Left) -> float:
            they_alone, me_alone = max(mine - theirs.files, 0.0) / each, max(theirs.files - mine, 0.0) / each
            return max(min(theirs.listings - they_alone, left.listings - me_alone), 0.0)

        return _slowdown(left.listings, self.earlier.listings, [at_the_same_time(theirs) for theirs in self.others])


ALONE = Load()


def _slowdown(left: float, earlier: float, others: Sequence[float]) -> float:
    mine = earlier + left
    return (mine + sum(min(theirs, mine) for theirs in others)) / left if left else 1.0
