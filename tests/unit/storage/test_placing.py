"""Where files go and what they are called: the layout that sellers know."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.storage.placing import (
    counter_key,
    design_folder,
    design_name,
    file_path,
    mockup_folder,
    number_of,
    staging_path,
)
from shared.nas.errors import BadPath
from shared.nas.names import checked

ID = UUID("aa10c0de-0000-4000-8000-000000000001")
names = st.text(max_size=90)
numbers = st.integers(min_value=0, max_value=999_999_999)


@pytest.mark.parametrize(
    ("template", "number", "digital", "name"),
    [
        ("UVDTF 16oz", 100, False, "UV 100 UVDTF_16oz_100.png"),
        ("UV DTF Cup", 7, False, "UV 007 UV_DTF_Cup_007.png"),
        ("Uv dtf cup", 1, False, "UV 001 Uv_dtf_cup_001.png"),
        ("uv", 1, False, "UV 001 uv_001.png"),
        ("MY-UV", 999, False, "UV 999 MY-UV_999.png"),
        ("DTF", 1000, False, "DTF 1000 DTF_1000.png"),
        ("Sublimation", 12, False, "DTF 012 Sublimation_012.png"),
        ("Souvenir Mug", 5, False, "DTF 005 Souvenir_Mug_005.png"),
        ("a   b", 5, False, "DTF 005 a_b_005.png"),
        ("Cup/Lid", 5, False, "DTF 005 Cup-Lid_005.png"),
        ("UVDTF 16oz", 42, True, "Digital 042.png"),
        ("UVDTF 16oz", 1000, True, "Digital 1000.png"),
    ],
)
def test_designs_are_named_as_sellers_know_them(template: str, number: int, digital: bool, name: str) -> None:
    assert design_name(template, number, digital=digital) == name
    assert number_of(name, template, digital=digital) == number


@given(names, numbers, st.booleans())
def test_every_name_gives_its_number_back(template: str, number: int, digital: bool) -> None:
    name = design_name(template, number, digital=digital)
    assert number_of(name, template, digital=digital) == number


@pytest.mark.parametrize(
    ("name", "template", "number"),
    [
        ("DTF 100 UVDTF_16oz_100.png", "UVDTF 16oz", 100),
        ("uv 100 uvdtf_16oz_100.PNG", "UVDTF 16oz", 100),
        ("UV 100 Cup:_Lid_100.png", "Cup: Lid", 100),
        ("DTF 100 Cafe\u0301_100.png", "Caf\u00e9", 100),
        ("UV 100 UVDTF_16oz_101.png", "UVDTF 16oz", None),
        ("UV 0100 UVDTF_16oz_0100.png", "UVDTF 16oz", None),
        ("UV 99 UVDTF_16oz_99.png", "UVDTF 16oz", None),
        ("UV 100 UVDTF_16oz_100 (1).png", "UVDTF 16oz", None),
        ("UV 100 UVDTF_16oz_100_BG_0.jpg", "UVDTF 16oz", None),
        ("UV 100 Other_100.png", "UVDTF 16oz", None),
        ("UV \u0661\u0660\u0660 UVDTF_16oz_\u0661\u0660\u0660.png", "UVDTF 16oz", None),
        (".UV 100 UVDTF_16oz_100.png.0a1b2c3d.part", "UVDTF 16oz", None),
        ("rose.png", "UVDTF 16oz", None),
    ],
)
def test_numbers_are_read_from_a_nas_that_the_old_system_filled(name: str, template: str, number: int | None) -> None:
    assert number_of(name, template) == number


def test_a_digital_number_is_no_physical_one() -> None:
    assert number_of("Digital 100.png", "UVDTF 16oz") is None
    assert number_of("UV 100 UVDTF_16oz_100.png", "UVDTF 16oz", digital=True) is None
    assert number_of("digital 100.PNG", "UVDTF 16oz", digital=True) == 100


def test_the_layout_is_the_one_that_sellers_know() -> None:
    assert design_folder("NorthCups", "UVDTF 16oz") == "NorthCups/UVDTF 16oz"
    assert design_folder("NorthCups", "UVDTF 16oz", digital=True) == "NorthCups/Digital/UVDTF 16oz"
    assert mockup_folder("NorthCups", "UVDTF 16oz") == "NorthCups/Mockups/UVDTF 16oz"
    assert staging_path("NorthCups/UVDTF 16oz", ID, 2) == f"NorthCups/UVDTF 16oz/.{ID}.2.staged"
    assert file_path("North/Cups", "Mockups/a.png") == "North-Cups/Mockups/a.png"


@given(shop=names, template=names, number=numbers, digital=st.booleans())
def test_every_place_is_one_that_any_nas_accepts(shop: str, template: str, number: int, digital: bool) -> None:
    folder = design_folder(shop, template, digital=digital)
    for path in (
        f"{folder}/{design_name(template, number, digital=digital)}",
        staging_path(folder, ID, number),
        mockup_folder(shop, template),
    ):
        assert checked(path, new=True) == path


@pytest.mark.parametrize("path", ["../Other/a.png", "a/../../b.png", "/a.png"])
def test_a_kept_file_can_not_leave_its_shop(path: str) -> None:
    with pytest.raises(BadPath):
        file_path("NorthCups", path)


def test_templates_that_would_share_a_folder_share_their_numbers() -> None:
    assert counter_key("NorthCups", "UVDTF 16oz") == counter_key("northcups", "uvdtf 16OZ")
    assert counter_key("NorthCups", "Cup/Lid") == counter_key("NorthCups", "Cup:Lid")
    assert counter_key("NorthCups", "DTF") != counter_key("NorthCups", "UVDTF 16oz")
    assert counter_key("NorthCups", "DTF") != counter_key("NorthCups", "DTF", digital=True)
