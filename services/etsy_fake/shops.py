"""Who calls, and what their shop has to choose from."""

from collections.abc import Callable
from typing import Any

from services.etsy_fake import setup
from services.etsy_fake.operations import Call, Operation
from services.etsy_fake.state import EtsyError, Seller

SHOP = "/v3/application/shops/{shop_id:int}"


def ping(call: Call) -> dict[str, Any]:
    """Whether the key is good."""
    del call
    return {"application_id": 1}


def me(call: Call) -> dict[str, Any]:
    """Whose token it is."""
    return {"user_id": call.user_id, "shop_id": call.etsy.sellers[call.user_id].shop_id}


def shop(call: Call) -> dict[str, Any]:
    """A shop by its id."""
    return _shop(call.etsy.seller_of(call.path["shop_id"]))


def shop_of_user(call: Call) -> dict[str, Any]:
    """A shop by its owner."""
    seller = call.etsy.sellers.get(call.path["user_id"])
    if seller is None:
        raise EtsyError(404, "User not found")
    return _shop(seller)


def categories(call: Call) -> dict[str, Any]:
    """The tree."""
    del call
    return _counted(setup.taxonomy())


def _of_shop(found: Callable[[Seller], list[dict[str, Any]]]) -> Callable[[Call], dict[str, Any]]:
    return lambda call: _counted(found(call.seller()))


def _counted(found: list[dict[str, Any]]) -> dict[str, Any]:
    return {"count": len(found), "results": found}


def _shop(seller: Seller) -> dict[str, Any]:
    return {
        "shop_id": seller.shop_id,
        "user_id": seller.user_id,
        "shop_name": seller.shop_name,
        "currency_code": "USD",
        "url": f"https://www.etsy.com/shop/{seller.shop_name}",
    }


OPERATIONS = (
    Operation("ping", "GET", "/v3/application/openapi-ping", ping),
    Operation("getMe", "GET", "/v3/application/users/me", me, "shops_r"),
    Operation("getShop", "GET", SHOP, shop),
    Operation("getShopByOwnerUserId", "GET", "/v3/application/users/{user_id:int}/shops", shop_of_user),
    Operation(
        "getShopShippingProfiles", "GET", f"{SHOP}/shipping-profiles", _of_shop(setup.shipping_profiles), "shops_r"
    ),
    Operation(
        "getShopReadinessStateDefinitions",
        "GET",
        f"{SHOP}/readiness-state-definitions",
        _of_shop(setup.readiness_states),
        "shops_r",
    ),
    Operation("getShopReturnPolicies", "GET", f"{SHOP}/policies/return", _of_shop(setup.return_policies)),
    Operation("getShopSections", "GET", f"{SHOP}/sections", _of_shop(setup.sections)),
    Operation("getShopProductionPartners", "GET", f"{SHOP}/production-partners", _of_shop(setup.partners), "shops_r"),
    Operation("getSellerTaxonomyNodes", "GET", "/v3/application/seller-taxonomy/nodes", categories),
)
