"""What the mockup service does when a design's pictures are asked for."""

from collections.abc import Iterator
from typing import Any

from services.mockup.backgrounds import BackgroundCache, Ready, ready_background
from services.mockup.faults import NotRenderable
from services.mockup.light import Pixels
from services.mockup.naming import picture_name
from services.mockup.pictures import design, jpeg
from services.mockup.provenance import origin_of, written
from services.mockup.rendering import render
from services.mockup.warping import flat_design
from shared.blobs import Blobs
from shared.contracts import Blob, MockupFailed, MockupsRendered, MockupsRequested, RenderedMockup
from shared.errors import Permanent


def on_mockups_requested(
    request: MockupsRequested, blobs: Blobs, cache: BackgroundCache
) -> Iterator[MockupsRendered | MockupFailed]:
    """One answer: all pictures, or what has to be mended first. A listing short of a picture helps nobody."""
    try:
        backgrounds = _backgrounds(request, blobs, cache)
        mockups = _drawn(request, _design(request.design, blobs), backgrounds, blobs)
    except NotRenderable as error:
        yield MockupFailed(**_item(request), reason=f"{request.design_name}: {error}")
        return
    yield MockupsRendered(
        **_item(request),
        design=request.design,
        design_name=request.design_name,
        number=request.number,
        shop=request.shop,
        template=request.template,
        mockups=mockups,
        watermarked=all(ready.prepared.watermark is not None for ready in backgrounds),
        digital=request.digital,
        warnings=_warnings(request, backgrounds),
    )


def _backgrounds(request: MockupsRequested, blobs: Blobs, cache: BackgroundCache) -> list[Ready]:
    if not any(background.masks or background.template for background in request.backgrounds):
        draw = "draw where the design goes"
        if request.backgrounds:
            raise NotRenderable(f"no photograph of the mockup has a print area; open the mockup and {draw}")
        raise NotRenderable(f"the mockup has no photographs; open it, add one and {draw}")
    backgrounds, faults = [], []
    for number, background in enumerate(request.backgrounds, 1):
        try:
            backgrounds.append(ready_background(background, blobs, cache))
        except NotRenderable as error:
            faults.append(f"photograph {number}: {error}")
    if faults:
        raise NotRenderable("; ".join(faults))
    return backgrounds


def _design(blob: Blob, blobs: Blobs) -> Pixels:
    try:
        return design(blobs.get(blob))
    except Permanent as error:
        raise NotRenderable(
            "the server no longer has this design's print file; try the listing again: it is fetched from the NAS"
        ) from error
    except NotRenderable as error:
        raise NotRenderable(f"the design's print file can't be read: {error}") from error


def _drawn(
    request: MockupsRequested, picture: Pixels, backgrounds: list[Ready], blobs: Blobs
) -> tuple[RenderedMockup, ...]:
    flat = flat_design(picture, [area for ready in backgrounds for area in ready.prepared.areas])
    mockups = []
    for index, (background, ready) in enumerate(zip(request.backgrounds, backgrounds, strict=True)):
        rendered = render(ready.prepared, flat)
        height, width = rendered.shape[:2]
        name = picture_name(request.design_name, request.number, request.template.name, index, digital=request.digital)
        origin = origin_of(request.design, background, watermarked=ready.prepared.watermark is not None)
        image = blobs.put(jpeg(rendered, written(origin)))
        mockups.append(RenderedMockup(image=image, filename=name, width=width, height=height))
    return tuple(mockups)


def _warnings(request: MockupsRequested, backgrounds: list[Ready]) -> tuple[str, ...]:
    said = [f"photograph {number}: {words}" for number, ready in enumerate(backgrounds, 1) for words in ready.warnings]
    unmarked = [str(number) for number, background in enumerate(request.backgrounds, 1) if not background.watermark]
    if unmarked and len(unmarked) < len(backgrounds):
        said.append(f"photograph {', '.join(unmarked)}: it has no watermark, the others of this mockup have one")
    return tuple(said)


def _item(request: MockupsRequested) -> dict[str, Any]:
    same = {"tenant_id", "session_id", "item_id", "index", "generation", "filename", "mockup_id"}
    return request.model_dump(include=same)
