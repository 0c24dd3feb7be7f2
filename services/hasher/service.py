"""The hasher as a service: its handler bound to the blob store and the limits."""

import cv2
from PIL import Image

from services.hasher.handlers import on_batch_submitted
from services.hasher.results import Results
from services.hasher.settings import Settings
from shared.blobs import Blobs
from shared.bus.service import Service


def build(settings: Settings) -> Service:
    """Scale by processes, as many as cores: one picture at a time keeps memory bounded."""
    cv2.setNumThreads(1)  # its own pool would compete with the other hashers for the same cores
    # Pillow warns above its limit and refuses above twice that: ours decides in between.
    Image.MAX_IMAGE_PIXELS = settings.limits.max_pixels
    blobs = Blobs(settings.blob_dir)
    service = Service("hasher")
    service.on(on_batch_submitted, blobs=blobs, limits=settings.limits, results=Results(blobs))
    return service
