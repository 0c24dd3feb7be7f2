"""The page that shows a draft as a buyer would meet it, with what the seller should know beside it. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from services.publisher.limits import DEFAULT_TAXONOMY_ID, LISTING_FEE_USD, Problem
from services.publisher.listing import ListingDraft

PAGES = Environment(
    loader=FileSystemLoader(Path(__file__).parent),
    autoescape=True,  # every text comes from a seller's template or file name
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


@dataclass(frozen=True)
class Shown:
    """A picture's place in the page."""

    path: str
    name: str
    size: str


def page(draft: ListingDraft, pictures: Sequence[str], download: str | None, problems: Sequence[Problem]) -> str:
    """The page; `pictures` and `download` are paths relative to it. It loads nothing else."""
    shown = [
        Shown(path, picture.name, f"{picture.width} x {picture.height}")
        for path, picture in zip(pictures, draft.pictures, strict=True)
    ]
    return PAGES.get_template("preview.html.jinja").render(
        draft=draft,
        pictures=shown,
        download=download,
        warnings=[*draft.notes, *(problem.text for problem in problems)],
        details=_details(draft),
        fee=f"{LISTING_FEE_USD:.2f} USD",
    )


def _details(draft: ListingDraft) -> list[tuple[str, str]]:
    sides = [side for side in (draft.item_length, draft.item_width, draft.item_height) if side]
    partners = ", ".join(map(str, draft.production_partner_ids))
    rows = [
        ("Type", "digital download" if draft.download else "physical item"),
        ("Quantity", str(draft.quantity)),
        ("Materials", ", ".join(draft.materials)),
        ("Who made it", draft.who_made.replace("_", " ").replace("i did", "I did")),
        ("When made", draft.when_made.replace("_", " ")),
        ("Category", str(draft.taxonomy_id or f"{DEFAULT_TAXONOMY_ID} (none chosen)")),
        ("Shop section", str(draft.shop_section_id or "")),
        ("Production partners", partners),
        ("Weight", f"{draft.item_weight:g} {draft.item_weight_unit or ''}" if draft.item_weight else ""),
        ("Size", f"{' x '.join(f'{side:g}' for side in sides)} {draft.item_dimensions_unit or ''}" if sides else ""),
        ("Taxable", "yes" if draft.is_taxable else "no"),
        ("Print file", draft.design_name),
        ("Template", draft.template_name),
    ]
    return [(name, value) for name, value in rows if value]
