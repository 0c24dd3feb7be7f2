"""Pictures that users upload for the catalog (photographs, watermarks): looked through before they are kept."""

import threading
from dataclasses import dataclass
from typing import BinaryIO

from PIL import Image, UnidentifiedImageError

from services.decoding.unreadable import UNREADABLE
from services.ingest.catalog.errors import Unusable
from shared.blobs import Blobs
from shared.contracts import Blob

FORMATS = ("PNG", "JPEG", "WEBP")  # named, so that Pillow's many other decoders never see a stranger's bytes
AT_ONCE = 2
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
    """Checks and keeps uploads. A decoded picture takes up to 4 bytes a pixel, hence one or two at a time."""

    def __init__(self, blobs: Blobs, *, max_bytes: int, max_pixels: int) -> None:
        self.blobs = blobs
        self.max_bytes = max_bytes
        self.max_pixels = max_pixels
        self.turn = threading.BoundedSemaphore(AT_ONCE)

    def check(self, filename: str, file: BinaryIO) -> tuple[str, int, int]:
        """Format, width and height of a picture that decodes to its end.

        Raises:
            Unusable: it is no picture, is damaged or is too large; the text says which.
        """
        size = file.seek(0, 2)
        if not 0 < size <= self.max_bytes:
            limit = f"at most {self.max_bytes >> 20} MB"
            raise Unusable(f"{filename}: {'it is empty' if not size else f'it is too large ({limit})'}; send another.")
        file.seek(0)
        with self.turn:
            return self._decode(filename, file)

    def keep(self, filename: str, file: BinaryIO, checked: tuple[str, int, int]) -> Picture:
        """Put a checked upload into the blob store."""
        file.seek(0)
        with self.blobs.writer() as writer:
            while chunk := file.read(CHUNK_BYTES):
                writer.write(chunk)
        return Picture(filename, writer.blob, *checked)

    def _decode(self, filename: str, file: BinaryIO) -> tuple[str, int, int]:
        try:
            with Image.open(file, formats=FORMATS) as image:
                width, height = image.size
                if width * height > self.max_pixels:
                    limit = f"at most {self.max_pixels / 1e6:g} megapixels"
                    raise Unusable(f"{filename}: {width} x {height} px is too large ({limit}); send a smaller one.")
                image.load()
                return str(image.format), width, height
        except UnidentifiedImageError as error:
            raise Unusable(f"{filename}: not a PNG, JPEG or WebP picture; export it as one of these.") from error
        except (*UNREADABLE, Image.DecompressionBombError) as error:
            raise Unusable(f"{filename}: the picture is damaged ({error}); export it again.") from error
