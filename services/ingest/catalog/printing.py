"""Which canvas and size a design is printed with. Pure."""

from collections.abc import Sequence
from typing import TypeVar
from uuid import UUID

from services.ingest.catalog.errors import Missing, Unusable
from services.ingest.catalog.records import Canvas, Size, Template
from shared.contracts import PrintSpec

# The one product that the old system could print without any canvas or size: (width, height) in inches.
BUILT_IN = {"UVDTF 16oz": (9.5, 4.33)}
DPI = 400

Row = TypeVar("Row", Canvas, Size)


def print_spec(
    template: Template,
    canvases: Sequence[Canvas],
    sizes: Sequence[Size],
    canvas_id: UUID | None,
    size_id: UUID | None,
    *,
    digital: bool,
) -> PrintSpec:
    """The choice, or the only sensible one where nothing was chosen.

    `canvases` and `sizes` are all of the user's, since the upload dialog offers all of them whatever the template.
    Always 400 DPI: the canvases' `dpi` was never used, and rows hold 300 that nobody meant.

    Raises:
        Missing: a chosen one does not exist.
        Unusable: a chosen one is inactive or belongs elsewhere, or nothing was chosen and several fit.
    """
    size = _chosen(template, "size", sizes, size_id)
    canvas = _chosen(template, "canvas", canvases, canvas_id or (size.canvas_id if size else None))
    if size and canvas and size.canvas_id != canvas.id:
        raise Unusable(
            f"The size '{size.name}' belongs to another canvas than '{canvas.name}'; choose one of this canvas."
        )
    if digital:
        return _spec(1, 1, digital=True)  # a digital design keeps its own size
    canvas = canvas or _usual(template, "canvas", canvases)
    if canvas is None:
        return _built_in(template)
    size = size or _usual(template, "size", [size for size in sizes if size.canvas_id == canvas.id])
    area = size or canvas  # a canvas without sizes is printed as a whole
    return _spec(area.width_inches, area.height_inches, canvas)


def _chosen(template: Template, kind: str, rows: Sequence[Row], row_id: UUID | None) -> Row | None:
    if row_id is None:
        return None
    row = next((row for row in rows if row.id == row_id), None)
    if row is None:
        raise Missing(f"There is no {kind} {row_id}.")
    if row.product_template_id != template.id:
        raise Unusable(f"The {kind} '{row.name}' belongs to another product; choose one of '{template.name}'.")
    if not row.is_active:
        raise Unusable(f"The {kind} '{row.name}' is not in use any more; choose another.")
    return row


def _usual(template: Template, kind: str, rows: Sequence[Row]) -> Row | None:
    """The one named like the template, as the old system looked them up, else the only one."""
    usable = [row for row in rows if row.product_template_id == template.id and row.is_active]
    named = [row for row in usable if row.name == template.name]
    if len(named) == 1 or len(usable) == 1:
        return (named or usable)[0]
    if not usable:
        return None
    offered = ", ".join(f"'{row.name}'" for row in usable[:10])
    raise Unusable(f"The template '{template.name}' has several of kind {kind} ({offered}): choose one.")


def _built_in(template: Template) -> PrintSpec:
    if template.name not in BUILT_IN:
        raise Unusable(f"The template '{template.name}' has no canvas in use; add one with a size in the settings.")
    return _spec(*BUILT_IN[template.name])


def _spec(width: float, height: float, canvas: Canvas | None = None, *, digital: bool = False) -> PrintSpec:
    return PrintSpec(
        width_inches=width,
        height_inches=height,
        canvas_width_inches=canvas.width_inches if canvas else width,
        canvas_height_inches=canvas.height_inches if canvas else height,
        stretch=canvas.is_stretch if canvas else True,
        dpi=DPI,
        digital=digital,
    )
