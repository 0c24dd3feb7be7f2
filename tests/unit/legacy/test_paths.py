"""Where an old design lies, of which product it is and which number it has, from what was written down of it."""

import pytest

from services.legacy import paths
from services.storage.placing import counter_key

ROOTS = ("/share/Graphics", "/srv/old/data")
SHOPS = ("NorthCups", "user_0a1b2c3d")


@pytest.mark.parametrize(
    ("written", "below"),
    [
        ("/share/Graphics/NorthCups/UVDTF 16oz/UV 100.png", "NorthCups/UVDTF 16oz/UV 100.png"),
        ("/share/Graphics/Elsewhere/x.png", "Elsewhere/x.png"),
        ("/srv/old/data/NorthCups/Café Größe/x.png", "NorthCups/Café Größe/x.png"),
        ("/app/files/user_0a1b2c3d/DTF/x.png", "user_0a1b2c3d/DTF/x.png"),
        ("NorthCups/x.png", "NorthCups/x.png"),
        ("/tmp/x.png", None),  # noqa: S108
        ("/share/Graphics/../etc/passwd", None),
        ("/share/Graphics/NorthCups/../../x.png", None),
        ("/share/Graphics/x.png", None),
        ("C:\\files\\NorthCups\\x.png", None),
        ("NorthCups/" + 1000 * "x" + ".png", None),
        ("", None),
        (None, None),
    ],
    ids=[
        "nas", "another-shop", "disk", "shop-in-path", "relative", "elsewhere", "up", "out", "no-shop", "windows",
        "endless", "empty", "none",
    ],
)  # fmt: skip
def test_a_path_is_taken_from_a_known_root_or_from_the_shops_folder_on(written: str | None, below: str | None) -> None:
    assert paths.below_root(written, ROOTS, SHOPS) == below


@pytest.mark.parametrize(
    ("name", "number"),
    [
        ("UV 100 UVDTF_16oz_100.png", 100),
        ("DTF 007 Café_Größe_007.png", 7),
        ("uv 1203 UVDTF_16oz_1203.png", 1203),
        ("Digital 012.png", 12),
        ("UV 100", 100),
        ("UV 9999999999 x.png", None),
        ("UVDTF 16oz.png", None),
        ("rose.png", None),
    ],
)
def test_the_number_is_the_second_word_of_a_name(name: str, number: int | None) -> None:
    assert paths.number_in(name) == number


def test_a_design_is_of_the_sequence_from_which_new_ones_of_its_folder_get_their_numbers() -> None:
    physical, digital = "NorthCups/Café Größe/x.png", "NorthCups/Digital/Café Größe/x.png"
    for path, is_digital in ((physical, False), (digital, True)):
        assert paths.is_digital(path) is is_digital
        template = paths.template_of(path)
        assert template == "Café Größe"
        key = paths.sequence_key("NorthCups", template, digital=is_digital)
        assert key == counter_key("NorthCups", "CAFÉ GRÖSSE", digital=is_digital)
    assert paths.template_of("NorthCups/x.png") is None
