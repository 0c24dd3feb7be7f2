"""Storage as a service: its handlers bound to the NAS, the blob store and the tables."""

from services.storage import handlers
from services.storage.allotment import Numbers
from services.storage.filing import Filing
from services.storage.scanned import Scanned
from services.storage.scanning import SCANNED, Scan
from services.storage.settings import Settings
from services.storage.store import Designs
from shared.blobs import Blobs
from shared.bus.service import Service
from shared.database import engine_of


def build(settings: Settings) -> Service:
    """Any number of processes may run: the database makes those of one session take turns to give out numbers."""
    engine = engine_of(settings.database_url, pool_size=settings.nas_max_connections)
    nas, blobs = settings.nas(), Blobs(settings.blob_dir)
    filing = Filing(Designs(engine), Numbers(engine), nas, blobs)
    scan = Scan(Scanned(engine, settings.nas_scan_files_at_once), nas, Blobs(blobs.root / SCANNED))
    service = Service("storage", prefetch=settings.nas_max_connections)
    service.on(handlers.on_image_accepted, filing=filing)
    service.on(handlers.on_duplicate_found, filing=filing)
    service.on(handlers.on_image_rejected, filing=filing)
    service.on(handlers.on_image_failed, filing=filing)
    service.on(handlers.on_work_cancelled, filing=filing)
    service.on(handlers.on_mockups_rendered, filing=filing)
    service.on(handlers.on_store_file, filing=filing)
    service.on(handlers.on_shop_scan_requested, scan=scan)
    service.on(handlers.on_picture_hashed, scan=scan)
    return service
