"""Pictures that users upload for the catalog (photographs, watermarks): looked through before they are kept.

They are decoded in a child process, as designs are: docs/decisions/0005-decoding.md.
"""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

import structlog

from services.decoding.answers import ChildFailed, Refusal
from services.decoding.isolation import Died, Isolated, TookTooLong
from services.ingest.catalog.errors import Unusable
from shared.blobs import Blobs
from shared.contracts import Blob

if TYPE_CHECKING:
    from services.ingest.catalog.looking import Facts

log = structlog.get_logger()

LOOKER = "services.ingest.catalog.looking:looker"
BYTES_PER_PIXEL = 24  # a WebP with alpha takes 18, by VmHWM; a CMYK JPEG 11, others less
BESIDES_BYTES = 300_000_000  # for the file itself
MOST_SECONDS = 60.0
AT_ONCE = 2
"""Each may take BYTES_PER_PIXEL times as many pixels as are allowed, on cores that hashers want, too. With one, a large
photograph would hold up everybody else's."""
CHUNK_BYTES = 1 << 20


@dataclass(frozen=True)
class Picture:
    """A picture in the blob store. `format` is what the decoder said, not what the name says."""

    filename: str
    blob: Blob
    format: str
    width: int
    height: int


class Pictures:
    """Checks and keeps uploads. A decoded picture takes up to 24 bytes a pixel, hence one or two at a time."""

    def __init__(self, blobs: Blobs, *, max_bytes: int, max_pixels: int) -> None:
        self.blobs = blobs
        self.max_bytes = max_bytes
        self.turn = threading.BoundedSemaphore(AT_ONCE)
        memory = max_pixels * BYTES_PER_PIXEL + BESIDES_BYTES
        self._look: Isolated[[bytes], Facts] = Isolated(LOOKER, (max_pixels, MOST_SECONDS), memory_bytes=memory)
        # A child is its thread's: the threads of requests are too many, and end.
        self._threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="pictures")

    def check(self, filename: str, file: BinaryIO) -> "Facts":
        """Format, width and height of a picture that decodes to its end.

        Raises:
            Unusable: it is no picture, is damaged or is too large; the text says which.
            Unavailable: no process to decode it in can be started.
        """
        size = file.seek(0, 2)
        if not 0 < size <= self.max_bytes:
            limit = f"at most {self.max_bytes >> 20} MB"
            raise Unusable(f"{filename}: {'it is empty' if not size else f'it is too large ({limit})'}; send another.")
        file.seek(0)
        with self.turn:
            return self._looked(filename, file.read())

    def keep(self, filename: str, file: BinaryIO, checked: "Facts") -> Picture:
        """Put a checked upload into the blob store."""
        file.seek(0)
        with self.blobs.writer() as writer:
            while chunk := file.read(CHUNK_BYTES):
                writer.write(chunk)
        return Picture(filename, writer.blob, *checked)

    def _looked(self, filename: str, data: bytes) -> "Facts":
        try:
            return self._threads.submit(self._look, data).result()
        except Refusal as refusal:
            raise Unusable(f"{filename}: {refusal}") from refusal
        except Died as death:
            log.error("a picture crashes its decoder", filename=filename, cause=death.how)  # noqa: TRY400
            words = f"this picture makes the image decoder crash ({death.how}); export it again."
            raise Unusable(f"{filename}: {words}") from death
        except TookTooLong as error:
            log.error("a picture holds up its decoder", filename=filename)  # noqa: TRY400
            words = f"decoding it was given up after {MOST_SECONDS:g} s; export it again."
            raise Unusable(f"{filename}: {words}") from error
        except ChildFailed as failed:  # a fault of ours, that would come again at each try
            log.exception("a picture can't be looked at", filename=filename)
            raise Unusable(f"{filename}: it could not be looked at ({failed}); tell your operator.") from failed
