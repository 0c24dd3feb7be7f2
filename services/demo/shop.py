"""The demo's shop: its product template, canvas, sizes and mockup group, made through the API if they are missing."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from services.demo.client import Client
from services.demo.photographs import Photograph, watermark

TEMPLATE = "DTF Art Print"
CANVAS = "Sheet 8.5 x 8.5"
SIZE = "Large"
MOCKUPS = "Mug, poster and shirt"
FIRST_NUMBER = 100

PRODUCT = {
    "name": TEMPLATE,
    "title": "| Ready to Press Transfer, Mug and Poster Art",
    "description": "Printed on demand. Drawn by the demo of Presswork.",
    "who_made": "i_did",
    "when_made": "made_to_order",
    "taxonomy_id": 1,
    "price": 14.5,
    "quantity": 100,
    "materials": ["DTF film", "pigment ink"],
    "tags": ["art print", "dtf transfer", "gift idea", "mug wrap", "demo"],
    "item_weight": 2.5,
    "item_weight_unit": "oz",
    "item_length": 9.0,
    "item_width": 9.0,
    "item_height": 0.1,
    "item_dimensions_unit": "in",
    "is_taxable": True,
    "type": "physical",
    "processing_min": 1,
    "processing_max": 3,
}
SHEET = {"name": CANVAS, "width_inches": 8.5, "height_inches": 8.5, "is_stretch": False, "dpi": 400}
SIZES = (
    {"name": SIZE, "width_inches": 8.0, "height_inches": 8.0},
    {"name": "Pocket", "width_inches": 4.0, "height_inches": 4.0},
)


@dataclass(frozen=True)
class Choice:
    """What the user picks in the upload dialogue; ids as text. `pictures` is how many mockups a design gets."""

    template_id: str
    canvas_id: str
    size_id: str
    mockup_id: str
    starting_name: int
    pictures: int

    def design_data(self) -> dict[str, Any]:
        """The field `design_data` of the upload."""
        return {
            "product_template_id": self.template_id,
            "mockup_id": self.mockup_id,
            "starting_name": self.starting_name,
            "canvas_config_id": self.canvas_id,
            "size_config_id": self.size_id,
            "is_digital": False,
        }

    def product_data(self, design_ids: list[str]) -> dict[str, Any]:
        """The field `product_data` of the request for listings."""
        return {
            "product_template_id": self.template_id,
            "mockup_id": self.mockup_id,
            "design_ids": design_ids,
        }


class NotThere(Exception):  # noqa: N818 - reads as what was found
    """The shop lacks what was made in it."""


def furnish(client: Client, pictures: Sequence[Photograph]) -> None:
    """Make whatever of the shop is missing; the mockup group gets these photographs."""
    template = _named(client.get("/settings/product-template"), TEMPLATE)
    template = template or client.post("/settings/product-template", PRODUCT)
    home = f"/settings/{template['id']}"
    canvas = _named(client.get("/settings/canvas-config"), CANVAS) or client.post(f"{home}/canvas-config", SHEET)
    known = client.get("/settings/size-config")
    for size in SIZES:
        if _named(known, str(size["name"])) is None:
            client.post(f"{home}/{canvas['id']}/size-config", size)
    if _named(client.get("/mockups/")["mockups"], MOCKUPS) is None:
        _hang(client, template["id"], pictures)


def choose(client: Client) -> Choice:
    """What the upload dialogue reads when it opens, in its order, and what the user picks from that."""
    template = _picked(client.get("/settings/product-template"), TEMPLATE)
    group = _picked(client.get("/mockups/")["mockups"], MOCKUPS)
    canvas = _picked(client.get("/settings/canvas-config"), CANVAS)
    size = _picked(client.get("/settings/size-config"), SIZE)
    pictures = len(group["mockup_images"])
    return Choice(template["id"], canvas["id"], size["id"], group["id"], group["starting_name"], pictures)


def _hang(client: Client, template_id: str, pictures: Sequence[Photograph]) -> None:
    """The mockup group with its photographs, a template or a mask for each, and the watermark."""
    group = client.post(
        "/mockups/group", {"name": MOCKUPS, "product_template_id": template_id, "starting_name": FIRST_NUMBER}
    )
    files = [("files", f"{picture.name}.jpg", picture.image) for picture in pictures]
    watermark_file = ("watermark_file", "Demo watermark.png", watermark())
    answer = client.post_form("/mockups/upload", {"mockup_id": group["id"]}, [*files, watermark_file])
    for image, picture in zip(answer["uploaded_images"], pictures, strict=True):
        if picture.template is not None:
            document = json.dumps(picture.template).encode()
            sheet = [("template", "presswork-mockup.json", document)]
            client.put_form(f"/api/v1/mockups/images/{image['id']}/template", sheet)
            continue
        polygon = [[x, y] for x, y in picture.mask.polygon]
        mask = {
            "mockup_image_id": image["id"],
            "masks": [polygon],
            "points": [polygon],
            "is_cropped": picture.mask.is_cropped,
            "alignment": picture.mask.alignment,
            "perspective": picture.mask.perspective,
        }
        client.post(f"/mockups/images/{image['id']}/mask-data", mask)


def _named(rows: list[dict[str, Any]], name: str) -> dict[str, Any] | None:
    return next((row for row in rows if row["name"] == name), None)


def _picked(rows: list[dict[str, Any]], name: str) -> dict[str, Any]:
    row = _named(rows, name)
    if row is None:
        raise NotThere(f"the shop has no '{name}', though it has just been made; the log of ingest may say why")
    return row
