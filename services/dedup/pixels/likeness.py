"""Where the line lies between a copy and another design. Pure.

The figures come from `make accuracy` (docs/duplicates.md).
"""

from typing import Literal

from services.dedup.pixels.aligning import Pair, align
from services.dedup.pixels.differences import APART, UNCUT, Difference, difference
from services.dedup.pixels.picture import Picture
from shared.contracts import Copy, Variant

Seen = Copy | Variant | Literal["different"]
COPIES = ("re_encode", "near_copy")
VARIANTS = ("text_variant", "colour_variant", "inverted", "mirrored")

LIKE = 0.7  # correlation below which two pictures have nothing to do with each other
COVERAGE = 0.94  # of a side: a copy may be cropped by so much less
COLOUR = 34.0  # levels by which the colour of a small window may be off in a copy
DETAIL = 12.0  # levels by which the pattern of a small window may
SPREAD_OUT = 50.0  # and so many times more than one window in twenty is: what is everywhere is no other text
MOST_DETAIL = 80.0  # but no more than this
SURELY = 3.0  # times as much as that, and it is another design from whichever side
CLEAN, SPOT = 0.005, 4.0  # where nothing else differs, a spot does by so much: saved again, all would a little
ALONE = 2.1  # times as much as any other that one window of a copy may differ (`Difference.alone`), from either side
STANDS_OUT = 0.4  # times as much, from which what is a copy is looked at close up
CLOSE_ALONE, CLOSE_COLOUR, CLOSE_SURELY = 2.5, 48.0, 2.5  # what tells another design there
STILL = 0.1  # levels everywhere, up to which colour tells there: the fine lines of what was blurred have others, too
EITHER = 1.0  # times as much, from which it is looked at from the other side there
UNCHANGED = 0.0002  # levels everywhere, up to which nothing was saved again: any spot is the seller's doing
SPOT_ALONE, SPOT_COLOUR, SPOT_DETAIL = 2.0, 20.0, 2.5  # of what is unchanged, close up
DOUBTFUL = 1.4  # times as much, from which what is a copy from one side is looked at from the other, too
FAINT_COLOUR, FAINT_DETAIL, FAINT_EDGES = 14.0, 34.0, 0.5  # a shifted edge leaves mean colours, and still lies nearby
TONED, TONED_COLOUR = 10.0, 20.0  # more than both, and it is in other colours: a copy is toned evenly
MOST_TONE = 20.0  # and no copy is toned by more
CAST = 16.0  # levels by which channels move apart in other colours: a tint by less, other light by next to none
SAME_EDGES = 0.7  # from which only colours are others
STRANGE_EDGES, MUCH = 0.4, 5.0  # lines that lie elsewhere, over more than a twentieth of the picture
TONE = 3.0  # levels from which a copy was toned


def likeness(one: Picture, other: Picture) -> Seen:
    """What one picture is beside another, by their pixels, whichever was known first.

    A copy may have lost what its original has: clipped lights can't be toned back. And what one can't be laid on may be
    laid on it. So what looks like no copy is looked at from the other side, too. But one window that differs alone does
    so from both sides, from one of them perhaps hardly: what the other shows clearly counts.

    The other side costs as much again, so it is asked in doubt only. A copy against which nothing speaks (DOUBTFUL)
    stays one; and of 1,000 drawings' copies it saved 55, none of which seemed to differ by SURELY, as most names on one
    template do.

    A digit that is three pixels high can't be told from what saving again does. So a copy of which some window stands
    out is looked at close up, too, if both pictures were kept so; and one that seems unchanged. That costs four times
    as much, for half of the copies.
    """
    apart = _apart(one, other)
    seen = _seen(apart)
    if apart is not None and (_surely_other(apart) or (seen in COPIES and apart.alone <= DOUBTFUL)):
        return _close_up(seen, one, other, apart)
    turned = _apart(other, one)
    from_there = _seen(turned)
    if seen in COPIES:
        seen = from_there if turned is not None and turned.alone > ALONE else seen
    elif from_there in COPIES:
        seen = from_there
    return _close_up(seen, one, other, apart, turned)


def _close_up(seen: Seen, one: Picture, other: Picture, *sides: Difference | None) -> Seen:
    """What was seen, by the differences from these sides; or what a copy proves to be where every pixel is four."""
    if seen not in COPIES or not any(side and _worth_a_closer_look(side) for side in sides):
        return seen
    mine, theirs = one.close_up(), other.close_up()
    if mine is None or theirs is None or (apart := _apart(mine, theirs)) is None:
        return seen
    if _other_colours_there(apart):
        return "colour_variant" if apart.edges > SAME_EDGES else "text_variant"
    if _alone_there(apart) or _other_detail_there(apart):
        return "text_variant"
    turned = _apart(theirs, mine) if apart.alone > EITHER else None
    return "text_variant" if turned is not None and _alone_there(turned) else seen


def _worth_a_closer_look(apart: Difference) -> bool:
    return apart.alone > STANDS_OUT or apart.everywhere <= UNCHANGED


def _other_colours_there(apart: Difference) -> bool:
    if apart.everywhere <= UNCHANGED:
        return apart.colour > SPOT_COLOUR
    return apart.everywhere < STILL and apart.colour > CLOSE_COLOUR


def _other_detail_there(apart: Difference) -> bool:
    spot = apart.everywhere <= UNCHANGED and apart.detail > SPOT_DETAIL
    return spot or apart.detail > CLOSE_SURELY * _most_detail(apart)


def _alone_there(apart: Difference) -> bool:
    return apart.alone > (SPOT_ALONE if apart.everywhere <= UNCHANGED else CLOSE_ALONE)


def _apart(one: Picture, other: Picture) -> Difference | None:
    """None: they have nothing to do with each other."""
    pair = align(one, other)
    return None if pair is None or _unlike(pair) else difference(pair)


def _seen(apart: Difference | None) -> Seen:
    return "different" if apart is None else likeness_by(apart)


def likeness_by(apart: Difference) -> Seen:
    """What the figures say, of one side alone."""
    if _unlike(apart):
        return "different"
    if _other_detail(apart) or _other_lines(apart) or _other_colours(apart):
        return "colour_variant" if apart.edges > SAME_EDGES and not _small_spot(apart) else "text_variant"
    return "near_copy" if apart.coverage < UNCUT or apart.tone > TONE else "re_encode"


def _surely_other(apart: Difference) -> bool:
    return apart.alone > ALONE or apart.detail > SURELY * _most_detail(apart)


def _most_detail(apart: Difference) -> float:
    """Levels by which the pattern of a copy's window may differ."""
    return min(MOST_DETAIL, DETAIL + SPREAD_OUT * apart.everywhere)


def _unlike(two: Pair | Difference) -> bool:
    """So much so that nothing more need be known."""
    return two.correlation < LIKE or two.coverage < COVERAGE


def _other_detail(apart: Difference) -> bool:
    if apart.alone > ALONE or (apart.everywhere < CLEAN and apart.detail > SPOT):
        return True
    faint = apart.colour <= FAINT_COLOUR and apart.detail <= FAINT_DETAIL and apart.edges >= FAINT_EDGES
    return not faint and apart.detail > _most_detail(apart)


def _small_spot(apart: Difference) -> bool:
    """One that differs by too little to tell whether its edges are where the other's are; and nothing else does."""
    return apart.alone > ALONE and apart.detail <= APART and not _other_colours(apart)


def _other_colours(apart: Difference) -> bool:
    uneven = apart.tone > TONED and apart.colour > TONED_COLOUR
    return apart.colour > COLOUR or apart.tone > MOST_TONE or apart.cast > CAST or uneven


def _other_lines(apart: Difference) -> bool:
    """Fine lines all over that are not where the other's are, though they look alike from afar: no copy's are."""
    astray = apart.detail > DETAIL and apart.everywhere > MUCH and apart.edges < STRANGE_EDGES
    return astray and apart.colour > FAINT_COLOUR
