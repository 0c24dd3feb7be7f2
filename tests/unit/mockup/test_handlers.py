"""What goes out for a request: the pictures, their names, and what has to be mended."""

import io
import json
import math
from collections.abc import Callable
from typing import Any
from uuid import UUID

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from services.mockup.backgrounds import BackgroundCache
from services.mockup.handlers import on_mockups_requested
from services.mockup.provenance import origin_in, origin_of
from services.mockup.service import build
from services.mockup.settings import Settings
from shared.blobs import Blobs
from shared.contracts import (
    Background,
    Blob,
    Mask,
    MockupFailed,
    MockupsRendered,
    MockupsRequested,
    RenderedMockup,
)

Make = Callable[..., MockupsRequested]
Encode = Callable[..., bytes]
Pixels = Callable[[Blob], npt.NDArray[np.uint8]]
LEFT = ((10.0, 20.0), (70.0, 20.0), (70.0, 60.0), (10.0, 60.0))
RIGHT = ((130.0, 20.0), (190.0, 20.0), (190.0, 60.0), (130.0, 60.0))
GONE = Blob(sha256="0" * 64, size=9)


def rendered(request: MockupsRequested, blobs: Blobs, cache: BackgroundCache) -> MockupsRendered:
    (answer,) = on_mockups_requested(request, blobs, cache)
    assert isinstance(answer, MockupsRendered), answer
    return answer


def reason(request: MockupsRequested, blobs: Blobs, cache: BackgroundCache) -> str:
    (answer,) = on_mockups_requested(request, blobs, cache)
    assert isinstance(answer, MockupFailed), answer
    assert (answer.item_id, answer.index, answer.generation, answer.mockup_id) == (UUID(int=3), 4, 1, UUID(int=5))
    return answer.reason


def is_red(pixel: npt.NDArray[np.uint8]) -> bool:
    return bool(np.abs(pixel.astype(int) - (200, 0, 0)).max() <= 12)  # JPEG


def test_a_picture_is_a_2000_px_srgb_jpeg_without_alpha_or_metadata(
    request_for: Make, blobs: Blobs, cache: BackgroundCache
) -> None:
    answer = rendered(request_for(), blobs, cache)
    (mockup,) = answer.mockups
    image = Image.open(io.BytesIO(blobs.get(mockup.image)))
    assert (image.format, image.mode, image.size) == ("JPEG", "RGB", (2000, 800))
    assert (mockup.width, mockup.height) == (2000, 800)
    assert not image.getexif()
    assert "icc_profile" not in image.info
    assert {layer[1:3] for layer in image.layer} == {(1, 1)}  # 4:4:4: no channel is subsampled
    assert (answer.number, answer.shop, answer.design_name) == (207, "NorthCups", "UV 207 UVDTF_16oz_207.png")
    assert (answer.watermarked, answer.warnings) == (False, ())


def test_a_picture_says_what_it_was_made_of(request_for: Make, blobs: Blobs, cache: BackgroundCache) -> None:
    request = request_for()
    (mockup,) = rendered(request, blobs, cache).mockups
    found = origin_in(blobs.get(mockup.image))
    assert found == origin_of(request.design, request.backgrounds[0])
    assert (found.design, found.photograph) == (request.design.sha256, request.backgrounds[0].image.sha256)
    assert found.masks
    other = request.backgrounds[0].model_copy(update={"masks": ()})
    assert origin_of(request.design, other).masks is None


def test_each_photograph_gets_its_own_masks_and_the_designs_own_number(
    request_for: Make, blobs: Blobs, cache: BackgroundCache, encoded: Encode, pixels: Pixels
) -> None:
    grey, green = (blobs.put(encoded(colour)) for colour in ((128, 128, 128), (0, 150, 0)))
    request = request_for(
        backgrounds=(
            Background(image=grey, masks=(Mask(polygon=LEFT),)),
            Background(image=green, masks=(Mask(polygon=RIGHT),)),
            Background(image=grey, masks=(Mask(polygon=LEFT), Mask(polygon=RIGHT))),
        )
    )
    mockups = rendered(request, blobs, cache).mockups
    assert [mockup.filename for mockup in mockups] == [
        "UV 207 UVDTF_16oz_207_BG_0.jpg",
        "UV 207 UVDTF_16oz_207_BG_1.jpg",
        "UV 207 UVDTF_16oz_207_BG_2.jpg",
    ]

    def drawn(mockup: RenderedMockup) -> tuple[bool, bool]:
        picture = pixels(mockup.image)
        return is_red(picture[400, 400]), is_red(picture[400, 1600])

    assert [drawn(mockup) for mockup in mockups] == [(True, False), (False, True), (True, True)]
    assert pixels(mockups[1].image)[10, 10][1] > 140


def test_a_repeat_gives_identical_bytes_with_and_without_the_cache(
    request_for: Make, blobs: Blobs, cache: BackgroundCache
) -> None:
    first = rendered(request_for(), blobs, cache)
    assert rendered(request_for(), blobs, cache) == first
    assert rendered(request_for(), blobs, BackgroundCache(0)) == first


def test_a_design_without_alpha_is_drawn(
    request_for: Make, blobs: Blobs, cache: BackgroundCache, encoded: Encode, pixels: Pixels
) -> None:
    opaque = blobs.put(encoded((200, 0, 0), (300, 100)))
    (mockup,) = rendered(request_for(design=opaque), blobs, cache).mockups
    assert is_red(pixels(mockup.image)[400, 1000])


def test_a_photograph_without_masks_passes_with_a_warning(
    request_for: Make, blobs: Blobs, cache: BackgroundCache, encoded: Encode, pixels: Pixels
) -> None:
    plain = Background(image=blobs.put(encoded((0, 150, 0))))
    with_mask = request_for().backgrounds[0]
    answer = rendered(request_for(backgrounds=(with_mask, plain)), blobs, cache)
    assert answer.warnings == ("photograph 2: it has no print area, so it shows no design",)
    assert not is_red(pixels(answer.mockups[1].image)[400, 1000])


def test_a_group_that_would_show_no_design_at_all_is_refused(
    request_for: Make, blobs: Blobs, cache: BackgroundCache, encoded: Encode
) -> None:
    plain = Background(image=blobs.put(encoded((0, 150, 0))))
    without_area = reason(request_for(backgrounds=(plain,)), blobs, cache)
    assert "no photograph of the mockup has a print area; open the mockup and draw where" in without_area
    assert "the mockup has no photographs; open it, add one and" in reason(request_for(backgrounds=()), blobs, cache)


def test_every_unusable_mask_is_named_with_its_photograph(
    request_for: Make, blobs: Blobs, cache: BackgroundCache
) -> None:
    good = request_for().backgrounds[0]
    flat = good.model_copy(update={"masks": (good.masks[0], Mask(polygon=((1, 1), (2, 2), (3, 3))))})
    lost = good.model_copy(update={"masks": (Mask(polygon=((math.nan, 1), (2, 2), (3, 3))),)})
    said = reason(request_for(backgrounds=(flat, good, lost)), blobs, cache)
    assert said.startswith("UV 207 UVDTF_16oz_207.png: photograph 1: print area 2: ")
    assert "; photograph 3: print area 1: a corner is not a finite number" in said


def template(blobs: Blobs, pictures: dict[str, Blob] | None = None, **changes: Any) -> Blob:
    area = {"shape": {"kind": "rectangle", "box": [130, 20, 190, 60]}, "shading": 1}
    given = {"presswork_mockup": 1, "name": "Cup", "photograph": "cup.png", "areas": [area]} | changes
    named = {name: blob.model_dump() for name, blob in (pictures or {}).items()}
    return blobs.put(json.dumps({"template": given, "pictures": named}).encode())


def test_a_template_is_drawn_with_its_layers_and_the_masks(
    request_for: Make, blobs: Blobs, cache: BackgroundCache, encoded: Encode, pixels: Pixels
) -> None:
    glass = {"hand.png": blobs.put(encoded((0, 0, 250, 128)))}
    photo = request_for().backgrounds[0].image
    both = Background(image=photo, masks=(Mask(polygon=LEFT),), template=template(blobs, glass, foreground="hand.png"))
    alone = Background(image=photo, template=template(blobs))
    answer = rendered(request_for(backgrounds=(both, alone)), blobs, cache)
    assert answer.warnings == ()
    first, second = (pixels(mockup.image) for mockup in answer.mockups)
    assert is_red(second[400, 1600])
    assert not is_red(second[400, 400])
    for place in (400, 1600):
        assert first[400, place][0] > 100
        assert first[400, place][2] > 150  # blue glass over red ink
    assert rendered(request_for(backgrounds=(both, alone)), blobs, cache) == answer


def test_what_a_template_lacks_is_said_with_its_photograph(
    request_for: Make, blobs: Blobs, cache: BackgroundCache
) -> None:
    good = request_for().backgrounds[0]
    faults = {
        template(blobs, foreground="hand.png"): "names hand.png, which was not sent with it",
        template(blobs, {"hand.png": GONE}, foreground="hand.png"): "the server no longer has its hand.png",
        template(blobs, areas=[]): "areas: it has too few entries; give 1 or more",
        GONE: "the server no longer has its template; import its template again",
    }
    for blob, words in faults.items():
        broken = good.model_copy(update={"template": blob})
        said = reason(request_for(backgrounds=(good, broken)), blobs, cache)
        assert "photograph 2: " in said
        assert words in said


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"design": GONE}, "the server no longer has this design's print file"),
        ({"backgrounds": (Background(image=GONE, masks=(Mask(polygon=LEFT),)),)}, "photograph 1: the server no longer"),
    ],
)
def test_a_lost_blob_is_the_items_failure_and_not_the_services(
    request_for: Make, blobs: Blobs, cache: BackgroundCache, change: dict[str, Any], words: str
) -> None:
    assert words in reason(request_for(**change), blobs, cache)


def test_an_unreadable_photograph_or_design_is_refused_in_words(
    request_for: Make, blobs: Blobs, cache: BackgroundCache
) -> None:
    text = blobs.put(b"not a picture")
    good = request_for().backgrounds[0]
    bad = good.model_copy(update={"image": text})
    assert "photograph 2: it is not a picture" in reason(request_for(backgrounds=(good, bad)), blobs, cache)
    assert "print file can't be read: it is not a PNG" in reason(request_for(design=text), blobs, cache)


def test_a_watermark_is_drawn_and_said(
    request_for: Make, blobs: Blobs, cache: BackgroundCache, encoded: Encode, pixels: Pixels
) -> None:
    mark = blobs.put(encoded((255, 255, 255, 255), (120, 10)))
    marked = request_for().backgrounds[0].model_copy(update={"watermark": mark})
    answer = rendered(request_for(backgrounds=(marked,)), blobs, cache)
    assert (answer.watermarked, answer.warnings) == (True, ())
    picture = pixels(answer.mockups[0].image)
    assert picture[400, 1000][1] > 80  # white over red
    assert is_red(picture[300, 1000])


def test_a_missing_or_broken_watermark_is_a_warning(
    request_for: Make, blobs: Blobs, cache: BackgroundCache, encoded: Encode
) -> None:
    good = request_for().backgrounds[0]
    gone = good.model_copy(update={"watermark": GONE})
    broken = good.model_copy(update={"watermark": blobs.put(b"not a picture")})
    answer = rendered(request_for(backgrounds=(gone, broken)), blobs, cache)
    assert not answer.watermarked
    assert "photograph 1: the server no longer has its watermark" in answer.warnings[0]
    assert "photograph 2: its watermark can't be used" in answer.warnings[1]
    assert cache.bytes == 0  # so that a watermark which is brought back is used


def test_a_group_that_is_watermarked_in_part_says_so(
    request_for: Make, blobs: Blobs, cache: BackgroundCache, encoded: Encode
) -> None:
    plain = request_for().backgrounds[0]
    marked = plain.model_copy(update={"watermark": blobs.put(encoded((255, 255, 255, 255), (120, 10)))})
    answer = rendered(request_for(backgrounds=(marked, plain)), blobs, cache)
    assert not answer.watermarked
    assert answer.warnings == ("photograph 2: it has no watermark, the others of this mockup have one",)


def test_a_digital_design_has_its_short_name(request_for: Make, blobs: Blobs, cache: BackgroundCache) -> None:
    request = request_for(digital=True, number=7, design_name="Digital 007.png")
    answer = rendered(request, blobs, cache)
    assert answer.digital
    assert [mockup.filename for mockup in answer.mockups] == ["Digital 007_BG_0.jpg"]


def test_the_service_listens_to_requests_and_emits_both_answers(tmp_path: Any) -> None:
    service = build(Settings(blob_dir=tmp_path))
    handler = service.handlers[MockupsRequested]
    assert service.name == "mockup"
    assert set(handler.emits) == {MockupsRendered, MockupFailed}
