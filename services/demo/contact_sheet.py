"""One picture of all mockups: a strip for each design."""

import re
from collections.abc import Mapping, Sequence
from itertools import groupby
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont, ImageOps

TILE, GAP, LABEL, MARGIN, HEADER = 196, 6, 26, 28, 78
PAPER, CARD, INK, FAINT = "#eceae6", "#ffffff", "#23262b", "#7a7d83"
STRIPS_ACROSS = 4
NAME = re.compile(r"^(?P<design>\S+ \d+) .*_BG_(?P<picture>\d+)\.jpg$")


def mockups(folder: Path) -> list[list[Path]]:
    """The rendered mockups in a folder, a list for each design, by its number and then by photograph."""
    found = []
    for path in folder.glob("*.jpg"):
        parts = NAME.match(path.name)
        if parts:
            kind, number = parts["design"].split(" ")
            found.append(((kind, int(number)), int(parts["picture"]), path))
    return [[path for *_, path in strip] for _, strip in groupby(sorted(found), key=lambda entry: entry[0])]


def design_number(file_name: str) -> str:
    """`DTF 100` of `DTF 100 Art_100.png` and of `DTF 100 Art_100_BG_0.jpg`: how people call a design."""
    return " ".join(file_name.split(" ")[:2])


def contact_sheet(
    strips: Sequence[Sequence[Path]], title: str, captions: Mapping[str, str] | None = None
) -> Image.Image:
    """The mockups of each design side by side under a headline; below, its number and what `captions` has for that.

    Raises:
        ValueError: there are no mockups.
    """
    if not strips:
        raise ValueError("there are no mockups to show")
    tiles = max(len(strip) for strip in strips)
    across = min(STRIPS_ACROSS, len(strips))
    wide, high = tiles * (TILE + GAP) + 3 * GAP, TILE + LABEL + 2 * GAP
    rows = -(-len(strips) // across)
    size = (across * wide + (across - 1) * MARGIN + 2 * MARGIN, HEADER + rows * (high + 2 * GAP) + MARGIN)
    sheet = Image.new("RGB", size, PAPER)
    draw = ImageDraw.Draw(sheet)
    draw.text((MARGIN, HEADER / 2), title, INK, ImageFont.load_default(30), anchor="lm")
    for index, strip in enumerate(strips):
        left = MARGIN + index % across * (wide + MARGIN)
        top = HEADER + index // across * (high + 2 * GAP)
        draw.rounded_rectangle((left, top, left + wide, top + high), 8, CARD)
        for place, path in enumerate(strip):
            sheet.paste(_tile(path), (left + 2 * GAP + place * (TILE + GAP), top + 2 * GAP))
        number = design_number(strip[0].name)
        caption = f"{number}   {(captions or {}).get(number, '')}"
        draw.text((left + 2 * GAP, top + high - LABEL / 2 - 1), caption, FAINT, ImageFont.load_default(15), anchor="lm")
    return sheet


def _tile(path: Path) -> Image.Image:
    """The middle of a mockup, reduced to a tile."""
    with Image.open(path) as picture:
        picture.draft("RGB", (2 * TILE, 2 * TILE))  # decodes at a fraction of the size
        return ImageOps.fit(picture.convert("RGB"), (TILE, TILE), Image.Resampling.LANCZOS)
