"""Events as the mockup service sends them."""

from typing import Any
from uuid import UUID

from shared.contracts import Blob, ListingTemplate, MockupsRendered, RenderedMockup

TENANT = UUID("00000000-0000-4000-8000-000000000001")
SESSION = UUID("00000000-0000-4000-8000-000000000002")
ITEM = UUID("00000000-0000-4000-8000-000000000003")
MOCKUP = UUID("00000000-0000-4000-8000-000000000004")
TEMPLATE = UUID("00000000-0000-4000-8000-000000000005")


def template(**changes: Any) -> ListingTemplate:
    """A template that Etsy would take as it is."""
    fields: dict[str, Any] = {
        "template_id": TEMPLATE,
        "name": "UVDTF 16oz",
        "title": "| UVDTF Cup Wrap",
        "description": "Ready to apply.\nNo heat needed.",
        "price": 4.0,
        "quantity": 100,
        "who_made": "i_did",
        "when_made": "made_to_order",
        "taxonomy_id": 1071,
        "tags": ("cup", "wrap"),
        "materials": ("UV DTF",),
        "item_weight": 2.5,
        "item_weight_unit": "oz",
    }
    return ListingTemplate(**{**fields, **changes})


def pictures(*images: Blob) -> tuple[RenderedMockup, ...]:
    """Rendered mockups of these bytes."""
    return tuple(
        RenderedMockup(image=image, filename=f"UV 100 UVDTF_16oz_100_BG_{n}.jpg", width=2000, height=2000)
        for n, image in enumerate(images)
    )


def rendered(**changes: Any) -> MockupsRendered:
    """One design with three pictures."""
    images = tuple(Blob(sha256=f"{n:064x}", size=100 + n) for n in range(3))
    fields: dict[str, Any] = {
        "tenant_id": TENANT,
        "session_id": SESSION,
        "item_id": ITEM,
        "index": 0,
        "filename": "rose.png",
        "mockup_id": MOCKUP,
        "design": Blob(sha256="d" * 64, size=1000),
        "design_name": "UV 100 UVDTF_16oz_100.png",
        "number": 100,
        "shop": "NorthCups",
        "template": template(),
        "mockups": pictures(*images),
    }
    return MockupsRendered(**{**fields, **changes})
