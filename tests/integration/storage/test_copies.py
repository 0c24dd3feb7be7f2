"""Mockups and template files on the NAS."""

from uuid import uuid4

import pytest

from services.storage.handlers import on_mockups_rendered, on_store_file
from shared.contracts import ListingTemplate, MockupsRendered, RenderedMockup, StoreFile
from shared.nas.errors import BadPath
from tests.integration.storage.workshop import NOWHERE, Upload, Workshop

TEMPLATE = ListingTemplate(
    template_id=uuid4(), name="UVDTF 16oz", title="Cup", description="", price=4.0, quantity=1, who_made="i_did",
    when_made="made_to_order",
)  # fmt: skip
MOCKUPS = "NorthCups/Mockups/UVDTF 16oz"


def rendered(workshop: Workshop, *pictures: bytes) -> MockupsRendered:
    mockups = tuple(
        RenderedMockup(
            image=workshop.blobs.put(picture), filename=f"UV 100 UVDTF_16oz_100_BG_{place}.jpg", width=2000, height=2000
        )
        for place, picture in enumerate(pictures, 1)
    )
    return MockupsRendered.model_validate(
        Upload().facts(0)
        | {
            "mockup_id": uuid4(),
            "design": NOWHERE,
            "design_name": "UV 100 UVDTF_16oz_100.png",
            "number": 100,
            "shop": "NorthCups",
            "template": TEMPLATE,
            "mockups": mockups,
        }
    )


def contents(workshop: Workshop, folder: str) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted((workshop.root / folder).iterdir())}


def test_rendered_mockups_are_copied_and_a_repeat_changes_nothing(workshop: Workshop) -> None:
    event = rendered(workshop, b"front", b"back")
    for _ in range(2):
        on_mockups_rendered(event, workshop.filing)
    expected = {"UV 100 UVDTF_16oz_100_BG_1.jpg": b"front", "UV 100 UVDTF_16oz_100_BG_2.jpg": b"back"}
    assert contents(workshop, MOCKUPS) == expected


def test_a_mockup_rendered_anew_lies_beside_the_old_one_whatever_is_repeated(workshop: Workshop) -> None:
    old, new = rendered(workshop, b"old"), rendered(workshop, b"new")
    for event in (old, new, old, new):
        on_mockups_rendered(event, workshop.filing)
    beside = f"UV 100 UVDTF_16oz_100_BG_1~{new.mockups[0].image.sha256[:6]}.jpg"
    assert contents(workshop, MOCKUPS) == {"UV 100 UVDTF_16oz_100_BG_1.jpg": b"old", beside: b"new"}


def test_a_file_is_kept_at_its_path_in_the_shops_folder(workshop: Workshop) -> None:
    content = workshop.blobs.put(b"a watermark")
    event = StoreFile(
        tenant_id=uuid4(), shop="NorthCups", path="Mockups/BaseMockups/Watermarks/wm.png", content=content
    )
    for _ in range(2):
        on_store_file(event, workshop.filing)
    assert contents(workshop, "NorthCups/Mockups/BaseMockups/Watermarks") == {"wm.png": b"a watermark"}


@pytest.mark.parametrize("path", ["../SouthCups/wm.png", "/etc/wm.png", "a//b.png", ""])
def test_a_path_out_of_the_shops_folder_is_refused_for_good(workshop: Workshop, path: str) -> None:
    event = StoreFile(tenant_id=uuid4(), shop="NorthCups", path=path, content=workshop.blobs.put(b"x"))
    with pytest.raises(BadPath):
        on_store_file(event, workshop.filing)
