"""Where the line lies close up, at 512 x 512 pixels, for what is a copy from afar, at 256 x 256. Pure.

Its limits are wide of what saving again does to a copy, and find digits and letters that are some 1 % of a design high
(docs/duplicates.md, "Close up"). What the figures mean is told by `Difference`.
"""

from typing import NamedTuple

from services.dedup.pixels.aligning import Way, align_again
from services.dedup.pixels.differences import Difference, difference
from services.dedup.pixels.picture import Picture
from services.dedup.pixels.tones import Tones, tones_of
from shared.contracts import Variant

STANDS_OUT = 0.2  # `alone` from afar, from which a copy is looked at close up
UNCHANGED = 0.0002  # `everywhere`, up to which nothing was saved again: any spot is the seller's doing
STILL = 0.1  # `everywhere`, up to which colour tells: the fine lines of what was blurred have others, too
EITHER = 1.0  # `alone`, from which the other side is asked, too

# Another design has more than this:
ALONE, COLOUR = 2.5, 48.0
DETAIL = 2.5  # times as much as the pattern of a copy's window may differ from afar (`Difference.most_detail`)

# and of what is unchanged, more than this. A sharpened line's colour moves by 37.
SPOT_ALONE, SPOT_COLOUR, SPOT_DETAIL = 2.0, 40.0, 2.5


class Look(NamedTuple):
    """How two pictures lie on each other, what brings the second to the first's tones, and what is left apart."""

    way: Way
    tones: Tones
    apart: Difference


def worth_it(*afar: Difference) -> bool:
    """It costs four times as much, and of copies in which nothing stands out from afar hardly any is none."""
    return any(apart.alone > STANDS_OUT or apart.everywhere <= UNCHANGED for apart in afar)


def variant_close_up(one: Picture, other: Picture, afar: Look) -> Variant | None:
    """What the one proves to be that seemed a copy of the other; None where it is one. Both are the pictures close up.

    Small words in a page's margin may be too faint to be seen from afar, and were cut off: so they are looked at, too.
    """
    way = afar.way.at(one, other)
    wider = way.cut_less(one, other)
    return _variant(way, afar) or (None if wider is None else _variant(wider, afar))


def _variant(way: Way, afar: Look) -> Variant | None:
    pair = align_again(way, afar.apart.coverage)
    apart = difference(pair, afar.tones)
    if _other_colours(apart):
        return "colour_variant" if apart.same_lines else "text_variant"
    if _alone(apart) or _other_detail(apart):
        return "text_variant"
    if apart.alone <= EITHER:
        return None
    turned = align_again(pair.way.turned(), afar.apart.coverage)
    return "text_variant" if _alone(difference(turned, tones_of(turned))) else None


def _other_colours(apart: Difference) -> bool:
    if apart.everywhere <= UNCHANGED:
        return apart.colour > SPOT_COLOUR
    return apart.everywhere < STILL and apart.colour > COLOUR


def _other_detail(apart: Difference) -> bool:
    spot = apart.everywhere <= UNCHANGED and apart.detail > SPOT_DETAIL
    return spot or apart.detail > DETAIL * apart.most_detail


def _alone(apart: Difference) -> bool:
    return apart.alone > (SPOT_ALONE if apart.everywhere <= UNCHANGED else ALONE)
