"""What Etsy refuses of a listing, as it was observed or is said in its document; written apart from our own limits."""

import re
import unicodedata
from collections.abc import Mapping
from typing import Any

from services.etsy_fake import forms
from services.etsy_fake.setup import choices
from services.etsy_fake.state import EtsyError, Listing, Seller

REQUIRED = ("quantity", "title", "description", "price", "who_made", "when_made", "taxonomy_id")
WHO, KINDS = ("i_did", "someone_else", "collective"), ("physical", "download", "both")
INTS = ("quantity", "taxonomy_id", "shipping_profile_id", "return_policy_id", "shop_section_id", "readiness_state_id")
FLOATS = ("price", "item_weight", "item_length", "item_width", "item_height")
TEXTS = ("title", "description", "who_made", "when_made", "type", "item_weight_unit", "item_dimensions_unit")
WHEN = re.compile(r"made_to_order|2020_2026|2010_2019|200\d_2009|before_20\d\d|\d{4}s|before_1700")


def parsed(form: Mapping[str, str]) -> dict[str, Any]:
    """The fields by their types; those that were not sent are absent."""
    found: dict[str, Any] = {name: form[name] for name in TEXTS if name in form}
    found |= {name: forms.number(form, name) for name in INTS if name in form}
    found |= {name: forms.decimal(form, name) for name in FLOATS if name in form}
    for name in ("tags", "materials"):
        if (words := forms.texts(form, name)) is not None:
            found[name] = words
    if (partners := forms.numbers(form, "production_partner_ids")) is not None:
        found["production_partner_ids"] = partners
    for name, default in (("is_supply", False), ("is_taxable", True), ("should_auto_renew", True)):
        if name in form:
            found[name] = forms.boolean(form, name, default)
    return found


def check_new(fields: dict[str, Any], seller: Seller) -> None:
    """Refuse what Etsy refuses of a new listing."""
    if missing := [name for name in REQUIRED if name not in fields]:
        raise EtsyError(400, [{"path": f"/{missing[0]}", "type": "missing_field", "message": "Missing field"}])
    if "is_supply" not in fields:
        raise EtsyError(400, "is_supply is required when who_made and when_made are given.")
    if fields.get("item_weight") == 0:
        raise EtsyError(500, "Internal server error")
    check_words(fields)
    if fields["who_made"] == "someone_else" and not fields.get("production_partner_ids"):
        raise EtsyError(400, "Oh dear, you cannot sell this item on Etsy.")
    if fields.get("type", "physical") == "physical":
        if "shipping_profile_id" not in fields:
            raise EtsyError(400, "A shipping_profile_id is required for physical listings.")
        if "readiness_state_id" not in fields:
            raise EtsyError(400, "A readiness_state_id is required for physical listings.")
    check_choices(fields, seller)


def check_words(fields: Mapping[str, Any]) -> None:
    """Texts and figures, for new listings and changes."""
    title = fields.get("title", "x")
    if not 0 < len(title) <= 140:
        raise EtsyError(400, "There was a problem with /title : title must have 1 to 140 characters")
    if any(title.count(sign) > 1 for sign in "%:&+") or not all(_fits(sign) for sign in title):
        raise EtsyError(400, "There was a problem with /title : contains invalid character")
    if fields.get("who_made", "i_did") not in WHO or not WHEN.fullmatch(fields.get("when_made", "made_to_order")):
        raise EtsyError(400, "Invalid value for who_made or when_made")
    if fields.get("type", "physical") not in KINDS:
        raise EtsyError(400, "Invalid value for type")
    if not 0.2 <= fields.get("price", 1) <= 50_000 or not 1 <= fields.get("quantity", 1) <= 999:
        raise EtsyError(400, "price must be at least 0.20, quantity 1 to 999")
    _check_tags(fields.get("tags", []))
    for material in fields.get("materials", []):
        if not re.fullmatch(r"[\w ]+", material) or "_" in material:
            raise EtsyError(400, "There was a problem with /materials : contains invalid character")


def check_choices(fields: Mapping[str, Any], seller: Seller) -> None:
    """Ids must be the shop's own."""
    there = choices(seller)
    for name in ("shipping_profile_id", "readiness_state_id", "return_policy_id", "shop_section_id"):
        if name in fields and fields[name] not in there[name]:
            raise EtsyError(400, f"There was a problem with /{name} : {fields[name]} does not belong to this shop")
    if foreign := set(fields.get("production_partner_ids", [])) - there["production_partner_id"]:
        raise EtsyError(400, f"There was a problem with /production_partner_ids : {min(foreign)} not found")
    if "taxonomy_id" in fields and fields["taxonomy_id"] not in there["taxonomy_id"]:
        raise EtsyError(400, f"There was a problem with /taxonomy_id : {fields['taxonomy_id']} not found")


def check_activation(listing: Listing) -> None:
    """A draft becomes active with a picture and, if it is digital, a file."""
    if not listing.pictures:
        raise EtsyError(400, "A listing needs at least one image to be published.")
    if listing.fields.get("type") == "download" and not listing.downloads:
        raise EtsyError(400, "A digital listing needs at least one file to be published.")
    if listing.fields.get("type", "physical") == "physical" and "return_policy_id" not in listing.fields:
        raise EtsyError(400, "A return_policy_id is required to publish a physical listing.")


def _check_tags(tags: list[str]) -> None:
    if len(tags) > 13:
        raise EtsyError(400, "There was a problem with /tags : at most 13 tags")
    if len({tag.strip().casefold() for tag in tags}) < len(tags):
        raise EtsyError(400, "There was a problem with /tags : You may not have duplicate tags")
    for tag in tags:
        if not 0 < len(tag) <= 20 or tag[0] in "'-" or not re.fullmatch(r"[\w \-'™©®]+", tag) or "_" in tag:
            raise EtsyError(400, f"There was a problem with /tags : '{tag}' contains invalid character")


def _fits(sign: str) -> bool:
    kind = unicodedata.category(sign)
    return kind[0] in "LP" or kind in {"Nd", "Sm", "Zs"} or sign in "™©®"
