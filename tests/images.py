"""Pictures as files, and PNGs piece by piece."""

import io
import struct
import zlib
from typing import Any

from PIL import Image


def saved(picture: Any, format_: str = "PNG", **options: Any) -> bytes:
    """An image, or its pixels, as the file that Pillow makes of it."""
    image = picture if isinstance(picture, Image.Image) else Image.fromarray(picture)
    file = io.BytesIO()
    image.save(file, format_, **options)
    return file.getvalue()


def chunk(kind: bytes, body: bytes) -> bytes:
    """A PNG chunk."""
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def raw_png(width: int, height: int, bits: int, colour_type: int, packed: bytes, *extra: bytes) -> bytes:
    """A PNG of packed rows without their filter bytes, in the kinds that Pillow can't write."""
    row = len(packed) // height
    filtered = b"".join(b"\0" + packed[start : start + row] for start in range(0, len(packed), row))
    header = struct.pack(">IIBBBBB", width, height, bits, colour_type, 0, 0, 0)
    body = chunk(b"IDAT", zlib.compress(filtered))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + b"".join(extra) + body + chunk(b"IEND", b"")
