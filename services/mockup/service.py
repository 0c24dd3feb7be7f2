"""The mockup service: its handler bound to the blob store and the cache."""

import cv2

from services.mockup.backgrounds import BackgroundCache
from services.mockup.handlers import on_mockups_requested
from services.mockup.settings import Settings
from shared.blobs import Blobs
from shared.bus.service import Service


def build(settings: Settings) -> Service:
    """Scale by processes, as many as cores."""
    cv2.setNumThreads(1)  # its own pool would compete with the other renderers for the same cores
    service = Service("mockup")
    cache = BackgroundCache(settings.mockup_cache_megabytes * 1_000_000)
    service.on(on_mockups_requested, blobs=Blobs(settings.blob_dir), cache=cache)
    return service
