"""Twins that were also saved in another way: they differ from the original all over, and are another design still."""

from collections.abc import Iterator, Mapping
from random import Random

from PIL import Image

from tests.accuracy.copies import COPIES, GENTLE, WHITE, on, saved
from tests.accuracy.designs import OTHER_WORDS, Design, small_year, with_last_digit
from tests.accuracy.visible import visible

File = tuple[str, bool, bytes]
"""The kind, whether it is a copy of the original, and what lies in it."""


def words_saved_again(image: Image.Image, twins: Mapping[str, Image.Image], dice: Random) -> Iterator[File]:
    """Those of the twins that say something else, each saved in one gentle way."""
    for kind, twin in twins.items():
        if kind in OTHER_WORDS and (data := _again(image, twin, dice)):
            yield f"{kind}, saved again", False, data


def small_captions(design: Design, dice: Random) -> tuple[Image.Image, list[File]]:
    """An original with a small year, and its files: saved again; another last digit; and both."""
    small = small_year(design, dice)
    image, twin = small.image(), with_last_digit(small, dice).image()
    files = [("small caption, saved again", True, COPIES[dice.choice(GENTLE)](image, dice))]
    if visible(image, twin):
        files.append(("small last digit", False, saved(twin)))
        files += [
            ("small last digit, saved again", False, data) for _ in range(2) if (data := _again(image, twin, dice))
        ]
    return image, files


def _again(image: Image.Image, twin: Image.Image, dice: Random) -> bytes | None:
    """None for pale words that nobody reads on the white that they would be laid on."""
    way = dice.choice(GENTLE)
    if "on white" in way and not visible(*(on(each, WHITE).convert("RGBA") for each in (image, twin))):
        return None
    return COPIES[way](twin, dice)
