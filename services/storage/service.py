"""Storage as a service: its handlers bound to the NAS, the blob store and the tables."""

from services.storage import handlers
from services.storage.allotment import Numbers
from services.storage.filing import Filing
from services.storage.scan_rows import Scanned
from services.storage.scanning import Scan
from services.storage.settings import Settings
from services.storage.store import Designs
from shared.blobs import Blobs
from shared.bus.service import Service
from shared.contracts import SCANNED
from shared.database import engine_of
from shared.nas import Nas


def build(settings: Settings) -> Service:
    """Any number of processes may run: the database makes those of one session take turns to give out numbers.

    Where shops have a NAS of their own, the inbox sorts, and each NAS has a queue, hands and outages of its own.
    """
    nases = settings.nases()
    engine = engine_of(settings.database_url, pool_size=settings.nas_max_connections + len(nases.queues))

    def service(nas: Nas, queue: str = "") -> Service:
        blobs = Blobs(settings.blob_dir)
        filing = Filing(Designs(engine), Numbers(engine), nas, blobs)
        found = _bound(Service("storage", prefetch=settings.nas_max_connections, queue=queue), filing)
        if nases.queues and not queue:
            found.on(handlers.sort_shop_scan_requested, queue_of=nases.queue_of)
            found.on(handlers.sort_picture_hashed, queue_of=nases.queue_of)
            return found
        rows = Scanned(engine, settings.nas_scan_files_at_once, lambda folder: nases.queue_of(folder) == queue)
        scan = Scan(rows, nas, Blobs(blobs.root / SCANNED))
        found.on(handlers.on_shop_scan_requested, scan=scan)
        found.on(handlers.on_picture_hashed, scan=scan)
        return found

    if not nases.queues:
        return service(nases.common)
    inbox = service(nases.sorting())
    inbox.branches = tuple(service(nases.as_one(), queue) for queue in nases.queues)
    return inbox


def _bound(service: Service, filing: Filing) -> Service:
    service.on(handlers.on_image_accepted, filing=filing)
    service.on(handlers.on_duplicate_found, filing=filing)
    service.on(handlers.on_image_rejected, filing=filing)
    service.on(handlers.on_image_failed, filing=filing)
    service.on(handlers.on_work_cancelled, filing=filing)
    service.on(handlers.on_mockups_rendered, filing=filing)
    service.on(handlers.on_store_file, filing=filing)
    return service
