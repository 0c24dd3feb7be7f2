"""Dedup as a service: its handlers bound to the hash index."""

import cv2

from services.dedup import handlers
from services.dedup.settings import Settings
from services.dedup.store import HashIndex
from shared.blobs import Blobs
from shared.bus.service import Service
from shared.database import engine_of

PREFETCH = 24
"""What one tenant has in hand is decided in one transaction, and other tenants' messages go on meanwhile.

There may be a connection for each: what is no decision waits with one for its tenant's turn.
"""


def build(settings: Settings) -> Service:
    """Any number of processes may run: the database makes them take turns."""
    cv2.setNumThreads(1)  # messages are compared side by side already
    engine = engine_of(settings.database_url, pool_size=PREFETCH)
    index = HashIndex(engine, settings.duplicate_distance, Blobs(settings.blob_dir))
    service = Service("dedup", prefetch=PREFETCH)
    service.on(handlers.on_image_hashed, index=index)
    service.on(handlers.on_design_stored, index=index)
    service.on(handlers.on_design_activity_changed, index=index)
    service.on(handlers.on_storage_failed, index=index)
    service.on(handlers.on_work_cancelled, index=index)
    service.on(handlers.on_pair_judged, index=index)
    service.on(handlers.on_picture_hashed, index=index)
    service.on(handlers.on_pictures_gone, index=index)
    return service
