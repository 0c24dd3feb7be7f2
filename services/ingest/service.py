"""Ingest as a consumer: it follows the progress of every file, and keeps every service's dead letters."""

from collections.abc import Callable
from typing import get_args

from sqlalchemy import Engine

from services.ingest.dead_letters.archive import Archive, on_dead_letter
from services.ingest.lane_choice import COMPREHENSIVE
from services.ingest.sessions.lifecycle import handlers
from services.ingest.sessions.lifecycle.projection import Projection
from services.ingest.sessions.progress.delays import Delays, on_work_delayed
from shared.bus.service import Service
from shared.contracts import Stage

PREFETCH = 64
"""Events of one session that are in hand at a time become one transaction (`shared/together.py`), and wait for it."""
CONNECTIONS = 4
"""To the database: no more transactions at a time than that."""


def build(engine: Engine, wake: Callable[[], None] = lambda: None, loose_lane: str = COMPREHENSIVE) -> Service:
    """Ingest's own. `engine` is for nobody else: events in hand wait for its few connections, and not for HTTP's.

    `loose_lane` works on what belongs to no session.
    """
    projection = Projection(engine, wake)
    service = Service("ingest", prefetch=PREFETCH, follows_progress=True, archives=get_args(Stage))
    service.on(handlers.on_image_hashed, projection)
    service.on(handlers.on_image_rejected, projection)
    service.on(handlers.on_image_accepted, projection)
    service.on(handlers.on_duplicate_found, projection)
    service.on(handlers.on_design_stored, projection)
    service.on(handlers.on_storage_failed, projection)
    service.on(handlers.on_image_failed, projection)
    service.on(handlers.on_mockups_rendered, projection)
    service.on(handlers.on_mockup_failed, projection)
    service.on(handlers.on_listing_published, projection)
    service.on(handlers.on_listing_failed, projection)
    service.on(on_work_delayed, Delays(engine))
    service.on(on_dead_letter, Archive(engine, loose_lane))
    return service
