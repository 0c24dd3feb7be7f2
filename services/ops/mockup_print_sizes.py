"""What a preview's design is printed as: what its product says, or inches, or as large as it is."""

import re
from uuid import UUID

from sqlalchemy import Connection

from services.ingest.catalog.choices import print_choice
from services.ingest.catalog.errors import Unusable
from services.ingest.catalog.print_sizes import Canvases, Sizes
from services.ingest.catalog.printing import DPI
from services.ingest.catalog.records import Canvas, Size
from shared.contracts import PrintSpec

DIGITAL = "digital"
OWN_SIZE = PrintSpec(width_inches=1, height_inches=1, canvas_width_inches=1, canvas_height_inches=1, digital=True)
INCHES = re.compile(r"(\d{1,3}(?:\.\d{1,3})?)x(\d{1,3}(?:\.\d{1,3})?)")
OTHERWISE = f"or give inches, as in 9.5x4.33, or {DIGITAL!r} (as large as it is)"


def without_product(words: str | None) -> PrintSpec:
    """For a template in a folder, which knows no product.

    Raises:
        Unusable: it is no size.
    """
    if words is None or words == DIGITAL:
        return OWN_SIZE
    found = INCHES.fullmatch(words)
    wide, high = (float(side) for side in found.groups()) if found else (0, 0)
    if not (wide and high):
        raise Unusable(f"{words!r} is no print size; give inches, as in 9.5x4.33, or {DIGITAL!r}")
    whole = {"width_inches": wide, "height_inches": high, "canvas_width_inches": wide, "canvas_height_inches": high}
    return PrintSpec.model_validate(whole | {"dpi": DPI})


def of_product(connection: Connection, user_id: UUID, template_id: UUID, words: str | None) -> PrintSpec:
    """For a photograph of a product: as of an upload that chooses the canvas or size of this name, or none.

    Raises:
        Unusable: there is none that fits, or several.
    """
    if words is None or words == DIGITAL:
        try:
            return print_choice(connection, user_id, template_id, digital=words == DIGITAL)
        except Unusable as error:
            raise Unusable(f"{error} Name one with --size, {OTHERWISE}.") from error
    canvases = [row for row in Canvases(connection, user_id).all() if row.product_template_id == template_id]
    sizes = [row for row in Sizes(connection, user_id).all() if row.product_template_id == template_id]
    named = [row.id for row in canvases if _is(row, words)]
    sized = [row for row in sizes if _is(row, words)]
    if len(sized) == 1:
        return print_choice(connection, user_id, template_id, size_id=sized[0].id)
    if len(named) == 1 and not sized:
        return print_choice(connection, user_id, template_id, canvas_id=named[0])
    if INCHES.fullmatch(words) and not named and not sized:
        return without_product(words)
    rows: list[Canvas | Size] = [*canvases, *sizes]
    offered = "; ".join(f"{row.name!r}, id {row.id}" for row in rows if row.is_active)
    several = f"several canvases and sizes of this product are called {words!r}"
    which = several if named or sized else f"no canvas or size of this product is called {words!r}"
    raise Unusable(f"{which}; name one, or its id ({offered or 'there are none'}), {OTHERWISE}")


def _is(row: Canvas | Size, words: str) -> bool:
    return row.is_active and words.lower() in (row.name.lower(), str(row.id))
