"""Pictures and files for the hasher's tests, made in code."""

import io
import struct
import zlib
from itertools import product
from uuid import UUID, uuid5

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from shared.blobs import Blobs
from shared.contracts import BatchSubmitted, Destination, PrintSpec, UploadedFile
from tests.images import chunk

Pixels = NDArray[np.uint8]

STRETCH = PrintSpec(width_inches=1.5, height_inches=0.5, canvas_width_inches=1.5, canvas_height_inches=0.5)
FIT = PrintSpec(width_inches=1.5, height_inches=1, canvas_width_inches=2, canvas_height_inches=1.75, stretch=False)
DIGITAL = STRETCH.model_copy(update={"digital": True})
SESSION = UUID("5d1f3c0e-9a55-4a38-9d7b-1f2f4f6a7b90")
TENANT = UUID("6b0c0a52-0d0f-4c55-9a8e-3f6f0f6c9a11")
DESTINATION = Destination(shop="NorthCups", template="UVDTF 16oz")


def artwork(width: int = 240, height: int = 200, seed: int = 1) -> Pixels:
    """Coloured discs on transparency with a transparent border; antialiased, so alpha takes every value."""
    random = np.random.default_rng(seed)
    picture = np.zeros((height, width, 4), np.uint8)
    for _ in range(12):
        radius = int(random.integers(min(width, height) // 20, min(width, height) // 6))
        x = int(random.integers(2 * radius, width - 2 * radius))
        y = int(random.integers(2 * radius, height - 2 * radius))
        colour = [int(level) for level in random.integers(0, 256, 3)]
        cv2.circle(picture, (x, y), radius, (*colour, 255), -1, cv2.LINE_AA)
    return picture


def lettering(words: str, colour: tuple[int, int, int], width: int = 600, height: int = 400) -> Pixels:
    """Text on transparency, whose colour lies under the transparent pixels too, as design programs leave it."""
    image = Image.new("RGBA", (width, height), (*colour, 0))
    draw = ImageDraw.Draw(image)
    draw.multiline_text((30, 20), words, font=ImageFont.load_default(height // 5), fill=(*colour, 255))
    return np.asarray(image)


def photo(width: int = 240, height: int = 200, seed: int = 2) -> Pixels:
    """Soft opaque colours with grain, (H, W, 3)."""
    random = np.random.default_rng(seed)
    soft = cv2.resize(
        random.integers(0, 256, (6, 8, 3), dtype=np.uint8), (width, height), interpolation=cv2.INTER_CUBIC
    )
    return np.asarray(cv2.add(soft, random.integers(0, 8, soft.shape, dtype=np.uint8)), dtype=np.uint8)


def as_pillow_reads(data: bytes) -> Pixels:
    """The file's pixels by Pillow alone, as RGBA."""
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGBA"))


def bomb(side: int = 30_000) -> bytes:
    """A white 1-bit PNG of side x side pixels in about a hundred kilobytes."""
    rows, deflate = b"\0" + b"\xff" * ((side + 7) // 8), zlib.compressobj(1)
    body = b"".join(deflate.compress(rows * 100) for _ in range(side // 100)) + deflate.flush()
    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


def linear_grey_profile() -> bytes:
    """An ICC profile of grey whose values are proportional to light: 128 is sRGB 188."""
    curve = b"curv" + bytes(4) + struct.pack(">IH", 1, 0x0100) + bytes(2)
    return _profile(b"mntr", b"GRAY", b"XYZ ", {b"wtpt": _xyz(0.9642, 1, 0.8249), b"kTRC": curve})


def inks_profile(cyan_ink: tuple[int, int, int]) -> bytes:
    """An ICC profile of CMYK that prints `cyan_ink` (8-bit Lab) for full cyan, white paper, and black for the rest."""
    colours = []
    for cyan, magenta, yellow, black in product((0, 1), repeat=4):
        inks = (cyan, magenta, yellow, black)
        colours.append((255, 128, 128) if not any(inks) else cyan_ink if inks == (1, 0, 0, 0) else (0, 128, 128))
    identity = struct.pack(">9i", *(65536 if i % 4 == 0 else 0 for i in range(9)))
    table = bytes(range(256))
    lut = b"mft1" + bytes(4) + bytes([4, 3, 2, 0]) + identity + table * 4 + bytes(sum(colours, ())) + table * 3
    return _profile(b"prtr", b"CMYK", b"Lab ", {b"wtpt": _xyz(0.9642, 1, 0.8249), b"A2B0": lut})


def _xyz(*values: float) -> bytes:
    return b"XYZ " + bytes(4) + struct.pack(">3i", *(round(value * 65536) for value in values))


def _profile(kind: bytes, space: bytes, connection: bytes, tags: dict[bytes, bytes]) -> bytes:
    """An ICC.1:2001 profile: header, tag table, tags."""
    start, table, body = 128 + 4 + 12 * len(tags), struct.pack(">I", len(tags)), b""
    for name, value in tags.items():
        table += struct.pack(">4sII", name, start + len(body), len(value))
        body += value + bytes(-len(value) % 4)
    head = struct.pack(">I4sI4s4s4s", start + len(body), bytes(4), 0x02100000, kind, space, connection)
    head += struct.pack(">6H", 2026, 1, 1, 0, 0, 0) + b"acsp" + bytes(28) + _xyz(0.9642, 1, 0.8249)[8:]
    return head.ljust(128, b"\0") + table + body


def batch_of(blobs: Blobs, files: dict[str, bytes]) -> BatchSubmitted:
    """An upload of these files, tried anew twice."""
    return BatchSubmitted(
        tenant_id=TENANT,
        session_id=SESSION,
        batch=0,
        files=tuple(
            UploadedFile(item_id=uuid5(SESSION, name), index=index, generation=2, filename=name, upload=blobs.put(data))
            for index, (name, data) in enumerate(files.items())
        ),
        print_spec=STRETCH,
        destination=DESTINATION,
    )
