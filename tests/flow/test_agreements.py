"""What two services must do alike, though neither may import the other."""

from typing import Any
from uuid import uuid4

import pytest

from services.dedup.rule.known_picture import Known
from services.dedup.rule.reasons import reason_of
from services.ingest.sessions.design_names import stored_since
from services.mockup.naming import picture_name
from services.storage.placing import design_name
from tests.unit.dedup.pictures import ALGORITHM, hashed


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


@pytest.mark.parametrize("seen", ["identical_bytes", "same_hash", "re_encode", "near_copy"])
@pytest.mark.parametrize("filename", ["rose.png", "UV 7.png", "as", "picture", "in this upload.png"])
@pytest.mark.parametrize("name", ["UV 100 Mug_100.png", "UV 7.png"])
@pytest.mark.parametrize("same_upload", [True, False])
def test_a_duplicate_of_what_is_stored_has_one_reason_whenever_that_was_stored(
    seen: str, filename: str, name: str, *, same_upload: bool
) -> None:
    event = hashed(tenant=uuid4())
    session_id = event.session_id if same_upload else uuid4()

    def reason(**facts: Any) -> str:
        kept = Known("session", ALGORITHM, None, None, session_id=session_id, filename=filename, **facts)
        return reason_of(event, kept, seen, 2)

    before, after = reason(stored=False), reason(stored=True, name=name)
    assert stored_since(before, filename, name) == after
