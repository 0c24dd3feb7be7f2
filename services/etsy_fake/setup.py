"""What a shop has to choose from: profiles, policies, sections, partners, and Etsy's categories (a few of them)."""

from typing import Any

from services.etsy_fake.state import Seller

# id, name, children
TREE: list[tuple[int, str, Any]] = [
    (1, "Accessories", [(66, "Keychains & Lanyards", [(1633, "Keychains", [])])]),
    (891, "Home & Living", [(1061, "Drinkware", [(1071, "Tumblers & Water Glasses", []), (1062, "Mugs", [])])]),
    (68887416, "Art & Collectibles", [(119, "Prints", [(2078, "Digital Prints", []), (121, "Posters", [])])]),
    (1429, "Clothing", [(482, "Tops & Tees", [(559, "T-shirts", [])])]),
    (562, "Craft Supplies & Tools", [(6337, "Transfers", [(12436, "Iron-on Transfers", [])])]),
]


def shipping_profiles(seller: Seller) -> list[dict[str, Any]]:
    """Two."""
    return [
        {
            "shipping_profile_id": seller.first + number,
            "title": title,
            "user_id": seller.user_id,
            "origin_country_iso": "US",
            "is_deleted": False,
            "shipping_profile_destinations": [],
            "shipping_profile_upgrades": [],
            "origin_postal_code": "97201",
            "profile_type": "manual",
            "domestic_handling_fee": 0.0,
            "international_handling_fee": 0.0,
        }
        for number, title in ((101, "Standard"), (102, "Express"))
    ]


def readiness_states(seller: Seller) -> list[dict[str, Any]]:
    """Two."""
    return [
        {
            "shop_id": seller.shop_id,
            "readiness_state_id": seller.first + number,
            "readiness_state": state,
            "min_processing_days": least,
            "max_processing_days": most,
            "processing_days_display_label": f"{least}-{most} days",
        }
        for number, state, least, most in ((201, "made_to_order", 1, 3), (202, "ready_to_ship", 1, 1))
    ]


def return_policies(seller: Seller) -> list[dict[str, Any]]:
    """One."""
    return [
        {
            "return_policy_id": seller.first + 301,
            "shop_id": seller.shop_id,
            "accepts_returns": True,
            "accepts_exchanges": False,
            "return_deadline": 30,
        }
    ]


def sections(seller: Seller) -> list[dict[str, Any]]:
    """Two."""
    return [
        {
            "shop_section_id": seller.first + number,
            "title": title,
            "rank": rank,
            "user_id": seller.user_id,
            "active_listing_count": 0,
        }
        for rank, (number, title) in enumerate(((401, "Cups"), (402, "Stickers")), 1)
    ]


def partners(seller: Seller) -> list[dict[str, Any]]:
    """One."""
    return [
        {"production_partner_id": seller.first + 501, "partner_name": "Print House", "location": "Portland, Oregon"}
    ]


def taxonomy(tree: list[tuple[int, str, Any]] = TREE, path: tuple[int, ...] = ()) -> list[dict[str, Any]]:
    """The categories as Etsy nests them."""
    return [
        {
            "id": number,
            "level": len(path) + 1,
            "name": name,
            "parent_id": path[-1] if path else None,
            "children": taxonomy(children, (*path, number)),
            "full_path_taxonomy_ids": [*path, number],
        }
        for number, name, children in tree
    ]


def choices(seller: Seller) -> dict[str, set[int]]:
    """The ids that a listing of this shop may name."""
    return {
        "shipping_profile_id": {each["shipping_profile_id"] for each in shipping_profiles(seller)},
        "readiness_state_id": {each["readiness_state_id"] for each in readiness_states(seller)},
        "return_policy_id": {each["return_policy_id"] for each in return_policies(seller)},
        "shop_section_id": {each["shop_section_id"] for each in sections(seller)},
        "production_partner_id": {each["production_partner_id"] for each in partners(seller)},
        "taxonomy_id": set(_ids(TREE)),
    }


def _ids(tree: list[tuple[int, str, Any]]) -> list[int]:
    return [found for number, _, children in tree for found in (number, *_ids(children))]
