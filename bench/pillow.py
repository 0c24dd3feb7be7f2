"""The same work by Pillow: as one would write it today, and as the system that was replaced did it."""

import io

import imagehash
import numpy as np
from PIL import Image


def print_file(data: bytes, size: tuple[int, int]) -> bytes:
    """Decode, crop, resize, hash twice, encode at the fastest level."""
    with Image.open(io.BytesIO(data)) as file:
        image = file.convert("RGBA")
    printed = image.crop(image.getbbox()).resize(size, Image.Resampling.BICUBIC)
    imagehash.phash(printed, hash_size=16)
    imagehash.dhash(printed, hash_size=16)
    return _saved(printed, compress_level=1)


def replaced(data: bytes, size: tuple[int, int]) -> bytes:
    """With four hashes, and the PNG as small as Pillow makes it."""
    with Image.open(io.BytesIO(data)) as file:
        image = file.convert("RGBA")
    seen = np.asarray(image)[..., 3] > 0
    rows, columns = np.flatnonzero(seen.any(axis=1)), np.flatnonzero(seen.any(axis=0))
    box = (int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1)
    printed = image.crop(box).resize(size, Image.Resampling.BICUBIC)
    for of in (imagehash.phash, imagehash.average_hash, imagehash.dhash, imagehash.whash):
        of(printed, hash_size=16)
    return _saved(printed, optimize=True, compress_level=9)


def _saved(image: Image.Image, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "PNG", dpi=(400, 400), **options)
    return buffer.getvalue()
