"""What a listing says: from rendered mockups to a draft that no shop has seen yet. Pure."""

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from shared.contracts import Blob, ListingTemplate, MockupsRendered

MAX_FILE_NAME = 70  # characters of a download's name at Etsy, of A-Z a-z 0-9 . _ -


@dataclass(frozen=True)
class Capabilities:
    """What a shop takes of a draft, how long a create may go on, and how soon after a write reads show it."""

    max_pictures: int
    max_tags: int
    max_materials: int
    create_takes_s: float
    settles_after_s: float


class Value(BaseModel):
    """A frozen part of a draft."""

    model_config = ConfigDict(frozen=True)


class Picture(Value):
    """One product picture; `rank` counts from 1, and 1 is what a buyer sees first."""

    rank: int = Field(ge=1)
    image: Blob
    name: str
    width: int
    height: int


class Download(Value):
    """The file that a buyer of a digital listing gets."""

    content: Blob
    name: str


class ListingDraft(Value):
    """A listing in neutral terms. Price is in major units of the shop's currency."""

    shop: str
    design_name: str
    template_id: UUID
    template_name: str
    mockup_id: UUID
    type: Literal["physical", "download"]
    title: str
    description: str
    price: float
    quantity: int
    tags: tuple[str, ...]
    materials: tuple[str, ...]
    who_made: str
    when_made: str
    taxonomy_id: int | None
    shop_section_id: int | None
    return_policy_id: int | None
    production_partner_ids: tuple[int, ...]
    is_taxable: bool
    item_weight: float | None
    item_weight_unit: str | None
    item_length: float | None
    item_width: float | None
    item_height: float | None
    item_dimensions_unit: str | None
    pictures: tuple[Picture, ...]
    download: Download | None
    notes: tuple[str, ...] = Field(description="what the seller should know: left out here, or warned of upstream")


class Words(Value):
    """What a draft at a shop is known by before it has pictures: it must keep them as create was called with them."""

    title: str
    price: float
    quantity: int


def draft_of(event: MockupsRendered, shop: Capabilities) -> ListingDraft:
    """The draft for one design. What a shop has no room for is left out and noted; nothing is reworded."""
    template = event.template
    digital = event.digital or template.type == "download"
    notes = list(event.warnings)
    tags = _first(_distinct(template.tags), shop.max_tags, "tag", notes)
    materials = _first(_distinct(template.materials), shop.max_materials, "material", notes)
    mockups = event.mockups[: shop.max_pictures]
    if len(event.mockups) > len(mockups):
        notes.append(
            f"{len(event.mockups)} pictures were rendered, the shop takes {len(mockups)}: the rest is left out"
        )
    return ListingDraft(
        shop=event.shop,
        design_name=event.design_name,
        template_id=template.template_id,
        template_name=template.name,
        mockup_id=event.mockup_id,
        type="download" if digital else "physical",
        title=_title(event.design_name, template),
        description=template.description.strip(),
        price=template.price,
        quantity=template.quantity,
        tags=tags,
        materials=materials,
        who_made=template.who_made or "i_did",
        when_made=template.when_made or "made_to_order",
        taxonomy_id=template.taxonomy_id,
        shop_section_id=template.shop_section_id,
        return_policy_id=template.return_policy_id,
        production_partner_ids=template.production_partner_ids,
        is_taxable=template.is_taxable,
        item_weight=template.item_weight or None,  # the screens save "not given" as 0, which Etsy answers with 500
        item_weight_unit=template.item_weight_unit or None,
        item_length=template.item_length or None,
        item_width=template.item_width or None,
        item_height=template.item_height or None,
        item_dimensions_unit=template.item_dimensions_unit or None,
        pictures=tuple(
            Picture(rank=rank, image=mockup.image, name=mockup.filename, width=mockup.width, height=mockup.height)
            for rank, mockup in enumerate(mockups, start=1)
        ),
        download=Download(content=event.design, name=_file_name(event.design_name)) if digital else None,
        notes=tuple(notes),
    )


def publish_key(draft: ListingDraft, design: Blob) -> str:
    """Names the listing for ever: the same design, template and mockup group in a shop are one listing. 64 hex."""
    facts = [draft.shop, design.sha256, str(draft.template_id), str(draft.mockup_id)]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()


def words_of(draft: ListingDraft) -> Words:
    """The words by which a draft at the shop is known as this one, while it has no pictures."""
    return Words(title=draft.title, price=draft.price, quantity=draft.quantity)


def sku(design_name: str) -> str:
    """What order fulfilment finds the print file by: its first two words, like UV 100."""
    return " ".join(PurePosixPath(design_name).stem.split()[:2])


def design_of(words: Words) -> str:
    """The design that a listing with these words was made of, like UV 100."""
    return " ".join(words.title.split()[:2])


def content_hash(draft: ListingDraft) -> str:
    """Tells whether two drafts of one listing say the same. 64 hex digits."""
    return hashlib.sha256(draft.model_dump_json(exclude={"notes"}).encode()).hexdigest()


def _title(design_name: str, template: ListingTemplate) -> str:
    # Order fulfilment finds the print file by these two words, so they stay as they are and come first.
    return " ".join([*sku(design_name).split(), *(template.title.split() or ["|", *template.name.split()])])


def _distinct(texts: Sequence[str]) -> list[str]:
    found: dict[str, str] = {}  # Etsy compares without case: "You may not have duplicate tags"
    for text in texts:
        found.setdefault(" ".join(text.split()).casefold(), " ".join(text.split()))
    return [text for text in found.values() if text]


def _first(texts: list[str], room: int, what: str, notes: list[str]) -> tuple[str, ...]:
    if len(texts) > room:
        left_out = ", ".join(texts[room:])
        notes.append(f"the template has {len(texts)} {what}s, the shop takes {room}: left out {left_out}")
    return tuple(texts[:room])


def _file_name(design_name: str) -> str:
    path = PurePosixPath(re.sub(r"[^A-Za-z0-9._-]+", "-", design_name))
    return path.stem[: MAX_FILE_NAME - len(path.suffix)] + path.suffix
