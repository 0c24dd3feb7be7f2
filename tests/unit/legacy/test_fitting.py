"""What of an old row can be kept, and what is said of the rest."""

from uuid import uuid4

import pytest

from services.ingest.catalog.mockup_records import MaskInput
from services.ingest.catalog.records import SizeInput, TemplateInput
from services.legacy.fitting import Unfit, fitted, named, polygons

SQUARE = [[0.0, 0.0], [1.0, 0.0], [1.0, 1.0]]


def test_what_cant_be_kept_of_a_row_is_left_out_and_named() -> None:
    row = {"name": "Cup", "quantity": -1, "price": 4.0, "materials": ["a", "b"], "production_partner_ids": [5, 6]}
    found, notes = fitted(TemplateInput, row)
    assert (found.quantity, found.price, found.materials, found.production_partner_ids) == (None, 4.0, "a,b", "5,6")
    (note,) = notes
    assert note.startswith("quantity left out: ")


def test_without_what_it_needs_a_row_is_not_copied() -> None:
    with pytest.raises(Unfit, match="width_inches"):
        fitted(SizeInput, {"name": "S", "width_inches": None, "height_inches": 1.0})
    with pytest.raises(Unfit, match="masks"):
        fitted(MaskInput, {"masks": [SQUARE[:2]]})


def test_a_row_without_a_name_gets_one() -> None:
    row = {"id": uuid4(), "name": "  "}
    assert named(row, "Unnamed cup")["name"] == f"Unnamed cup {str(row['id'])[:8]}"
    assert named(row | {"name": "Cup"}, "Unnamed cup")["name"] == "Cup"


def test_masks_are_polygons_however_they_were_written() -> None:
    assert polygons(SQUARE) == polygons([SQUARE]) == polygons("[[[0.0, 0.0], [1.0, 0.0], [1.0, 1.0]]]") == [SQUARE]
    assert polygons("torn [") == "torn ["
    assert polygons(None) is None
