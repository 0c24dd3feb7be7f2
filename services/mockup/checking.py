"""Whether a photograph and its template go together, for those who take templates in."""

from services.mockup.backgrounds import BackgroundCache, ready_background
from services.mockup.faults import NotRenderable
from shared.blobs import Blobs
from shared.contracts import Background, Blob


def template_fault(image: Blob, template: Blob, blobs: Blobs) -> str | None:
    """What has to be mended before a mockup can be made, in words; None if nothing."""
    try:
        ready_background(Background(image=image, template=template), blobs, BackgroundCache(0))
    except NotRenderable as error:
        return str(error)
    return None
