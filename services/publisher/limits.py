"""What Etsy takes of a listing, in one table with its sources, and the check of a draft against it. Pure.

Read again when Etsy's API document changes; last checked against the document of 2026-08-17 on 2026-11-22. Sources:
OAS is Etsy's OpenAPI document, HELP its help pages, #n a thread of github.com/etsy/open-api, forum is hearsay.
"""

import math
import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Literal

from services.publisher.listing import MAX_FILE_NAME, Capabilities, ListingDraft

Level = Literal["enforced", "recommended", "folklore"]
"""enforced: Etsy refuses it. recommended and folklore: a warning."""


@dataclass(frozen=True)
class Limit:
    """One figure of the table."""

    value: float
    level: Level
    source: str


LIMITS = {
    "title characters": Limit(140, "enforced", "HELP"),
    "title words": Limit(14, "recommended", "HELP"),
    "tags": Limit(13, "enforced", "HELP"),
    "tag characters": Limit(20, "enforced", "HELP"),
    "materials": Limit(13, "folklore", "forum"),
    "quantity": Limit(999, "folklore", "forum"),
    "price": Limit(0.20, "folklore", "forum"),
    "pictures": Limit(20, "enforced", "OAS uploadListingImage, HELP"),
    "first picture side": Limit(635, "recommended", "HELP"),
    "download bytes": Limit(20 * 1024 * 1024, "enforced", "HELP"),
    "download name characters": Limit(MAX_FILE_NAME, "enforced", "HELP"),
}

DEFAULT_TAXONOMY_ID = 1071
"""Etsy's category for tumblers and water glasses, which the old system fell back on."""

LISTING_FEE_USD = 0.20
"""Etsy's fee for publishing or renewing a listing; a draft costs nothing (etsy.com/legal/fees)."""

WHO_MADE = ("i_did", "someone_else", "collective")
WHEN_MADE = re.compile(r"made_to_order|20\d\d_20\d\d|before_20\d\d|19\d0s|1[789]00s|before_1700")
MOVING_ERA = re.compile(r"2020_20\d\d|20\d\d_2009|2000_20\d\d|before_20\d\d")
WEIGHT_UNITS = ("oz", "lb", "g", "kg")
LENGTH_UNITS = ("in", "ft", "mm", "cm", "m", "yd", "inches")

ETSY = Capabilities(
    max_pictures=int(LIMITS["pictures"].value),
    max_tags=int(LIMITS["tags"].value),
    max_materials=int(LIMITS["materials"].value),
    create_takes_s=90,
    settles_after_s=60,
)


@dataclass(frozen=True)
class Problem:
    """What is wrong with a draft, in words that say what to do."""

    field: str
    level: Level
    text: str


def validate(draft: ListingDraft) -> tuple[Problem, ...]:
    """Everything that Etsy would refuse or advise against, known without asking it."""
    rules = (_title, _description, _tags, _materials, _figures, _made, _category, _pictures, _download)
    return tuple(chain.from_iterable(rule(draft) for rule in rules))


def _over(name: str, value: float) -> bool:
    return value > LIMITS[name].value


def _problem(field: str, limit: str, text: str) -> Problem:
    return Problem(field, LIMITS[limit].level, text)


def _refused(field: str, text: str) -> Problem:
    return Problem(field, "enforced", text)


def _title(draft: ListingDraft) -> Iterator[Problem]:
    title = draft.title
    if _over("title characters", len(title)):
        yield _problem(
            "title",
            "title characters",
            f"the title has {len(title)} characters; Etsy allows 140: shorten the template's",
        )
    # OAS createDraftListing: letters, digits, punctuation, mathematical symbols, spaces
    if bad := _foreign(title, lambda kind: kind[0] in "LP" or kind in {"Nd", "Sm", "Zs"}, "\u2122\u00a9\u00ae"):
        yield _refused("title", f"the title has {bad}, which Etsy refuses: take it out of the template's title")
    for sign in "%:&+":
        if title.count(sign) > 1:
            yield _refused("title", f"the title has '{sign}' {title.count(sign)} times; Etsy allows it once")
    if _over("title words", len(title.split())):
        yield _problem("title", "title words", f"the title has {len(title.split())} words; Etsy advises fewer than 15")


def _description(draft: ListingDraft) -> Iterator[Problem]:
    if not draft.description:
        yield _refused("description", "the description is empty; Etsy requires one: write it in the template")


def _tags(draft: ListingDraft) -> Iterator[Problem]:
    if _over("tags", len(draft.tags)):
        yield _problem("tags", "tags", f"{len(draft.tags)} tags; Etsy allows 13: remove some from the template")
    for tag in draft.tags:
        if _over("tag characters", len(tag)):
            yield _problem(
                "tags",
                "tag characters",
                f"tag '{tag}' has {len(tag)} characters; Etsy allows 20: shorten it in the template",
            )
        if tag.startswith(("'", "-")):
            yield _refused("tags", f"tag '{tag}' starts with {tag[0]}; Etsy refuses that: change it in the template")
        if bad := _foreign(tag, lambda kind: kind[0] == "L" or kind in {"Nd", "Zs"}, "-'\u2122\u00a9\u00ae"):
            yield _refused("tags", f"tag '{tag}' has {bad}, which Etsy refuses: use letters, digits, spaces, - and '")


def _materials(draft: ListingDraft) -> Iterator[Problem]:
    if _over("materials", len(draft.materials)):
        yield _problem("materials", "materials", f"{len(draft.materials)} materials; Etsy is said to take 13")
    for material in draft.materials:
        if bad := _foreign(material, lambda kind: kind[0] == "L" or kind in {"Nd", "Zs"}, ""):
            yield _refused(
                "materials", f"material '{material}' has {bad}, which Etsy refuses: use letters, digits and spaces"
            )


def _figures(draft: ListingDraft) -> Iterator[Problem]:
    if not (math.isfinite(draft.price) and draft.price > 0):
        yield _refused("price", f"the price is {draft.price}; Etsy requires more than 0: set it in the template")
    elif draft.price < LIMITS["price"].value:
        yield _problem("price", "price", f"the price is {draft.price:.2f}; Etsy is said to require 0.20")
    if draft.quantity < 1:
        yield _refused(
            "quantity", f"the quantity is {draft.quantity}; Etsy requires at least 1: set it in the template"
        )
    elif _over("quantity", draft.quantity):
        yield _problem("quantity", "quantity", f"the quantity is {draft.quantity}; Etsy is said to allow 999")
    for name in ("item_weight", "item_length", "item_width", "item_height"):
        value = getattr(draft, name)
        if value is not None and not (math.isfinite(value) and value > 0):
            yield _refused(name, f"{name} is {value}; Etsy requires more than 0, or nothing at all")
    for name, units in (("item_weight_unit", WEIGHT_UNITS), ("item_dimensions_unit", LENGTH_UNITS)):
        if (unit := getattr(draft, name)) is not None and unit not in units:
            yield _refused(name, f"{name} is '{unit}'; Etsy knows {', '.join(units)}")


def _made(draft: ListingDraft) -> Iterator[Problem]:
    if draft.who_made not in WHO_MADE:
        yield _refused("who_made", f"who_made is '{draft.who_made}'; Etsy knows {', '.join(WHO_MADE)}")
    if draft.who_made == "someone_else" and not draft.production_partner_ids:  # 365, 539
        yield _refused("who_made", "made by someone else without a production partner, which Etsy refuses: name one")
    if not WHEN_MADE.fullmatch(draft.when_made):
        yield _refused("when_made", f"when_made is '{draft.when_made}', which Etsy does not know: use made_to_order")
    elif MOVING_ERA.fullmatch(draft.when_made):
        text = f"when_made '{draft.when_made}' is an era that Etsy renames every January: made_to_order stays valid"
        yield Problem("when_made", "recommended", text)


def _category(draft: ListingDraft) -> Iterator[Problem]:
    if draft.taxonomy_id is None:
        text = "the template has no category: tumblers and water glasses (1071) is used; choose one in the template"
        yield Problem("taxonomy_id", "recommended", text)
    elif draft.taxonomy_id < 1:
        yield _refused("taxonomy_id", f"the category is {draft.taxonomy_id}; Etsy's start at 1: choose one")


def _pictures(draft: ListingDraft) -> Iterator[Problem]:
    # HELP's 2000 pixels on both sides are no rule here: mockups are 2000 long, and no photograph but a square one
    # could follow it
    if not draft.pictures:
        yield Problem("pictures", "recommended", "there is no picture; Etsy publishes a draft only with one")
        return
    if _over("pictures", len(draft.pictures)):
        yield _problem("pictures", "pictures", f"{len(draft.pictures)} pictures; Etsy allows 20")
    first = draft.pictures[0]
    if min(first.width, first.height) < LIMITS["first picture side"].value:
        text = f"the first picture is {first.width} x {first.height} pixels; Etsy wants 635 on each side"
        yield _problem("pictures", "first picture side", text)


def _download(draft: ListingDraft) -> Iterator[Problem]:
    if draft.download is None:
        return
    size = draft.download.content.size
    if _over("download bytes", size):
        text = f"the file {draft.download.name} has {size / 2**20:.1f} MB; Etsy allows 20: export it smaller"
        yield _problem("download", "download bytes", text)


def _foreign(text: str, allowed: Callable[[str], bool], also: str) -> str:
    """The characters outside the allowed Unicode categories, quoted, or nothing."""
    bad = {sign for sign in text if sign not in also and not allowed(unicodedata.category(sign))}
    return ", ".join(f"'{sign}'" if sign.isprintable() else f"U+{ord(sign):04X}" for sign in sorted(bad))
