"""What two services must do alike, though neither may import the other."""

import pytest

from services.mockup.naming import picture_name
from services.storage.placing import design_name


@pytest.mark.parametrize(
    "template",
    [
        "UVDTF 16oz",
        "Adult Tee",
        "Souvenir",
        "Louver",
        "Big uv mug",
        "uv",
        "16oz  Libbey  ",
        "Kinder/Baby: 1",
        "Öko UV.",
    ],
)
@pytest.mark.parametrize("digital", [False, True])
def test_a_mockup_is_named_after_the_design_as_storage_would_name_it(template: str, *, digital: bool) -> None:
    design = design_name(template, 7, digital=digital).removesuffix(".png")
    renamed = "a name that somebody gave it.png"
    for name in (f"{design}.png", renamed):
        assert picture_name(name, 7, template, 0, digital=digital) == f"{design}_BG_0.jpg"
