"""Listings: made as drafts, changed, listed, published, removed."""

from typing import Any

from services.etsy_fake import forms, page, rules
from services.etsy_fake.forms import FORM, JSON
from services.etsy_fake.operations import Call, Operation
from services.etsy_fake.state import EtsyError, Listing

SHOP = "/v3/application/shops/{shop_id:int}/listings"
FEE_USD = 0.20
CENTS = 100


def create_draft(call: Call) -> dict[str, Any]:
    """A new draft."""
    seller, etsy = call.seller(), call.etsy
    fields = rules.parsed(call.body.form)
    rules.check_new(fields, seller)
    lag = call.fault.seconds if call.fault and call.fault.kind == "lag" else 0
    now = etsy.now()
    new = Listing(etsy.number(), seller.shop_id, fields, int(now), visible_from=now + lag)
    etsy.listings[new.id] = new
    return shown(call, new)


def update(call: Call) -> dict[str, Any]:
    """Change what was sent."""
    listing, form = call.listing(), call.body.form
    if forbidden := {"price", "quantity", "readiness_state_id"} & form.keys():
        raise EtsyError(400, f"{min(forbidden)} can't be changed by updateListing; use updateListingInventory")
    fields = rules.parsed(form)
    rules.check_words(fields)
    rules.check_choices(fields, call.seller())
    if (ids := forms.numbers(form, "image_ids")) is not None:
        _order(listing, ids)
    if "state" in form:
        _change_state(call, listing, form["state"])
    listing.fields |= fields
    return shown(call, listing)


def get(call: Call) -> dict[str, Any]:
    """One listing."""
    return {**shown(call, call.listing()), **_associated(call, call.listing())}


def of_shop(call: Call) -> dict[str, Any]:
    """A page of a shop's listings, newest first; lists show a new one a little late."""
    seller, etsy = call.seller(), call.etsy
    state, offset = call.query.get("state", "active"), call.whole("offset", 0)
    limit = call.whole("limit", 25)
    if not 1 <= limit <= 100:
        raise EtsyError(400, "limit must be between 1 and 100")
    found = [
        listing
        for listing in sorted(etsy.listings.values(), key=lambda each: -each.id)
        if listing.shop_id == seller.shop_id and listing.state == state and listing.visible_from <= etsy.now()
    ]
    start = max(0, offset - 2) if call.fault and call.fault.kind == "repeat-rows" else offset
    some = found[start : start + limit]
    return {"count": len(found), "results": [{**shown(call, each), **_associated(call, each)} for each in some]}


def delete(call: Call) -> None:
    """Remove it."""
    del call.etsy.listings[call.listing().id]


def inventory(call: Call) -> dict[str, Any]:
    """What is for sale: one product, as we have no variations."""
    return _inventory(call.listing())


def update_inventory(call: Call) -> dict[str, Any]:
    """SKU, price and quantity of the one product."""
    listing, body = call.listing(), call.body.json
    products = body.get("products") if isinstance(body, dict) else None
    if not isinstance(products, list) or len(products) != 1 or len(products[0].get("offerings", [])) != 1:
        raise EtsyError(400, "products: expected one product with one offering")
    product, offering = products[0], products[0]["offerings"][0]
    if {"product_id", "is_deleted"} & product.keys() or {"offering_id", "is_deleted"} & offering.keys():
        raise EtsyError(400, "products: product_id, offering_id and is_deleted are not accepted")
    if not isinstance(offering.get("price"), int | float):
        raise EtsyError(400, "products: price must be a number")
    listing.sku = str(product.get("sku", ""))
    listing.fields |= {"price": float(offering["price"]), "quantity": int(offering["quantity"])}
    return _inventory(listing)


def batch_inventory(call: Call) -> dict[str, Any]:
    """Several at once; one that is not there spoils all."""
    ids = forms.numbers(call.query, "listing_ids") or []
    if len(ids) > 100 or not all(number in call.etsy.listings for number in ids):
        raise EtsyError(404, "Listing not found")
    found = [call.etsy.listings[number] for number in ids]
    return {"count": len(found), "results": [{**shown(call, each), "inventory": _inventory(each)} for each in found]}


def shown(call: Call, listing: Listing) -> dict[str, Any]:
    """A listing as Etsy writes it."""
    fields, seller = listing.fields, call.etsy.seller_of(listing.shop_id)
    times = ("creation_timestamp", "created_timestamp", "original_creation_timestamp", "last_modified_timestamp")
    nullable = ("shop_section_id", "shipping_profile_id", "return_policy_id", "readiness_state_id", "item_weight")
    measures = ("item_length", "item_width", "item_height", "item_weight_unit", "item_dimensions_unit")
    plain = ("title", "description", "quantity", "who_made", "when_made", "taxonomy_id")
    return {
        "listing_id": listing.id,
        "user_id": seller.user_id,
        "shop_id": listing.shop_id,
        "state": listing.state,
        **dict.fromkeys((*times, "updated_timestamp", "ending_timestamp", "state_timestamp"), listing.created),
        **{name: fields[name] for name in plain},
        **{name: fields.get(name) for name in (*nullable, *measures)},
        "url": f"{call.base}{page.address(listing)}",
        "listing_type": fields.get("type", "physical"),
        "tags": fields.get("tags", []),
        "materials": fields.get("materials", []),
        "is_supply": fields.get("is_supply", False),
        "is_taxable": fields.get("is_taxable", True),
        "should_auto_renew": fields.get("should_auto_renew", True),
        "has_variations": False,
        "price": _money(fields["price"]),
    }


def _associated(call: Call, listing: Listing) -> dict[str, Any]:
    wanted = call.query.get("includes", "").split(",")
    return {"inventory": _inventory(listing)} if "Inventory" in wanted else {}


def _order(listing: Listing, ids: list[int]) -> None:
    there = {picture.id: picture for picture in listing.pictures}
    if missing := set(ids) - there.keys():
        raise EtsyError(400, f"There was a problem with /image_ids : {min(missing)} not found")
    if len(set(ids)) < len(ids):
        raise EtsyError(400, "There was a problem with /image_ids : inconsistent order")
    listing.pictures = [there[number] for number in ids]


def _change_state(call: Call, listing: Listing, state: str) -> None:
    if state not in ("active", "inactive"):
        raise EtsyError(400, "Invalid value for state: expected active or inactive")
    if state == "active" and listing.state != "active":
        rules.check_activation(listing)
        call.etsy.fees_usd += FEE_USD if listing.state in ("draft", "sold_out", "expired") else 0
    listing.state = state


def _money(price: float) -> dict[str, Any]:
    return {"amount": round(price * CENTS), "divisor": CENTS, "currency_code": "USD"}


def _inventory(listing: Listing) -> dict[str, Any]:
    fields = listing.fields
    offering = {
        "offering_id": listing.id * 10 + 2,
        "quantity": fields["quantity"],
        "is_enabled": True,
        "is_deleted": False,
        "price": _money(fields["price"]),
        "readiness_state_id": fields.get("readiness_state_id"),
    }
    product = {"product_id": listing.id * 10 + 1, "sku": listing.sku, "is_deleted": False, "property_values": []}
    on = ("price_on_property", "quantity_on_property", "sku_on_property", "readiness_state_on_property")
    return {"products": [{**product, "offerings": [offering]}], **{name: [] for name in on}}


OPERATIONS = (
    Operation("createDraftListing", "POST", SHOP, create_draft, "listings_w", FORM, 201),
    Operation("getListingsByShop", "GET", SHOP, of_shop, "listings_r"),
    Operation("updateListing", "PATCH", f"{SHOP}/{{listing_id:int}}", update, "listings_w", FORM),
    Operation("getListing", "GET", "/v3/application/listings/{listing_id:int}", get),
    Operation("deleteListing", "DELETE", "/v3/application/listings/{listing_id:int}", delete, "listings_d", None, 204),
    Operation(
        "getListingsInventoryByListingIds",
        "GET",
        "/v3/application/listings/batch/inventory",
        batch_inventory,
        "listings_r",
    ),
    Operation(
        "getListingInventory", "GET", "/v3/application/listings/{listing_id:int}/inventory", inventory, "listings_r"
    ),
    Operation(
        "updateListingInventory",
        "PUT",
        "/v3/application/listings/{listing_id:int}/inventory",
        update_inventory,
        "listings_w",
        JSON,
    ),
)
