"""Where the line lies close up, at 512 x 512 pixels, for what is a copy from afar, at 256 x 256. Pure.

Its limits are wide of what saving again does to a copy, and find digits and letters that are some 1 % of a design high
(docs/duplicates.md, "Close up"). What the figures mean, and their units, is told by `Difference`.
"""

from services.dedup.pixels.aligning import Alignment, align_again
from services.dedup.pixels.differences import Comparison, Difference, difference
from services.dedup.pixels.picture import Picture
from services.dedup.pixels.tones import tones_of
from shared.contracts import Variant

STANDS_OUT = 0.2  # `alone` from afar, from which a copy is looked at close up
UNCHANGED = 0.0002  # `everywhere`, up to which nothing was saved again: any spot is the seller's doing
STILL = 0.1  # `everywhere`, up to which colour tells: the fine lines of what was blurred have others, too
EITHER = 1.0  # `alone`, from which the other side is asked, too

PLACES = 3  # in which one change may be made: a year on both sides, say, and at the foot

# Another design has more than this:
ALONE, COLOUR = 2.5, 48.0
TIMES_DETAIL = 2.5  # as much as the pattern of a copy's window may differ from afar (`Difference.most_detail`)

# and of what is unchanged, more than this. A sharpened line's colour moves by 37.
SPOT_ALONE, SPOT_COLOUR, SPOT_DETAIL = 2.0, 40.0, 2.5


def is_worth_it(*afar: Difference) -> bool:
    """It costs four times as much, and of copies in which nothing stands out from afar hardly any is none."""
    return any(apart.alone > STANDS_OUT or apart.everywhere <= UNCHANGED for apart in afar)


def variant_close_up(one: Picture, other: Picture, afar: Comparison) -> Variant | None:
    """What the one proves to be that seemed a copy of the other; None where it is one. Both are the pictures close up.

    Small words in a page's margin may be too faint to be seen from afar, and were cut off: so they are looked at, too.
    """
    alignment = afar.alignment.at_size_of(one, other)
    found = _variant(alignment, afar)
    if found is None and (wider := alignment.cut_wider(one, other)) is not None:
        return _variant(wider, afar)
    return found


def _variant(alignment: Alignment, afar: Comparison) -> Variant | None:
    pair = align_again(alignment, afar.apart.coverage)
    apart = difference(pair, afar.tones, PLACES)
    if _other_colours(apart):
        return "colour_variant" if apart.same_lines else "text_variant"
    if _alone(apart) or _other_detail(apart):
        return "text_variant"
    if apart.alone <= EITHER:
        return None
    from_there = align_again(pair.alignment.inverse(), afar.apart.coverage)
    return "text_variant" if _alone(difference(from_there, tones_of(from_there), PLACES)) else None


def _other_colours(apart: Difference) -> bool:
    if apart.everywhere <= UNCHANGED:
        return apart.colour > SPOT_COLOUR
    return apart.everywhere < STILL and apart.colour > COLOUR


def _other_detail(apart: Difference) -> bool:
    spot = apart.everywhere <= UNCHANGED and apart.detail > SPOT_DETAIL
    return spot or apart.detail > TIMES_DETAIL * apart.most_detail


def _alone(apart: Difference) -> bool:
    return apart.alone > (SPOT_ALONE if apart.everywhere <= UNCHANGED else ALONE)
