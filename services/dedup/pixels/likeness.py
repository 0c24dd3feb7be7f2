"""Where the line lies between a copy and another design. Pure.

Its limits were chosen by `make accuracy` (docs/duplicates.md). What the figures that they are held against mean, and
their units, is told by `Difference`.
"""

from collections.abc import Sequence
from typing import Literal

from services.dedup.pixels.aligning import SPARED, AlignedPair, align
from services.dedup.pixels.close_up import is_worth_it, variant_close_up
from services.dedup.pixels.differences import APART, DETAIL, Comparison, Difference, difference
from services.dedup.pixels.picture import Picture
from services.dedup.pixels.profile import may_have_lost_it, without_profile
from services.dedup.pixels.tones import tones_of
from shared.contracts import Copy, Variant

Seen = Copy | Variant | Literal["different"]
"""What one picture is beside another: by pixels, one of the COPIES or VARIANTS, or a different one."""
COPIES = ("re_encode", "near_copy")
VARIANTS = ("text_variant", "colour_variant", "inverted", "mirrored")

LIKE = 0.7  # correlation below which two pictures have nothing to do with each other
COVERAGE = 1 - SPARED  # below which one lacks more of the other than a copy may

# What differs. Its detail: another text, word or drawing
SURELY = 3.0  # times `most_detail` from which it is another design, and the other side need not be asked
CLEAN, SPOT = 0.005, 4.0  # `everywhere` below which nothing was saved again, and `detail` that a spot may then have
ALONE = 2.1  # `alone` that a copy may have, from either side
DOUBTFUL = 1.4  # `alone` from which what is a copy from one side is looked at from the other, too
FAINT_COLOUR, FAINT_DETAIL = 14.0, 34.0  # up to both of which an edge may only have moved a little,
FAINT_EDGES = 0.5  # if `edges` is this at least: it still lies nearby

# Its lines: they lie elsewhere all over
STRANGE_EDGES, MUCH = 0.4, 5.0  # `edges` below which, and `everywhere` above which it is so

# Its colours
COLOUR = 34.0  # `colour` that a copy may have
MOST_TONE = 20.0  # `tone` that a copy may have,
TONED, TONED_COLOUR = 10.0, 20.0  # but not `tone` and `colour` above both of these: a copy is toned evenly
CAST = 16.0  # `cast` that a copy may have: a tint has less, other light next to none

# What kind of copy it is
UNCUT = 0.995  # `coverage` from which it was not cropped
TONE = 3.0  # `tone` above which it was toned


def likeness(one: Picture, other: Picture) -> Seen:
    """What one picture is beside another, by their pixels, whichever was known first.

    What is in other colours may only have lost its colour profile, so it is compared once more as if it had.
    """
    seen = _likeness_as_coloured(one, other)
    if seen in ("colour_variant", "text_variant") and (_lost_its_profile(one, other) or _lost_its_profile(other, one)):
        return "near_copy"
    return seen


def _lost_its_profile(picture: Picture, original: Picture) -> bool:
    return may_have_lost_it(picture, original) and _likeness_as_coloured(picture, without_profile(original)) in COPIES


def _likeness_as_coloured(one: Picture, other: Picture) -> Seen:
    """By their colours as they are: from one side (the other laid on the one), in doubt from the other, then close up.

    A copy may have lost what its original has: clipped lights can't be toned back. And what one can't be laid on may be
    laid on it. So what looks like no copy is looked at from the other side, too. But one window that differs alone does
    so from both sides, from one of them perhaps hardly: what the other shows clearly counts.

    The other side costs as much again, so it is not asked about a copy against which nothing speaks (DOUBTFUL), nor
    about what differs by too much for one (SURELY, ALONE), as most names on one template do: of 1,000 drawings' copies
    the other side saved 55, and none of these differed by SURELY.

    A digit that is three pixels high can't be told from what saving again does. So what is a copy from afar is looked
    at close up, too, if both pictures were kept so (`close_up`).
    """
    here = _compared(one, other)
    seen = _seen_by(here)
    if here is not None and (_surely_other(here.apart) or (seen in COPIES and here.apart.alone <= DOUBTFUL)):
        return _close_up(seen, one, other, [here])
    there = _compared(other, one)
    from_there = _seen_by(there)
    if seen in COPIES:
        seen = from_there if there is not None and there.apart.alone > ALONE else seen
        return _close_up(seen, one, other, [here, there])
    return _close_up(from_there, other, one, [there, here]) if from_there in COPIES else seen


def _close_up(seen: Seen, one: Picture, other: Picture, afar: Sequence[Comparison | None]) -> Seen:
    """What was seen from afar, the one picture's side first; or what such a copy proves to be close up."""
    compared = [each for each in afar if each is not None]
    if seen not in COPIES or not is_worth_it(*(each.apart for each in compared)):
        return seen
    mine, theirs = one.close_up(), other.close_up()
    if mine is None or theirs is None:
        return seen
    return variant_close_up(mine, theirs, compared[0]) or seen


def _compared(one: Picture, other: Picture) -> Comparison | None:
    """The other picture laid on the one; None: they have nothing to do with each other."""
    pair = align(one, other)
    if pair is None or _unlike(pair):
        return None
    tones = tones_of(pair)
    return Comparison(pair.alignment, tones, difference(pair, tones))


def _seen_by(comparison: Comparison | None) -> Seen:
    return "different" if comparison is None else likeness_by(comparison.apart)


def likeness_by(apart: Difference) -> Seen:
    """What the figures say, of one side alone."""
    if _unlike(apart):
        return "different"
    if _other_detail(apart) or _other_lines(apart) or _other_colours(apart):
        return "colour_variant" if apart.same_lines and not _small_spot(apart) else "text_variant"
    return "near_copy" if apart.coverage < UNCUT or apart.tone > TONE else "re_encode"


def _surely_other(apart: Difference) -> bool:
    return apart.alone > ALONE or apart.detail > SURELY * apart.most_detail


def _unlike(two: AlignedPair | Difference) -> bool:
    """So much so that nothing more need be known: they are different pictures."""
    return two.correlation < LIKE or two.coverage < COVERAGE


def _other_detail(apart: Difference) -> bool:
    if apart.alone > ALONE or (apart.everywhere < CLEAN and apart.detail > SPOT):
        return True
    faint = apart.colour <= FAINT_COLOUR and apart.detail <= FAINT_DETAIL and apart.edges >= FAINT_EDGES
    return not faint and apart.detail > apart.most_detail


def _small_spot(apart: Difference) -> bool:
    """Whether one window alone differs, by too little to tell whether its edges are where the other's are."""
    return apart.alone > ALONE and apart.detail <= APART and not _other_colours(apart)


def _other_colours(apart: Difference) -> bool:
    uneven = apart.tone > TONED and apart.colour > TONED_COLOUR
    return apart.colour > COLOUR or apart.tone > MOST_TONE or apart.cast > CAST or uneven


def _other_lines(apart: Difference) -> bool:
    """Fine lines all over that are not where the other's are, though they look alike from afar: no copy's are."""
    astray = apart.detail > DETAIL and apart.everywhere > MUCH and apart.edges < STRANGE_EDGES
    return astray and apart.colour > FAINT_COLOUR
