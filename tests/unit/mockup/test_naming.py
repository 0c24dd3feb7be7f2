"""The names of rendered pictures."""

import pytest

from services.mockup.naming import picture_name


@pytest.mark.parametrize(
    ("design_name", "number", "template", "expected"),
    [
        ("UV 100 UVDTF_16oz_100.png", 100, "UVDTF 16oz", "UV 100 UVDTF_16oz_100_BG_2.jpg"),
        ("DTF 007 Adult_Tee_007.png", 7, "Adult Tee", "DTF 007 Adult_Tee_007_BG_2.jpg"),
        ("UV 1000 Cup_1000.png", 1000, "Cup", "UV 1000 Cup_1000_BG_2.jpg"),
        ("rose.png", 12, "UV DTF Cup", "UV 012 UV_DTF_Cup_012_BG_2.jpg"),
        ("rose.png", 12, "Souvenir", "DTF 012 Souvenir_012_BG_2.jpg"),
        ("UV 5 a.png", 5, "Cups / Mugs: 11oz", "UV 005 Cups_-_Mugs-_11oz_005_BG_2.jpg"),
    ],
)
def test_a_picture_is_named_after_its_design(design_name: str, number: int, template: str, expected: str) -> None:
    assert picture_name(design_name, number, template, 2) == expected
