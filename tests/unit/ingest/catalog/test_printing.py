"""Which canvas and size is printed, chosen or not."""

from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest

from services.ingest.catalog.errors import Missing, Unusable
from services.ingest.catalog.printing import print_spec
from services.ingest.catalog.records import Canvas, Size, Template
from shared.contracts import PrintSpec

NOW = datetime(2025, 9, 20, tzinfo=UTC)


def template(name: str = "UVDTF 16oz") -> Template:
    extras = {"template_title": None, "production_partner_ids": None, "platform": None}
    return Template(name=name, id=uuid4(), user_id=uuid4(), created_at=NOW, updated_at=None, **extras)


def canvas(owner: Template, name: str = "Sheet", **changes: object) -> Canvas:
    values = {"width_inches": 11, "height_inches": 8, "product_template_id": owner.id, "id": uuid4()}
    return Canvas.model_validate({"name": name, "created_at": NOW, "updated_at": None} | values | changes)


def size(owner: Canvas, name: str = "Adult", **changes: object) -> Size:
    values = {"product_template_id": owner.product_template_id, "canvas_id": owner.id, "id": uuid4(), "is_active": True}
    sides = {"width_inches": 5, "height_inches": 4}
    return Size.model_validate({"name": name, "created_at": NOW, "updated_at": None} | values | sides | changes)


def chosen(
    of: Template,
    canvases: list[Canvas],
    sizes: list[Size],
    canvas_id: UUID | None = None,
    size_id: UUID | None = None,
    *,
    digital: bool = False,
) -> PrintSpec:
    return print_spec(of, canvases, sizes, canvas_id, size_id, digital=digital)


def sides(spec: PrintSpec) -> tuple[float, float, float, float]:
    return spec.width_inches, spec.height_inches, spec.canvas_width_inches, spec.canvas_height_inches


def test_what_was_chosen_is_printed_at_400_dpi_whatever_the_canvas_says() -> None:
    cup = template()
    sheet = canvas(cup, dpi=300, is_stretch=False)
    other = canvas(cup, cup.name)
    small = size(sheet)
    spec = chosen(cup, [other, sheet], [small, size(sheet, cup.name)], sheet.id, small.id)
    assert sides(spec) == (5, 4, 11, 8)
    assert (spec.dpi, spec.stretch, spec.digital) == (400, False, False)


def test_a_chosen_size_brings_its_canvas() -> None:
    cup = template()
    sheets = [canvas(cup, "A"), canvas(cup, "B", width_inches=20)]
    small = size(sheets[1])
    assert sides(chosen(cup, sheets, [small], None, small.id)) == (5, 4, 20, 8)


def test_without_a_choice_the_rows_named_like_the_template_count() -> None:
    cup = template()
    named, other = canvas(cup, cup.name), canvas(cup, "B", width_inches=20)
    sizes = [size(named, "Youth"), size(named, cup.name, width_inches=9.5), size(other, cup.name, width_inches=1)]
    assert sides(chosen(cup, [other, named], sizes)) == (9.5, 4, 11, 8)


def test_without_a_choice_the_only_active_rows_count() -> None:
    cup, mug = template(), template("Mug")
    sheet = canvas(cup)
    off = canvas(cup, cup.name, is_active=False)
    sizes = [size(sheet), size(sheet, cup.name, is_active=False), size(canvas(mug))]
    assert sides(chosen(cup, [off, sheet, canvas(mug)], sizes)) == (5, 4, 11, 8)


def test_a_canvas_without_sizes_is_printed_as_a_whole() -> None:
    cup = template("Bookmark")
    sheet = canvas(cup)
    assert sides(chosen(cup, [sheet], [])) == sides(chosen(cup, [sheet], [], sheet.id)) == (11, 8, 11, 8)


def test_one_product_can_be_printed_without_any_row() -> None:
    spec = chosen(template(), [], [])
    assert sides(spec) == (9.5, 4.33, 9.5, 4.33)
    assert spec.stretch


def test_any_other_product_without_rows_says_what_to_add() -> None:
    with pytest.raises(Unusable, match="'Mug' has no canvas in use; add one"):
        chosen(template("Mug"), [], [])


def test_several_candidates_are_named_instead_of_guessed() -> None:
    cup = template("Shirt")
    sheet = canvas(cup)
    with pytest.raises(Unusable, match=r"several of kind size \('Adult', 'Youth'\): choose one"):
        chosen(cup, [sheet], [size(sheet), size(sheet, "Youth")])
    with pytest.raises(Unusable, match=r"several of kind canvas \('A', 'B'\): choose one"):
        chosen(cup, [canvas(cup, "A"), canvas(cup, "B")], [])


def test_what_belongs_to_another_product_is_refused() -> None:
    cup, mug = template(), template("Mug")
    foreign = canvas(mug)
    foreign_size = size(foreign)
    with pytest.raises(Unusable, match="canvas 'Sheet' belongs to another product; choose one of 'UVDTF 16oz'"):
        chosen(cup, [foreign], [], foreign.id)
    with pytest.raises(Unusable, match="size 'Adult' belongs to another product"):
        chosen(cup, [foreign], [foreign_size], None, foreign_size.id)


def test_what_is_not_in_use_is_refused() -> None:
    cup = template()
    off = canvas(cup, is_active=False)
    with pytest.raises(Unusable, match="not in use any more"):
        chosen(cup, [off], [], off.id)
    active = size(off)
    with pytest.raises(Unusable, match="canvas 'Sheet' is not in use any more"):
        chosen(cup, [off], [active], None, active.id)


def test_what_does_not_exist_is_missing() -> None:
    for canvas_id, size_id in ((uuid4(), None), (None, uuid4())):
        with pytest.raises(Missing):
            chosen(template(), [], [], canvas_id, size_id)


def test_a_digital_design_needs_no_rows_but_a_wrong_choice_is_still_wrong() -> None:
    assert chosen(template("Mug"), [], [], digital=True).digital
    with pytest.raises(Missing):
        chosen(template("Mug"), [], [], uuid4(), digital=True)
