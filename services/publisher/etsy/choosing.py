"""What a listing takes from the shop that it goes to: chosen by the seller in set-up, never guessed. Pure."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from services.publisher.encoding import Account
from services.publisher.limits import Problem
from services.publisher.listing import ListingDraft

SETUP = "choose one: presswork etsy setup"


KINDS = {
    "shipping_profile_id": "shipping profile",
    "readiness_state_id": "processing profile (readiness state)",
    "return_policy_id": "return policy",
    "shop_section_id": "shop section",
    "taxonomy_id": "category",
    "production_partner_ids": "production partner",
}


class Part(BaseModel):
    """A frozen value."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Chosen(Part):
    """What the seller chose. A template's own section, category, return policy and partners go before these."""

    shipping_profile_id: int | None = Field(default=None, ge=1)
    readiness_state_id: int | None = Field(default=None, ge=1)
    return_policy_id: int | None = Field(default=None, ge=1)
    shop_section_id: int | None = Field(default=None, ge=1)
    taxonomy_id: int | None = Field(default=None, ge=1)
    production_partner_ids: tuple[int, ...] = ()


class Choices(Chosen):
    """What was chosen for all of the shop's listings, and for those of single templates, which goes first.

    With `skus` each listing gets one, "UV 100": one call more.
    """

    templates: dict[UUID, Chosen] = Field(default_factory=dict)
    skus: bool = False

    def of(self, template_id: UUID) -> Chosen:
        """What holds for the listings of this template."""
        own = self.templates.get(template_id, Chosen())
        return Chosen(**{kind: getattr(own, kind) or getattr(self, kind) for kind in KINDS})

    def changed(self, template_id: UUID | None, chosen: Chosen) -> "Choices":
        """These choices, but with others for the shop, or for this template."""
        if template_id is None:
            return self.model_copy(update=dict(chosen))
        return self.model_copy(update={"templates": {**self.templates, template_id: chosen}})


class Option(Part):
    """One thing to choose."""

    id: int
    name: str


class Options(Part):
    """What a shop has to choose from."""

    shipping_profile_id: tuple[Option, ...] = ()
    readiness_state_id: tuple[Option, ...] = ()
    return_policy_id: tuple[Option, ...] = ()
    shop_section_id: tuple[Option, ...] = ()
    production_partner_ids: tuple[Option, ...] = ()
    taxonomy_id: tuple[Option, ...] = ()

    def name(self, kind: str, number: int) -> str | None:
        """What it is called; None: the shop has no such thing."""
        return next((each.name for each in getattr(self, kind) if each.id == number), None)


def refusals(chosen: Chosen, options: Options) -> list[str]:
    """Why these choices can't be kept: each must be one of the shop's."""
    return [
        f"the shop has no {KINDS[kind]} {number}"
        for kind in KINDS
        for number in _numbers(getattr(chosen, kind))
        if options.name(kind, number) is None
    ]


def resolved(draft: ListingDraft, choices: Choices, options: Options | None) -> tuple[ListingDraft, list[Problem]]:
    """The draft with what it takes from set-up, and what the seller should know or must choose first."""
    set_up = choices.of(draft.template_id)
    taken: dict[str, Any] = {}
    problems: list[Problem] = []
    for kind in ("shop_section_id", "return_policy_id", "taxonomy_id"):
        given, chosen = getattr(draft, kind), getattr(set_up, kind)
        if given is not None and options and options.name(kind, given) is None and chosen is not None:
            text = f"the template's {KINDS[kind]} {given} is none of this Etsy shop's: that of the set-up is used"
            problems.append(Problem(kind, "recommended", text))
            given = None
        taken[kind] = chosen if given is None else given
    taken["production_partner_ids"] = draft.production_partner_ids or set_up.production_partner_ids
    return draft.model_copy(update=taken), [*problems, *_missing(draft, taken, set_up)]


def account_of(shop_id: int, chosen: Chosen) -> Account:
    """What the request takes from the shop; `resolved` has seen to the rest."""
    return Account(str(shop_id), str(chosen.shipping_profile_id or ""), str(chosen.readiness_state_id or ""))


def _missing(draft: ListingDraft, found: dict[str, Any], chosen: Chosen) -> Iterator[Problem]:
    if found["taxonomy_id"] is None:
        yield Problem("taxonomy_id", "enforced", f"neither the template nor the set-up has a category: {SETUP}")
    if draft.type != "physical":
        return
    for kind in ("shipping_profile_id", "readiness_state_id"):
        if getattr(chosen, kind) is None:
            text = f"Etsy wants a {KINDS[kind]} for a physical listing, and none was chosen: {SETUP}"
            yield Problem(kind, "enforced", text)
    if found["return_policy_id"] is None:
        text = "no return policy was chosen: Etsy takes the draft, and may refuse to publish it"
        yield Problem("return_policy_id", "recommended", text)


def _numbers(given: int | tuple[int, ...] | None) -> tuple[int, ...]:
    return given if isinstance(given, tuple) else (given,) if given else ()
