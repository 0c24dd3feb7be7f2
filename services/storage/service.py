"""Storage as a service: its handlers bound to the NAS, the blob store and the tables."""

from services.storage import handlers
from services.storage.allotment import Numbers
from services.storage.filing import Filing
from services.storage.settings import Settings
from services.storage.store import Designs
from shared.blobs import Blobs
from shared.bus.service import Service
from shared.database import engine_of
from shared.nas import Nas


def build(settings: Settings) -> Service:
    """Any number of processes may run: the database makes those of one session take turns to give out numbers.

    Where shops have a NAS of their own, the inbox sorts, and each NAS has a queue, hands and outages of its own.
    """
    nases = settings.nases()
    engine = engine_of(settings.database_url, pool_size=settings.nas_max_connections + len(nases.queues))

    def service(nas: Nas, queue: str = "") -> Service:
        filing = Filing(Designs(engine), Numbers(engine), nas, Blobs(settings.blob_dir))
        return _bound(Service("storage", prefetch=settings.nas_max_connections, queue=queue), filing)

    if not nases.queues:
        return service(nases.common)
    found = service(nases.sorting())
    found.branches = tuple(service(nases.as_one(), queue) for queue in nases.queues)
    return found


def _bound(service: Service, filing: Filing) -> Service:
    service.on(handlers.on_image_accepted, filing=filing)
    service.on(handlers.on_duplicate_found, filing=filing)
    service.on(handlers.on_image_rejected, filing=filing)
    service.on(handlers.on_image_failed, filing=filing)
    service.on(handlers.on_work_cancelled, filing=filing)
    service.on(handlers.on_mockups_rendered, filing=filing)
    service.on(handlers.on_store_file, filing=filing)
    return service
