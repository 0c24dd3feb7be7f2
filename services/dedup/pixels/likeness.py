"""Where the line lies between a copy and another design. Pure.

The figures come from `make accuracy` (docs/duplicates.md).
"""

from collections.abc import Sequence
from typing import Literal

from services.dedup.pixels.aligning import Pair, align
from services.dedup.pixels.close_up import Look, variant_close_up, worth_it
from services.dedup.pixels.differences import APART, DETAIL, UNCUT, Difference, difference
from services.dedup.pixels.picture import Picture
from services.dedup.pixels.profile import may_have_lost_it, without_profile
from services.dedup.pixels.tones import tones_of
from shared.contracts import Copy, Variant

Seen = Copy | Variant | Literal["different"]
COPIES = ("re_encode", "near_copy")
VARIANTS = ("text_variant", "colour_variant", "inverted", "mirrored")

LIKE = 0.7  # correlation below which two pictures have nothing to do with each other
COVERAGE = 0.94  # of a side: a copy may be cropped by so much less
COLOUR = 34.0  # levels by which the colour of a small window may be off in a copy
SURELY = 3.0  # times as much as that, and it is another design from whichever side
CLEAN, SPOT = 0.005, 4.0  # where nothing else differs, a spot does by so much: saved again, all would a little
ALONE = 2.1  # times as much as any other that one window of a copy may differ (`Difference.alone`), from either side
DOUBTFUL = 1.4  # times as much, from which what is a copy from one side is looked at from the other, too
FAINT_COLOUR, FAINT_DETAIL, FAINT_EDGES = 14.0, 34.0, 0.5  # a shifted edge leaves mean colours, and still lies nearby
TONED, TONED_COLOUR = 10.0, 20.0  # more than both, and it is in other colours: a copy is toned evenly
MOST_TONE = 20.0  # and no copy is toned by more
CAST = 16.0  # levels by which channels move apart in other colours: a tint by less, other light by next to none
STRANGE_EDGES, MUCH = 0.4, 5.0  # lines that lie elsewhere, over more than a twentieth of the picture
TONE = 3.0  # levels from which a copy was toned


def likeness(one: Picture, other: Picture) -> Seen:
    """What one picture is beside another, by their pixels, whichever was known first.

    What differs may have lost its colour profile only.
    """
    seen = _likeness(one, other)
    if seen in ("colour_variant", "text_variant") and (_lost_its_profile(one, other) or _lost_its_profile(other, one)):
        return "near_copy"
    return seen


def _lost_its_profile(picture: Picture, original: Picture) -> bool:
    return may_have_lost_it(picture, original) and _likeness(picture, without_profile(original)) in COPIES


def _likeness(one: Picture, other: Picture) -> Seen:
    """By their colours as they are.

    A copy may have lost what its original has: clipped lights can't be toned back. And what one can't be laid on may be
    laid on it. So what looks like no copy is looked at from the other side, too. But one window that differs alone does
    so from both sides, from one of them perhaps hardly: what the other shows clearly counts.

    The other side costs as much again, so it is asked in doubt only. A copy against which nothing speaks (DOUBTFUL)
    stays one; and of 1,000 drawings' copies it saved 55, none of which seemed to differ by SURELY, as most names on one
    template do.

    A digit that is three pixels high can't be told from what saving again does. So what is a copy from afar is looked
    at close up, too, if both pictures were kept so (`close_up`).
    """
    here = _look(one, other)
    seen = _seen(here)
    if here is not None and (_surely_other(here.apart) or (seen in COPIES and here.apart.alone <= DOUBTFUL)):
        return _close_up(seen, one, other, [here])
    there = _look(other, one)
    from_there = _seen(there)
    if seen in COPIES:
        seen = from_there if there is not None and there.apart.alone > ALONE else seen
        return _close_up(seen, one, other, [here, there])
    return _close_up(from_there, other, one, [there, here]) if from_there in COPIES else seen


def _close_up(seen: Seen, one: Picture, other: Picture, looks: Sequence[Look | None]) -> Seen:
    """What was seen by the first of these looks, or what a copy proves to be close up."""
    known = [look for look in looks if look is not None]
    if seen not in COPIES or not worth_it(*(look.apart for look in known)):
        return seen
    mine, theirs = one.close_up(), other.close_up()
    if mine is None or theirs is None:
        return seen
    return variant_close_up(mine, theirs, known[0]) or seen


def _look(one: Picture, other: Picture) -> Look | None:
    """None: they have nothing to do with each other."""
    pair = align(one, other)
    if pair is None or _unlike(pair):
        return None
    tones = tones_of(pair)
    return Look(pair.way, tones, difference(pair, tones))


def _seen(look: Look | None) -> Seen:
    return "different" if look is None else likeness_by(look.apart)


def likeness_by(apart: Difference) -> Seen:
    """What the figures say, of one side alone."""
    if _unlike(apart):
        return "different"
    if _other_detail(apart) or _other_lines(apart) or _other_colours(apart):
        return "colour_variant" if apart.same_lines and not _small_spot(apart) else "text_variant"
    return "near_copy" if apart.coverage < UNCUT or apart.tone > TONE else "re_encode"


def _surely_other(apart: Difference) -> bool:
    return apart.alone > ALONE or apart.detail > SURELY * apart.most_detail


def _unlike(two: Pair | Difference) -> bool:
    """So much so that nothing more need be known."""
    return two.correlation < LIKE or two.coverage < COVERAGE


def _other_detail(apart: Difference) -> bool:
    if apart.alone > ALONE or (apart.everywhere < CLEAN and apart.detail > SPOT):
        return True
    faint = apart.colour <= FAINT_COLOUR and apart.detail <= FAINT_DETAIL and apart.edges >= FAINT_EDGES
    return not faint and apart.detail > apart.most_detail


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
