"""The hasher as a service: its two handlers bound to the blob store, the limits, and the child process that decodes."""

from typing import cast

from services.decoding.isolation import Isolated
from services.hasher.handlers import on_batch_submitted, on_picture_found
from services.hasher.made import Looks, Result
from services.hasher.results import Results
from services.hasher.settings import Settings
from shared.blobs import Blobs
from shared.bus.service import Service
from shared.contracts import Blob, PrintSpec

MAKER = "services.hasher.making:maker"


def build(settings: Settings) -> Service:
    """Scale by processes, as many as cores: one picture at a time keeps memory bounded.

    What decodes is named and not imported, so this process stays small and lives on when a file kills its decoder.
    """
    blobs = Blobs(settings.blob_dir)
    child: Isolated[[Blob, PrintSpec | None], Result | Looks] = Isolated(
        MAKER,
        (settings.blob_dir.absolute(), settings.limits, settings.print_files == "small"),
        memory_bytes=settings.decode_memory_bytes,
    )

    def make(upload: Blob, spec: PrintSpec) -> Result:
        return cast("Result", child(upload, spec))

    def look(scanned: Blob) -> Looks:
        return cast("Looks", child(scanned, None))

    service = Service("hasher")
    service.on(on_picture_found, look=look, limits=settings.limits)
    service.on(on_batch_submitted, make=make, limits=settings.limits, results=Results(blobs))
    return service
