"""The calls of Etsy's API that we make: our own small schema of them. Every request is checked against it.

Written from Etsy's document of 2026-08-17 and what its users found since; where the two differ, the server is right.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from services.publisher.etsy import answers
from services.publisher.etsy.answers import Answer

Encoding = Literal["form", "multipart", "json"]
Pairs = Sequence[tuple[str, str]]
A = TypeVar("A", bound=Answer)

INT, FLOAT, BOOL, TEXT = r"\d+", r"\d+(\.\d+)?", "true|false", r"(?s).+"
INTS, TEXTS = r"\d+(,\d+)*", r"[^,\[\]\"]+(,[^,\[\]\"]+)*"


class Strict(BaseModel):
    """A part of a JSON body: nothing else may be in it."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Offering(Strict):
    """What one product is sold for."""

    price: float = Field(gt=0)
    quantity: int = Field(ge=1)
    is_enabled: bool
    readiness_state_id: int | None


class Product(Strict):
    """A listing without variations has one."""

    sku: str = Field(max_length=32)
    property_values: list[int] = Field(max_length=0)
    offerings: list[Offering] = Field(min_length=1, max_length=1)


class InventoryBody(Strict):
    """The one JSON body that we send; it replaces all that was there."""

    products: list[Product] = Field(min_length=1, max_length=1)


@dataclass(frozen=True)
class Operation(Generic[A]):
    """One call. `fields` are patterns; `once` marks the one that must not be repeated blindly."""

    name: str
    method: str
    path: str
    answer: type[A]
    encoding: Encoding | None = None
    fields: Mapping[str, str] = field(default_factory=dict)
    required: frozenset[str] = frozenset()
    query: Mapping[str, str] = field(default_factory=dict)
    file: str | None = None
    once: bool = False
    token: bool = True

    def check(self, fields: Pairs, query: Pairs, *, has_file: bool, json: object = None) -> None:
        """Refuse a request that Etsy would refuse for its shape: that is a fault of ours.

        Raises:
            ValueError: with the field.
        """
        names = [name for name, _ in fields]
        if missing := self.required - set(names):
            raise ValueError(f"{self.name} lacks {', '.join(sorted(missing))}")
        if len(set(names)) < len(names):
            raise ValueError(f"{self.name} has a field twice; of repeated fields Etsy keeps the last one only")
        for known, given in ((self.fields, fields), (self.query, query)):
            for name, value in given:
                if name not in known or not re.fullmatch(known[name], value):
                    raise ValueError(f"{self.name}: {name} can't be {value[:60]!r}")
        if (json is not None) != (self.encoding == "json"):
            raise ValueError(f"{self.name} {'takes no' if json is not None else 'lacks its'} JSON")
        if json is not None:
            InventoryBody.model_validate(json)
        if has_file != (self.file is not None):
            raise ValueError(f"{self.name} {'lacks its' if self.file else 'takes no'} file")


APPLICATION = "/v3/application"
SHOP = f"{APPLICATION}/shops/{{shop_id}}"
LISTINGS = f"{SHOP}/listings"
LISTING = f"{LISTINGS}/{{listing_id}}"

WHO = "i_did|someone_else|collective"
COMMON = {
    "title": TEXT,
    "description": TEXT,
    "who_made": WHO,
    "when_made": r"\w+",
    "is_supply": BOOL,
    "taxonomy_id": INT,
    "type": "physical|download|both",
    "tags": TEXTS,
    "materials": TEXTS,
    "shop_section_id": INT,
    "shipping_profile_id": INT,
    "return_policy_id": INT,
    "production_partner_ids": INTS,
    "is_taxable": BOOL,
    "should_auto_renew": BOOL,
    "item_weight": FLOAT,
    "item_weight_unit": "oz|lb|g|kg",
    "item_length": FLOAT,
    "item_width": FLOAT,
    "item_height": FLOAT,
    "item_dimensions_unit": "in|ft|mm|cm|m|yd|inches",
}

CREATE = Operation(
    "createDraftListing",
    "POST",
    LISTINGS,
    answers.ListingAnswer,
    "form",
    {**COMMON, "quantity": INT, "price": FLOAT, "readiness_state_id": INT},
    # is_supply: required by the server, whatever the document says (issue 511)
    frozenset({"quantity", "title", "description", "price", "who_made", "when_made", "taxonomy_id", "is_supply"}),
    once=True,
)
UPDATE = Operation(
    "updateListing",
    "PATCH",
    LISTING,
    answers.ListingAnswer,
    "form",
    {**COMMON, "image_ids": INTS, "state": "active|inactive"},
)
PICTURE = Operation(
    "uploadListingImage",
    "POST",
    f"{LISTING}/images",
    answers.PictureAnswer,
    "multipart",
    {"rank": INT, "overwrite": BOOL, "alt_text": TEXT},
    frozenset({"rank"}),
    file="image",
)
PICTURES = Operation("getListingImages", "GET", f"{APPLICATION}/listings/{{listing_id}}/images", answers.PicturesAnswer)
FILE = Operation(
    "uploadListingFile",
    "POST",
    f"{LISTING}/files",
    answers.FileAnswer,
    "multipart",
    {"name": r"[A-Za-z0-9._-]{1,70}", "rank": INT},
    frozenset({"name"}),
    file="file",
)
FILES = Operation("getAllListingFiles", "GET", f"{LISTING}/files", answers.FilesAnswer)
INVENTORY = Operation(
    "updateListingInventory",
    "PUT",
    f"{APPLICATION}/listings/{{listing_id}}/inventory",
    answers.InventoryAnswer,
    "json",
)
OF_SHOP = Operation(
    "getListingsByShop",
    "GET",
    LISTINGS,
    answers.ListingsAnswer,
    query={"state": "active|inactive|sold_out|draft|expired", "limit": r"[1-9]\d?|100", "offset": INT},
)
ONE = Operation("getListing", "GET", f"{APPLICATION}/listings/{{listing_id}}", answers.ListingAnswer)
ME = Operation("getMe", "GET", f"{APPLICATION}/users/me", answers.MeAnswer)
THE_SHOP = Operation("getShop", "GET", SHOP, answers.ShopAnswer)
SHIPPING = Operation("getShopShippingProfiles", "GET", f"{SHOP}/shipping-profiles", answers.RowsAnswer)
READINESS = Operation(
    "getShopReadinessStateDefinitions",
    "GET",
    f"{SHOP}/readiness-state-definitions",
    answers.RowsAnswer,
    query={"limit": r"[1-9]\d?|100"},
)
RETURNS = Operation("getShopReturnPolicies", "GET", f"{SHOP}/policies/return", answers.RowsAnswer)
SECTIONS = Operation("getShopSections", "GET", f"{SHOP}/sections", answers.RowsAnswer)
PARTNERS = Operation("getShopProductionPartners", "GET", f"{SHOP}/production-partners", answers.RowsAnswer)
TAXONOMY = Operation("getSellerTaxonomyNodes", "GET", f"{APPLICATION}/seller-taxonomy/nodes", answers.RowsAnswer)

OPERATIONS = (
    *(CREATE, UPDATE, PICTURE, PICTURES, FILE, FILES, INVENTORY, OF_SHOP, ONE, ME, THE_SHOP),
    *(SHIPPING, READINESS, RETURNS, SECTIONS, PARTNERS, TAXONOMY),
)
